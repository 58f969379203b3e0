"""A conversion that never happened, for asking what an account allows."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from custom_events.values.clicks import Click, ClickKind
from custom_events.values.conversions import Conversion, UploadKind

UNKNOWN_CLICK: Final = "probe-no-such-click"


def conversion(action_id: str, now: datetime) -> Conversion:
    """A row that Google refuses as such (its click does not exist), if it lets us ask at all."""
    return Conversion(
        upload_id=0,
        kind=UploadKind.CONVERSION,
        action_id=action_id,
        transaction_id=f"probe-{now:%Y%m%d%H%M%S}",
        occurred_at=now - timedelta(hours=1),
        value=Decimal(1),
        currency="EUR",
        click=Click(kind=ClickKind.GCLID, id=UNKNOWN_CLICK),
    )
