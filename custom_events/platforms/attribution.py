"""Where an order came from: click ids, consent to ads and UTM words, from named values and the landing page.

Precedence of click ids (docs/reference/platforms.md 4): our own attribute or meta, then the landing page's query, then
line item properties (the last resort of express buttons). Within one place: gclid, gbraid, wbraid. All are kept, best first: when
Google refuses one, the next is tried (`ledger/record_answers.py`). Words that are none, and whole cookies: `click_ids.py`.

Names are accepted in any case, with or without a leading underscore and one of PREFIXES: `gclid`, `_gclid`, `ce_gclid`,
`custom_events_gbraid`, `_gads_gclid`; Google's cookies by their own names (`_gcl_aw`, `FPGCLAW`, `_gac_<property>`);
`clicked_at`, `gclid_time`; `consent_ad_user_data`, `ad_storage`; `consent` (an object). One attribute `_custom_events` may hold all of it as JSON: {"gclid", "clicked_at", "consent": {...}}.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from custom_events.platforms.attributes import MAX_NAME_CHARS, Pair
from custom_events.platforms.click_ids import ClickValue, click_value
from custom_events.platforms.consent import consent_from
from custom_events.platforms.parse import MAX_TEXT_CHARS, zone_of
from custom_events.values.clicks import Click, ClickCarrier, ClickKind, Consent
from custom_events.values.times import from_epoch, read_day_or_moment

PREFIXES = ("", "ce_", "custom_events_", "gads_", "google_", "google_ads_")
MAX_CLICKS = 8  # of one order; an honest one has one or two
MAX_UTM_CHARS = 200
MAX_QUERY_FIELDS = 100  # of a landing page

_KINDS = {kind.value: kind for kind in ClickKind}  # best first
_CLICKED_AT = (
    "clicked_at",
    "click_time",
    "click_timestamp",
    "gclid_time",
    "gclid_timestamp",
    "gclid_at",
    "captured_at",
)
_CONSENTS = ("ad_user_data", "ad_personalization", "ad_storage", "marketing")
_BLOB = "custom_events"
_UTM = {f"utm_{word}": word for word in ("source", "medium", "campaign", "content", "term", "id")}
LANDING_NAMES = frozenset((*_KINDS, *_UTM))  # of a landing page's query, in small letters
_AW, _AG, _GB = "gcl_aw", "gcl_ag", "gcl_gb"  # Google's cookies, by the names of the tag's own
_COOKIES = {_AW: _AW, "fpgclaw": _AW, "gcl_aw_p": _AW, _AG: _AG, "fpgclag": _AG, _GB: _GB, "fpgclgb": _GB}
_GAC, _GAC_BRAID = "gac_", "gac_gb_"  # Analytics' cookies: followed by the property's id
# Where an id may stand, best first. A cookie's is perhaps from an earlier visit than what the shop itself captured.
_PLACES = {**_KINDS, _AW: ClickKind.GCLID, _AG: ClickKind.GBRAID, _GB: ClickKind.WBRAID}
_NO_WORDS = frozenset(
    ("(direct)", "(none)", "(not set)", "(not provided)", "undefined", "null", "none", "nan", "[object object]")
)
_EPOCH_MILLISECONDS_FROM = 10**11  # seconds reach this in the year 5138
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # Google sold its first ad that year: what is before is no click's time
_UTC_WORD = re.compile(r" ?(?:UTC|GMT)\Z")  # 2025-11-20 10:00:00 UTC: as Ruby writes it
_MAIL_TIME = re.compile(
    r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(?::\d\d)?(?: (?:[A-Z]{2,4}|[+-]\d{4}))?\Z"
)  # RFC 5322
# In the query of a page whose address was put together wrongly: `?a=1?gclid=x`, `&amp;gclid=x`, `;gclid=x`.
_ASTRAY = re.compile(r"[?&;](?:amp;)?(gclid|gbraid|wbraid)=([^&#;?\s]+)", re.IGNORECASE)
_JAVASCRIPT = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2} \d\d \d{4} \d\d:\d\d:\d\d) GMT([+-]\d{4})")  # Date.toString()

# Full lower-case name without the leading underscore -> what it means.
_MEANING: dict[str, str] = {
    **{prefix + name: name for prefix in PREFIXES for name in (*_KINDS, "consent")},
    **{prefix + name: "clicked_at" for prefix in PREFIXES for name in _CLICKED_AT},
    **{prefix + name: name for prefix in PREFIXES for name in _CONSENTS},
    **{prefix + "consent_" + name: name for prefix in PREFIXES for name in _CONSENTS},
    **{prefix + "consent_source": "consent_source" for prefix in PREFIXES},
    **{prefix + name: name for prefix in (*PREFIXES, "wc_order_attribution_") for name in _UTM},
    **{prefix + name: cookie for prefix in PREFIXES for name, cookie in _COOKIES.items()},
    _BLOB: _BLOB,
}
del _MEANING["marketing"]  # a bare `marketing` beside an order is anything


@lru_cache(maxsize=4_096)  # the same few names in every order of a shop
def _meaning_of(name: str) -> str | None:
    if len(name) > MAX_NAME_CHARS:
        return None
    word = name.lower().lstrip("_")
    if word.startswith(_GAC):
        return _GB if word.startswith(_GAC_BRAID) else _AW
    return _MEANING.get(word)


class Attribution(msgspec.Struct, frozen=True, gc=False):
    """What is known of an order's origin. `clicks` best first."""

    clicks: tuple[Click, ...] = ()
    consent: Consent | None = None
    utm: dict[str, str] = {}


NOTHING = Attribution()


class _NamedValues:
    """What the named values of one place said, while they are read."""

    def __init__(self, time_zone: str = "UTC") -> None:
        self.ids: dict[str, list[ClickValue]] = {}  # by the kind's word: an enum's hash is Python code
        self.time_zone = time_zone
        self.clicked_at: datetime | None = None
        self.consent: dict[str, Any] = {}
        self.utm: dict[str, str] = {}

    def read(self, name: str, value: Any) -> None:
        meaning = _meaning_of(name)
        if meaning is None or value is None:
            return
        if meaning in _PLACES:
            values = reversed(value) if type(value) is list else (value,)
            for part in values:  # of a repeated name the last counts first
                if (click := click_value(part)) is not None:
                    self.ids[meaning] = [click, *self.ids.get(meaning, ())]
        elif meaning in _UTM:
            if isinstance(value, str) and (word := _utm_word(value)):
                self.utm[_UTM[meaning]] = word
        elif meaning == "clicked_at":
            self.clicked_at = moment_of(value, self.time_zone) or self.clicked_at
        elif meaning == "consent":
            self.consent.update(_object(value))
        elif meaning == _BLOB:
            for inner, inner_value in _object(value).items():
                if inner.lower().lstrip("_") != _BLOB:  # a blob in a blob is nobody's
                    self.read(inner, inner_value)
        else:
            self.consent["source" if meaning == "consent_source" else meaning] = value


_EMPTY = _NamedValues()  # never written to


def attribution(
    pairs: Iterable[Pair],
    landing_page: str | None = None,
    item_pairs: Iterable[Pair] = (),
    time_zone: str = "UTC",
) -> Attribution:
    """Clicks, consent and UTM words of one order, checkout or cart. Never raises, whatever the values hold. `time_zone`: the site's,
    in which a capture time without offset is."""
    own = _values_of(pairs, time_zone) if pairs else _EMPTY
    items = _values_of(item_pairs, time_zone) if item_pairs else _EMPTY
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
        clicks=tuple(clicks[:MAX_CLICKS]),
        consent=consent_from(said, "attribute") if said else None,
        utm=landing_utm | own.utm if own.utm else landing_utm,
    )


def _values_of(pairs: Iterable[Pair], time_zone: str) -> _NamedValues:
    values = _NamedValues(time_zone)
    for name, value in pairs:
        values.read(name, value)
    return values


def _add(
    clicks: list[Click], ids: dict[str, list[ClickValue]], carrier: ClickCarrier, clicked_at: datetime | None
) -> None:
    """The ids of one place, those known from a better place left out, but for the time where that one does not say it. A cookie's own
    time is its click's."""
    for word in ids if len(ids) == 1 else [word for word in _PLACES if word in ids]:
        kind = _PLACES[word]
        for click in ids[word]:
            moment = click.clicked_at or clicked_at
            place = _place_of(clicks, kind, click.id) if clicks else None
            if place is None:
                clicks.append(Click(kind=kind, id=click.id, carrier=carrier, clicked_at=moment))
            elif moment is not None and clicks[place].clicked_at is None:
                clicks[place] = msgspec.structs.replace(clicks[place], clicked_at=moment)


def _place_of(clicks: list[Click], kind: ClickKind, number: str) -> int | None:
    return next((place for place, click in enumerate(clicks) if click.id == number and click.kind is kind), None)


def moment_of(value: Any, time_zone: str = "UTC") -> datetime | None:
    """A capture time: ISO 8601 (in the site's zone where no offset is written), what JavaScript's Date writes, or seconds or
    milliseconds since 1970. None for anything else, and for what no click can have: a time before 2000."""
    try:
        moment = _written(value.strip(), time_zone) if isinstance(value, str) else _counted(value)
    except (ValueError, TypeError, ArithmeticError, OSError):
        return None
    return moment if moment >= _EARLIEST else None


def _written(text: str, time_zone: str) -> datetime:
    if text.replace(".", "", 1).isdigit():
        return _counted(text)
    moment = read_day_or_moment(_UTC_WORD.sub("Z", text) if text[:1].isdigit() else text, zone_of(time_zone))
    if moment is None:
        script = _JAVASCRIPT.match(text)
        if script is not None:
            return datetime.strptime(" ".join(script.groups()), "%b %d %Y %H:%M:%S %z").astimezone(UTC)
        if _MAIL_TIME.match(text) is None:
            raise ValueError  # the reader below would take 3:30 pm for half past three in the night
        moment = parsedate_to_datetime(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone_of(time_zone))
    return moment.astimezone(UTC)


def _counted(value: Any) -> datetime:
    if isinstance(value, bool):
        raise TypeError
    number = float(value)
    return from_epoch(number / 1000 if number >= _EPOCH_MILLISECONDS_FROM else number)


def _utm_word(value: str) -> str | None:
    """The word, or None for what stands for none ("(direct)")."""
    word = value.strip()
    return None if not word or word.lower() in _NO_WORDS else word[:MAX_UTM_CHARS]


def _object(value: Any) -> dict[str, Any]:
    """A JSON object given as such or as text; anything else, or one with a NUL (no database keeps it), is an empty one."""
    if isinstance(value, str) and value.lstrip().startswith("{") and "\\u0000" not in value:
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _query(page: str | None) -> tuple[dict[str, list[ClickValue]], dict[str, str]]:
    """The click ids and UTM words in the query of a landing page (path or full URL, perhaps truncated); the first of a repeated
    name first.

    Percent-decoded once. By hand, since urllib costs as much as decoding the order around it (measured: 19 of 90 us).
    """
    ids: dict[str, list[ClickValue]] = {}
    utm: dict[str, str] = {}
    if not page or "?" not in page:
        return ids, utm
    fields = page[:MAX_TEXT_CHARS].partition("?")[2].partition("#")[0].split("&", MAX_QUERY_FIELDS)
    for field in fields[:MAX_QUERY_FIELDS]:
        name, _, value = field.partition("=")
        if name not in LANDING_NAMES:
            name = name.lower()
        if not value or name not in LANDING_NAMES:
            continue
        if "%" in value or "+" in value:
            value = unquote_plus(value)
        if name in _KINDS:
            if (click := click_value(value)) is not None:
                ids[name] = [*ids.get(name, ()), click]
        elif word := _utm_word(value):
            utm.setdefault(_UTM[name], word)
    if not ids and ("id=" in page or "ID=" in page):
        for name, value in _ASTRAY.findall(page[:MAX_TEXT_CHARS]):
            if (click := click_value(value)) is not None:
                ids[name.lower()] = [*ids.get(name.lower(), ()), click]
    return ids, utm
