"""Where an order came from: click ids, consent to ads and UTM words, from named values and the landing page.

Precedence of click ids (reference: platforms, section 4): our own attribute or meta, then the landing page's query, then
line item properties (the last resort of express buttons). Within one place: gclid, gbraid, wbraid.

Names are accepted in any case, with or without a leading underscore and one of PREFIXES: `gclid`, `_gclid`, `ce_gclid`,
`custom_events_gbraid`, `_gads_gclid`; `clicked_at`, `gclid_time`; `consent_ad_user_data`, `ad_storage`; `consent` (an
object). One attribute `_custom_events` may hold all of it as JSON: {"gclid", "clicked_at", "consent": {...}}.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from custom_events.platforms.attributes import MAX_NAME_CHARS, Pair
from custom_events.platforms.consent import consent_from
from custom_events.platforms.leaves import MAX_TEXT_CHARS
from custom_events.values.clicks import Click, ClickCarrier, ClickKind, Consent

PREFIXES = ("", "ce_", "custom_events_", "gads_", "google_", "google_ads_")
MAX_CLICK_ID_CHARS = 512  # the longest seen is about 120; longer is no click id
MAX_UTM_CHARS = 200
MAX_QUERY_FIELDS = 100  # of a landing page

_KINDS = {kind.value: kind for kind in ClickKind}  # best first
_CLICKED_AT = ("clicked_at", "click_time", "gclid_time", "gclid_at", "captured_at")
_CONSENTS = ("ad_user_data", "ad_personalization", "ad_storage", "marketing")
_BLOB = "custom_events"
_UTM = {f"utm_{word}": word for word in ("source", "medium", "campaign", "content", "term", "id")}
_LANDING_NAMES = frozenset((*_KINDS, *_UTM))
_CLICK_ID = re.compile(rf"[A-Za-z0-9\-_.~+/=%]{{1,{MAX_CLICK_ID_CHARS}}}")
_EPOCH_MILLISECONDS_FROM = 10**11  # seconds reach this in the year 5138

# Full lower-case name without the leading underscore -> what it means.
_MEANING: dict[str, str] = {
    **{prefix + name: name for prefix in PREFIXES for name in (*_KINDS, "consent")},
    **{prefix + name: "clicked_at" for prefix in PREFIXES for name in _CLICKED_AT},
    **{prefix + name: name for prefix in PREFIXES for name in _CONSENTS},
    **{prefix + "consent_" + name: name for prefix in PREFIXES for name in _CONSENTS},
    **{prefix + "consent_source": "consent_source" for prefix in PREFIXES},
    **{prefix + name: name for prefix in (*PREFIXES, "wc_order_attribution_") for name in _UTM},
    _BLOB: _BLOB,
}
del _MEANING["marketing"]  # a bare `marketing` beside an order is anything


@lru_cache(maxsize=4_096)  # the same few names in every order of a shop
def _meaning_of(name: str) -> str | None:
    return _MEANING.get(name.lower().lstrip("_")) if len(name) <= MAX_NAME_CHARS else None


class Attribution(msgspec.Struct, frozen=True, gc=False):
    """What is known of an order's origin. `clicks` best first."""

    clicks: tuple[Click, ...] = ()
    consent: Consent | None = None
    utm: dict[str, str] = {}


NOTHING = Attribution()


class _Gathered:
    """What the named values of one place said, while they are read."""

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}  # by the kind's word: an enum's hash is Python code
        self.clicked_at: datetime | None = None
        self.consent: dict[str, Any] = {}
        self.utm: dict[str, str] = {}

    def read(self, name: str, value: Any) -> None:
        meaning = _meaning_of(name)
        if meaning is None or value is None:
            return
        if meaning in _KINDS:
            if (click_id := click_id_of(value)) is not None:
                self.ids[meaning] = click_id
        elif meaning in _UTM:
            if isinstance(value, str) and value.strip():
                self.utm[_UTM[meaning]] = value.strip()[:MAX_UTM_CHARS]
        elif meaning == "clicked_at":
            self.clicked_at = moment_of(value) or self.clicked_at
        elif meaning == "consent":
            self.consent.update(_object(value))
        elif meaning == _BLOB:
            for inner, inner_value in _object(value).items():
                if inner.lower().lstrip("_") != _BLOB:  # a blob in a blob is nobody's
                    self.read(inner, inner_value)
        else:
            self.consent["source" if meaning == "consent_source" else meaning] = value


_EMPTY = _Gathered()  # never written to


def attribution(pairs: Iterable[Pair], landing_page: str | None = None, item_pairs: Iterable[Pair] = ()) -> Attribution:
    """Clicks, consent and UTM words of one order, checkout or cart. Never raises, whatever the values hold."""
    own = _gathered(pairs) if pairs else _EMPTY
    items = _gathered(item_pairs) if item_pairs else _EMPTY
    landing_ids, landing_utm = _query(landing_page)
    clicks: list[Click] = []
    if own.ids:
        _add(clicks, own.ids, ClickCarrier.ATTRIBUTE, own.clicked_at)
    if landing_ids:
        _add(clicks, landing_ids, ClickCarrier.LANDING, None)
    if items.ids:
        _add(clicks, items.ids, ClickCarrier.ATTRIBUTE, items.clicked_at)
    said = own.consent or items.consent
    return Attribution(
        clicks=tuple(clicks),
        consent=consent_from(said, "attribute") if said else None,
        utm=landing_utm | own.utm if own.utm else landing_utm,
    )


def _gathered(pairs: Iterable[Pair]) -> _Gathered:
    gathered = _Gathered()
    for name, value in pairs:
        gathered.read(name, value)
    return gathered


def _add(clicks: list[Click], ids: dict[str, str], carrier: ClickCarrier, clicked_at: datetime | None) -> None:
    """The ids of one place, those that are none and those known from a better place left out."""
    for word, kind in _KINDS.items():
        click_id = ids.get(word)
        if click_id is None or (carrier is ClickCarrier.LANDING and (click_id := click_id_of(click_id)) is None):
            continue
        if not any(known.id == click_id and known.kind is kind for known in clicks):
            clicks.append(Click(kind=kind, id=click_id, carrier=carrier, clicked_at=clicked_at))


def click_id_of(value: Any) -> str | None:
    """The value as a click id: URL-safe characters only, at most MAX_CLICK_ID_CHARS; None for anything else."""
    if not isinstance(value, str):
        return None
    click_id = value.strip()
    return click_id if _CLICK_ID.fullmatch(click_id) else None


def moment_of(value: Any) -> datetime | None:
    """A capture time: ISO 8601 (UTC where no offset is written), or seconds or milliseconds since 1970."""
    try:
        if isinstance(value, str) and not value.strip().isdigit():
            moment = datetime.fromisoformat(value.strip())
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        if isinstance(value, bool):
            return None
        number = float(value)
        return datetime.fromtimestamp(number / 1000 if number >= _EPOCH_MILLISECONDS_FROM else number, UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def _object(value: Any) -> dict[str, Any]:
    """A JSON object given as such or as text; anything else, or one with a NUL (no database keeps it), is an empty one."""
    if isinstance(value, str) and value.lstrip().startswith("{") and "\\u0000" not in value:
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _query(page: str | None) -> tuple[dict[str, str], dict[str, str]]:
    """The click ids and UTM words in the query of a landing page (path or full URL, perhaps truncated); the first of a repeated
    name.

    Percent-decoded once. By hand, since urllib costs as much as decoding the order around it (measured: 19 of 90 us).
    """
    ids: dict[str, str] = {}
    utm: dict[str, str] = {}
    if not page or "?" not in page:
        return ids, utm
    fields = page[:MAX_TEXT_CHARS].partition("?")[2].partition("#")[0].split("&", MAX_QUERY_FIELDS)
    for field in fields[:MAX_QUERY_FIELDS]:
        name, _, value = field.partition("=")
        if name not in _LANDING_NAMES:
            name = name.lower()
        if not value or name not in _LANDING_NAMES:
            continue
        if "%" in value or "+" in value:
            value = unquote_plus(value)
        if name in _KINDS:
            ids.setdefault(name, value)
        elif value:
            utm.setdefault(_UTM[name], value[:MAX_UTM_CHARS])
    return ids, utm
