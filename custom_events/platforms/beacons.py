"""Bodies of POST /collect, as anybody may write them: fields of a list are read, each for itself, and everything else is left out."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from custom_events.platforms.attribution import MAX_UTM_CHARS, moment_of
from custom_events.platforms.click_ids import click_value
from custom_events.platforms.consent import consent_from
from custom_events.platforms.personal import is_personal_part
from custom_events.values.beacons import Beacon
from custom_events.values.clicks import Click, ClickCarrier, ClickKind, Consent
from custom_events.values.deliveries import RawDelivery, Understood, UnderstoodBeacon, ignored, parked

MAX_CLICKS: Final = 6  # two of each kind
MAX_PATH_CHARS: Final = 300
SOURCE: Final = "beacon"  # who gave the answer about consent, where the beacon names nobody
_EVENT: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_\-=+/.:?%&]{8,160}")  # Shopify's have 32 and more, with a key behind
_ORDER: Final = re.compile(r"(?:gid://shopify/Order(?:Identity)?/)?([A-Za-z0-9_\-]{1,64})")
_PATH: Final = re.compile(r"/[!-~]*")
_SITE: Final = re.compile(r"[A-Za-z0-9_-]{8,64}|[a-z0-9-]{1,60}(?:\.[a-z0-9-]{1,60}){1,6}")
_UTM: Final = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id")


class Sent(msgspec.Struct):
    """The fields that are read; each may hold anything."""

    site: Any = None
    event: Any = None
    order_id: Any = None
    cart_token: Any = None
    checkout_token: Any = None
    clicks: Any = None
    consent: Any = None
    landing_path: Any = None
    at: Any = None


_SENT: Final = msgspec.json.Decoder(Sent)
_LANDED: Final = msgspec.json.Decoder(Beacon)
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


def read(body: bytes) -> tuple[str, Beacon] | None:
    """The site's key (or domain) and what a body says; None where it is no JSON object or names no site."""
    try:
        sent = _SENT.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    site = _matched(_SITE, sent.site)
    if site is None:
        return None
    words: dict[str, Any] = sent.clicks if isinstance(sent.clicks, dict) else {}
    beacon = Beacon(
        event=_matched(_EVENT, sent.event),
        order_id=_order_id(sent.order_id),
        cart_token=_matched(_TOKEN, sent.cart_token),
        checkout_token=_matched(_TOKEN, sent.checkout_token),
        clicks=_clicks_listed(sent.clicks) if isinstance(sent.clicks, list) else _clicks(words),
        consent=_consent(sent.consent),
        utm={name: value[:MAX_UTM_CHARS] for name in _UTM if (value := _word(words.get(name)))},
        landing_path=_path(sent.landing_path),
        at=moment_of(sent.at),
    )
    return site, beacon


def to_json(beacon: Beacon) -> bytes:
    """A beacon as it is landed: what was read, in one order, so that the same again is known."""
    return _ENCODER.encode(beacon)


def understand(delivery: RawDelivery) -> Understood:
    """A landed beacon. It gives no event and no state."""
    try:
        beacon = _LANDED.decode(delivery.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return parked("unreadable_body", "A beacon in another form than ours")
    return (
        UnderstoodBeacon(beacon=beacon)
        if beacon.is_of_use
        else ignored("beacon_of_no_use", "It names no order, cart or checkout")
    )


def _matched(pattern: re.Pattern[str], value: Any) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def _printable(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) and value.isprintable() else None


def _word(value: Any) -> str | None:
    """A text that names nobody: whoever writes here may write anything, and links of newsletters hold addresses."""
    text = _printable(value)
    return None if text is None or is_personal_part(text) else text


def _order_id(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    match = _ORDER.fullmatch(value) if isinstance(value, str) else None
    return None if match is None or match.group(1) == "0" else match.group(1)


def _clicks(words: Mapping[str, Any]) -> tuple[Click, ...]:
    clicked_at = moment_of(words.get("clicked_at"))
    clicks: list[Click] = []
    for kind in ClickKind:
        value = words.get(kind.value)
        for part in value[:2] if isinstance(value, list) else (value,):
            click = click_value(part)
            if click is not None:
                clicks.append(_click(kind, click.id, click.clicked_at or clicked_at))
    return tuple(clicks[:MAX_CLICKS])


def _clicks_listed(parts: list[Any]) -> tuple[Click, ...]:
    """As the Shopify pixel writes them: kind, id and time of each, the best first."""
    clicks: list[Click] = []
    for part in parts[:MAX_CLICKS]:
        fields: dict[str, Any] = part if isinstance(part, dict) else {}
        kind = next((kind for kind in ClickKind if kind.value == fields.get("kind")), None)
        click = click_value(fields.get("id"))
        if kind is not None and click is not None:
            clicks.append(_click(kind, click.id, click.clicked_at or moment_of(fields.get("clicked_at"))))
    return tuple(clicks)


def _click(kind: ClickKind, click_id: str, clicked_at: datetime | None) -> Click:
    return Click(kind=kind, id=click_id, carrier=ClickCarrier.PIXEL, clicked_at=clicked_at)


def _consent(value: Any) -> Consent | None:
    if not isinstance(value, dict):
        return None
    fields: dict[str, Any] = {str(name): answer for name, answer in value.items()}
    source = fields.get("source")
    if source is not None and _word(source) is None:
        fields.pop("source")
    return consent_from(fields, SOURCE)


def _path(value: Any) -> str | None:
    """A page's path without what may name a person: its query and fragment."""
    if not isinstance(value, str):
        return None
    path = value.partition("?")[0].partition("#")[0][:MAX_PATH_CHARS]
    return None if is_personal_part(path) else _matched(_PATH, path)
