"""A conversion that never happened, for asking what an account allows."""

from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Final

import msgspec

from custom_events.values.clicks import Click, ClickKind
from custom_events.values.conversions import Conversion, UploadKind

UNKNOWN_CLICK: Final = "probe-no-such-click"
NOBODY: Final = sha256(b"nobody@probe.invalid").hexdigest()  # an e-mail address that no person has (RFC 2606)


def conversion(action_id: str, now: datetime, *, user_data: bool = False) -> Conversion:
    """A row that Google refuses as such (its click does not exist), if it lets us ask at all. `user_data`: one with the hash of
    nobody's e-mail address in place of a click."""
    return Conversion(
        upload_id=0,
        kind=UploadKind.CONVERSION,
        action_id=action_id,
        transaction_id=f"probe-{now:%Y%m%d%H%M%S}",
        occurred_at=now - timedelta(hours=1),
        value=Decimal(1),
        currency="EUR",
        click=None if user_data else Click(kind=ClickKind.GCLID, id=UNKNOWN_CLICK),
        email_sha256=NOBODY if user_data else None,
    )


def adjustment(action_id: str, now: datetime) -> Conversion:
    """The retraction of a conversion that does not exist."""
    return msgspec.structs.replace(
        conversion(action_id, now), kind=UploadKind.RETRACTION, adjusted_at=now, value=None, currency=None, click=None
    )
