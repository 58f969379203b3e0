"""Time zones from one source: the `tzdata` package that our lock pins, whatever the machine and the database server have.

Python's zoneinfo prefers the machine's files, and PostgreSQL has a third copy; after a country changes its clocks the three differ
by an hour for months. So no other module of ours makes a zone, and SQL asks the table that is filled from here
(`postgres/zone_offsets.py`). Decision 0018.
"""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from zoneinfo import ZoneInfo

import msgspec
import tzdata

RELEASE = tzdata.IANA_VERSION  # 2026b is newer than 2026a
EXAMPLE = "Europe/Berlin"
_PLACEHOLDERS = frozenset(("Factory",))  # names of the database for machines whose zone nobody set
# A file names each change of the past; of those to come it may give the rule alone. Rules change clocks twice a year, never twice
# within two weeks.
_STEP = timedelta(days=14)
_MINUTE = timedelta(minutes=1)
_HEADER = struct.Struct(">20x6l")  # RFC 8536, 3.1


class Period(msgspec.Struct, frozen=True):
    """From `starts_at` on (None: since ever) clocks are `utc_offset` ahead of UTC, until the next period."""

    starts_at: datetime | None
    utc_offset: timedelta


@cache
def names() -> frozenset[str]:
    """Every IANA name, exactly as it is written."""
    return frozenset(files(tzdata).joinpath("zones").read_text("ascii").split()) - _PLACEHOLDERS


@cache
def zone(name: str) -> tzinfo:
    """The time zone of an IANA name. Raises KeyError for a name that is none of `names`."""
    if name not in names():
        raise KeyError(name)
    if name == "UTC":
        return UTC
    with _file(name).open("rb") as content:
        return ZoneInfo.from_file(content, key=name)


@lru_cache(maxsize=1_024)
def zone_or_utc(name: str | None) -> tzinfo:
    """The time zone of an IANA name; UTC for none and for a name nobody knows (sites' names are checked where they are written)."""
    return UTC if name is None or name not in names() else zone(name)


def periods(name: str, since: datetime, until: datetime) -> tuple[Period, ...]:
    """The offsets of a zone between two moments, in order; the first one has no beginning. Raises KeyError as `zone` does."""
    if name not in names():
        raise KeyError(name)
    return _periods(_file(name).read_bytes(), since, until)


@lru_cache(maxsize=1_024)  # most names are other names of the same zone
def _periods(content: bytes, since: datetime, until: datetime) -> tuple[Period, ...]:
    there = ZoneInfo.from_file(BytesIO(content))
    before = _offset(there, since)
    result = [Period(None, before)]
    for moment in _changes(content, there, since, until):
        offset = _offset(there, moment)
        if offset != before:
            result.append(Period(moment, offset))
            before = offset
    return tuple(result)


def _changes(content: bytes, there: tzinfo, since: datetime, until: datetime) -> Iterator[datetime]:
    """Moments at which the offset may change: those that the file lists, and after them those of its rule."""
    listed, has_rule = _listed(content)
    yield from (moment for moment in listed if since < moment < until)
    if not has_rule:
        return
    at = max(since, listed[-1]) if listed else since
    offset = _offset(there, at)
    while at < until:
        following = min(at + _STEP, until)
        if (changed := _offset(there, following)) != offset:
            yield _first_of(there, at, following, changed)
        at, offset = following, changed


def _first_of(there: tzinfo, low: datetime, high: datetime, offset: timedelta) -> datetime:
    """The moment after `low` from which the offset is this one, which holds at `high`. Clocks are changed at whole minutes."""
    while high - low > _MINUTE:
        middle = low + (high - low) // 2 // _MINUTE * _MINUTE
        low, high = (low, middle) if _offset(there, middle) == offset else (middle, high)
    return high


def _listed(content: bytes) -> tuple[list[datetime], bool]:
    """The changes that a TZif file lists (of its 64-bit part), and whether it ends with a rule for those to come."""
    utc, standard, leaps, times, types, characters = _HEADER.unpack_from(content)
    block = _HEADER.size + times * 5 + types * 6 + characters + leaps * 8 + standard + utc
    utc, standard, leaps, times, types, characters = _HEADER.unpack_from(content, block)
    begin = block + _HEADER.size
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    seconds = struct.unpack_from(f">{times}q", content, begin)
    rule = content[begin + times * 9 + types * 6 + characters + leaps * 12 + standard + utc :]
    earliest = (datetime.min.replace(tzinfo=UTC) - epoch).total_seconds()
    return [epoch + timedelta(seconds=second) for second in seconds if second > earliest], b"," in rule


def _offset(there: tzinfo, moment: datetime) -> timedelta:
    return moment.astimezone(there).utcoffset() or timedelta(0)


def _file(name: str) -> Traversable:
    return files(tzdata).joinpath("zoneinfo", *name.split("/"))
