"""Click ids and consent, as an order carries them."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import msgspec


class ClickKind(StrEnum):
    """Google's three click ids. Precedence when a conversion may carry one: as listed (docs/reference/google-ads.md 2.3)."""

    GCLID = "gclid"
    GBRAID = "gbraid"
    WBRAID = "wbraid"


class ClickCarrier(StrEnum):
    """Where a click id was found; the order is the precedence (docs/reference/platforms.md 4)."""

    ATTRIBUTE = "attribute"  # our own cart attribute, order meta or field
    LANDING = "landing"  # landing_site, session_entry
    PIXEL = "pixel"  # joined from browser events


class Click(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A captured click id. `clicked_at` is known only where our own capture wrote it."""

    kind: ClickKind
    id: str
    carrier: ClickCarrier = ClickCarrier.ATTRIBUTE
    clicked_at: datetime | None = None


_ENCODER = msgspec.json.Encoder()


def to_json(clicks: Sequence[Click]) -> str:
    """Clicks as a JSON list, as the ledger keeps them."""
    return _ENCODER.encode(clicks).decode()


class ConsentStatus(StrEnum):
    """Whether a person allowed a use. UNKNOWN is never read as granted."""

    GRANTED = "granted"
    DENIED = "denied"
    UNKNOWN = "unknown"


def decisive(answer: ConsentStatus, other: ConsentStatus) -> ConsentStatus:
    """Of two answers to one question the one that counts: a refusal, else a yes. The same in whatever order they came, so that
    nobody has to know which was given last."""
    for status in (ConsentStatus.DENIED, ConsentStatus.GRANTED):
        if status in (answer, other):
            return status
    return ConsentStatus.UNKNOWN


class Consent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Consent to ads as the order carries it; newsletter consent is something else. `source` says who gave the answer."""

    ad_user_data: ConsentStatus = ConsentStatus.UNKNOWN
    ad_personalization: ConsentStatus = ConsentStatus.UNKNOWN
    ad_storage: ConsentStatus = ConsentStatus.UNKNOWN
    source: str | None = None  # attribute, wp_consent_api, site_default ...
