"""Times and dates as text, by one rule everywhere: ISO 8601 as RFC 3339 narrows it, digits beyond microseconds are cut.

Python and PostgreSQL keep microseconds. What is written finer (Shopify's trigger times have nanoseconds) is cut, never rounded: a
moment stays in the second and on the day in which it was. msgspec rounds, so texts and bodies that it reads are cut before.

`datetime.fromisoformat` alone would also take week dates (2026-W05 as a Monday), ordinal dates and 20260105: nobody who writes a
rule means those, and one digit too few makes another date.
"""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal

FIRST_YEAR, LAST_YEAR = 1970, 9998  # of moments that are asked about: whatever is added to one, it stays a moment

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_MICROSECOND_CHARS = len("2026-11-01T08:30:00.123456")
_SECOND_CHARS = len("2026-11-01T08:30:00")
_DIGITS = "0123456789"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS = 1_000_000
_FINER = re.compile(rb"\.[0-9]{7}")  # cheap to look for: bodies have few points
_FINE_TIME = re.compile(rb"([0-9][Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6})[0-9]+")


def read_day(text: str) -> date | None:
    """A day written YYYY-MM-DD; None for anything else, also for a day that no month has."""
    if _DAY.match(text) is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def read_moment(text: str) -> datetime | None:
    """A time written YYYY-MM-DDThh:mm[:ss[.digits]][offset], a blank in place of the T allowed; without an offset it is naive. None for
    anything else. Digits beyond microseconds are cut."""
    if text[4:5] != "-" or text[7:8] != "-" or text[10:11] not in ("T", " ", "t") or text[13:14] != ":":
        return None
    try:
        return datetime.fromisoformat(text)  # it cuts
    except ValueError:
        return None


def read_day_or_moment(text: str, zone: tzinfo = UTC) -> datetime | None:
    """Either of them as an aware time: a day is its beginning; what names no offset is in `zone`. None for anything else."""
    day = read_day(text)
    moment = read_moment(text) if day is None else datetime(day.year, day.month, day.day, tzinfo=zone)
    return moment if moment is None or moment.tzinfo is not None else moment.replace(tzinfo=zone)


def as_utc(moment: datetime) -> datetime:
    """The moment in UTC; one that names no offset is in UTC already."""
    return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def from_epoch(seconds: float) -> datetime:
    """Seconds since 1970 as UTC. Raises ValueError or OverflowError for what is no time."""
    if isinstance(seconds, int):
        return _EPOCH + timedelta(seconds=seconds)
    return _EPOCH + timedelta(microseconds=int(Decimal(repr(seconds)) * _MICROSECONDS))


def cut(text: str) -> str:
    """An RFC 3339 text without what is finer than a microsecond, for readers that would round it."""
    fine = text[_MICROSECOND_CHARS:]
    if not fine or text[_SECOND_CHARS] != "." or not text[_SECOND_CHARS + 1 : _MICROSECOND_CHARS].isdecimal():
        return text
    return text[:_MICROSECOND_CHARS] + fine.lstrip(_DIGITS)


def cut_in(body: bytes) -> bytes:
    """The same for every time in a JSON body."""
    return _FINE_TIME.sub(rb"\1", body) if _FINER.search(body) is not None else body
