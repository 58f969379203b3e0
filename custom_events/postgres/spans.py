"""Which partitions there should be on a day, and what they are called. Pure."""

from collections.abc import Iterator
from datetime import date, timedelta

import msgspec

from custom_events.tables.registry import Partitioning, Span

DAYS_OF_A_WEEK = 7
MONTHS_OF_A_YEAR = 12


class Partition(msgspec.Struct, frozen=True, kw_only=True):
    """One partition as it should be: `begin` inclusive, `end` exclusive, days in UTC."""

    name: str
    begin: date
    end: date


def wanted(kind: Partitioning, today: date, ahead_days: int) -> Iterator[Partition]:
    """The partitions that should be there on `today`, oldest first."""
    begin = span_begin(kind.span, today)
    for _ in range(kind.behind):
        begin = span_begin(kind.span, begin - timedelta(days=1))
    while begin <= today + timedelta(days=ahead_days):
        partition = holding(kind, begin)
        yield partition
        begin = partition.end


def holding(kind: Partitioning, day: date) -> Partition:
    """The partition that holds a day."""
    begin = span_begin(kind.span, day)
    return Partition(name=f"{kind.table.name}_{suffix(kind.span, begin)}", begin=begin, end=span_end(kind.span, begin))


def span_begin(span: Span, day: date) -> date:
    """First day of the span that holds `day`: the Monday of its ISO week, or the first of its month."""
    return day - timedelta(days=day.weekday()) if span is Span.WEEK else day.replace(day=1)


def span_end(span: Span, begin: date) -> date:
    """First day after the span that begins at `begin`."""
    if span is Span.WEEK:
        return begin + timedelta(days=DAYS_OF_A_WEEK)
    return date(begin.year + begin.month // MONTHS_OF_A_YEAR, begin.month % MONTHS_OF_A_YEAR + 1, 1)


def suffix(span: Span, begin: date) -> str:
    """`2026w48` (ISO week and its year) or `2026m11`: sorts by time."""
    if span is Span.WEEK:
        year, week, _ = begin.isocalendar()
        return f"{year}w{week:02}"
    return f"{begin.year}m{begin.month:02}"


def begin_of(suffix_text: str) -> date | None:
    """The inverse of `suffix`; None for DEFAULT and anything that is not ours."""
    year, letter, number = suffix_text[:4], suffix_text[4:5], suffix_text[5:]
    if not (year.isdigit() and number.isdigit()):
        return None
    if letter == "w":
        return date.fromisocalendar(int(year), int(number), 1)
    return date(int(year), int(number), 1) if letter == "m" else None


def expired(kind: Partitioning, names: set[str], cutoff: date) -> Iterator[Partition]:
    """Those of `names` that ended on or before `cutoff`, oldest first."""
    for name in sorted(names):
        begin = begin_of(name.removeprefix(f"{kind.table.name}_"))
        if begin is not None and span_end(kind.span, begin) <= cutoff:
            yield Partition(name=name, begin=begin, end=span_end(kind.span, begin))
