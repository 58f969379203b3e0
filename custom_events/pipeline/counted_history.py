"""What thresholds have counted, read back: the days, and the few events at the edges of what is asked about."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final, NamedTuple

from custom_events.matching.compiled_rules import CompiledRules, Rule
from custom_events.matching.day_totals import DayKey, DayPlace, DayTotal, has_days, places
from custom_events.matching.threshold import Occurrence, look_back, midnight
from custom_events.pipeline import counters
from custom_events.pipeline.bulk_rows import Connection, columns_of
from custom_events.pipeline.counters import Counter, Counting
from custom_events.queries import counting as sql
from custom_events.values.definitions import ThresholdPeriod

TICK = timedelta(microseconds=1)  # Postgres's
_DAY: Final = timedelta(days=1)

Span = tuple[datetime | None, datetime]


class Stretch(NamedTuple):
    """What a rule is asked about: the events of a batch between these moments, of one customer or (empty) of the whole site."""

    site_id: int
    rule: Rule
    first: datetime
    last: datetime
    customer: str = counters.WHOLE_SITE

    @property
    def counting(self) -> Counting:
        """Whose counter it asks."""
        return Counting(self.site_id, self.rule, self.customer)


class CountedHistory(NamedTuple):
    """What counts, oldest first or not, some of it as whole days; and of the days that decide for all of their events, what they say."""

    occurrences: list[Occurrence]
    decided: Mapping[DayKey, bool] = {}


async def histories(
    connection: Connection,
    compiled_rules: CompiledRules,
    stretches: Sequence[Stretch],
    known: counters.Counters | None = None,
) -> dict[counters.Place, CountedHistory]:
    """What each rule's threshold has to count, by assignment and customer: events at the edges one by one, and those between together.
    Rules without a counter are left out. `known`: the counters of customers, where they were looked up already."""
    by_place = await counters.find(connection, compiled_rules, [stretch.counting for stretch in stretches], known)
    counted = [
        (stretch, by_place[stretch.counting.place]) for stretch in stretches if stretch.counting.place in by_place
    ]
    counted = [(stretch, counter) for stretch, counter in counted if not counter.is_stale]
    by_day = [pair for pair in counted if _is_wide(pair[0], zone_of(compiled_rules, pair[0].site_id))]
    result = await _by_days(connection, compiled_rules, by_day)
    one_by_one: list[tuple[Any, ...]] = []
    together: list[tuple[Any, ...]] = []
    ends: dict[int, datetime] = {}
    narrow = [pair for pair in counted if pair[0].counting.place not in result]
    for place, (stretch, counter) in enumerate(narrow):
        zone = zone_of(compiled_rules, stretch.site_id)
        spans, between = _parts(stretch, zone)
        one_by_one += [(place, counter.id, *span) for span in spans]
        if between is not None:
            together.append((place, counter.id, *_days(*between, zone)))
            ends[place] = between[1] - TICK
        result[stretch.counting.place] = CountedHistory([])
    if together:
        for place, currency, number, amount in await connection.fetch(sql.TOGETHER, *columns_of(together)):
            whole = Occurrence(occurred_at=ends[place], key="", amount=amount, currency=currency or None, events=number)
            result[narrow[place][0].counting.place].occurrences.append(whole)
    for place, occurrence in await read_one_by_one(connection, one_by_one):
        result[narrow[place][0].counting.place].occurrences.append(occurrence)
    return result


async def all_of(connection: Connection, compiled_rules: CompiledRules, stretch: Stretch) -> list[Occurrence]:
    """What a stretch has to count, each event of its own; empty without a counter."""
    counter = (await counters.find(connection, compiled_rules, [stretch.counting])).get(stretch.counting.place)
    if counter is None or stretch.rule.threshold is None:
        return []
    since = None
    if not stretch.rule.has_window:  # windows of deduplication are a chain from the very first event
        since = look_back(stretch.rule.threshold, stretch.first, zone_of(compiled_rules, stretch.site_id))
    rows = await read_one_by_one(connection, [(0, counter.id, since, stretch.last)])
    return [occurrence for _, occurrence in rows]


async def read_one_by_one(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> list[tuple[int, Occurrence]]:
    """Counted events of spans; `rows`: place, counter, and both ends (included; None: no end)."""
    if not rows:
        return []
    return [
        (place, Occurrence(occurred_at=at, key=key, amount=amount, currency=currency or None, customer=customer))
        for place, at, key, amount, currency, customer in await connection.fetch(sql.ONE_BY_ONE, *columns_of(rows))
    ]


async def read_days(
    connection: Connection, rows: Sequence[tuple[int, int, date | None, date | None]]
) -> dict[int, dict[DayKey, DayTotal]]:
    """The days of counters, by place; `rows`: place, counter, first day and end (left out; None: no end)."""
    totals: dict[int, dict[DayKey, DayTotal]] = {row[0]: {} for row in rows}
    for place, day, currency, *total in await connection.fetch(sql.DAYS, *columns_of(rows)):
        totals[place][day, currency or None] = DayTotal(*total)
    return totals


def day_of(occurrence: Occurrence, zone: tzinfo) -> DayKey:
    """The day that an occurrence counts on, and its currency."""
    return occurrence.occurred_at.astimezone(zone).date(), occurrence.currency


def first_day(stretch: Stretch, zone: tzinfo) -> date | None:
    """The local day on which what matters to the stretch begins; None: the very first."""
    threshold = stretch.rule.threshold
    since = None if threshold is None else look_back(threshold, stretch.first, zone)
    return None if since is None else since.astimezone(zone).date()


def span_of(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """A local day from its first moment to its last."""
    return midnight(day, zone), midnight(day + _DAY, zone) - TICK


def zone_of(compiled_rules: CompiledRules, site_id: int) -> tzinfo:
    """The site's time zone."""
    return compiled_rules.sites[site_id].facts.zone


def whole_day(day: date, currency: str | None, total: DayTotal, zone: tzinfo) -> Occurrence:
    """A day's events as one occurrence at its last moment."""
    at = span_of(day, zone)[1]
    return Occurrence(occurred_at=at, key="", amount=total.amount, currency=currency, events=total.events)


def _is_wide(stretch: Stretch, zone: tzinfo) -> bool:
    """Whether several days are asked about, whose sums may decide."""
    rule = stretch.rule
    if rule.threshold is None or rule.has_window or not has_days(rule.threshold):
        return False
    return stretch.first.astimezone(zone).date() != stretch.last.astimezone(zone).date()


async def _by_days(
    connection: Connection, compiled_rules: CompiledRules, counted: Sequence[tuple[Stretch, Counter]]
) -> dict[counters.Place, CountedHistory]:
    """Whole days, and one by one the events of those that their sums do not decide."""
    if not counted:
        return {}
    zones = [zone_of(compiled_rules, stretch.site_id) for stretch, _ in counted]
    ends = [stretch.last.astimezone(zone).date() + _DAY for (stretch, _), zone in zip(counted, zones, strict=True)]
    rows = [
        (place, counter.id, first_day(stretch, zones[place]), ends[place])
        for place, (stretch, counter) in enumerate(counted)
    ]
    result: dict[counters.Place, CountedHistory] = {}
    spans: list[tuple[Any, ...]] = []
    for place, totals in (await read_days(connection, rows)).items():
        stretch, counter = counted[place]
        zone = zones[place]
        begin = stretch.first.astimezone(zone).date()
        known = (
            places(stretch.rule.threshold, totals) if stretch.rule.threshold is not None else dict[DayKey, DayPlace]()
        )
        open_days = {day for (day, _), day_place in known.items() if day >= begin and day_place.verdict is None}
        spans += [(place, counter.id, *span_of(day, zone)) for day in sorted(open_days)]
        day_occurrences = [whole_day(*key, total, zone) for key, total in totals.items() if key[0] not in open_days]
        decided = {
            key: day_place.verdict
            for key, day_place in known.items()
            if key[0] not in open_days and day_place.verdict is not None
        }
        result[stretch.counting.place] = CountedHistory(day_occurrences, decided)
    for place, occurrence in await read_one_by_one(connection, spans):
        result[counted[place][0].counting.place].occurrences.append(occurrence)
    return result


def _parts(
    stretch: Stretch, zone: tzinfo
) -> tuple[list[tuple[datetime | None, datetime]], tuple[datetime | None, datetime] | None]:
    """Spans whose events matter one by one (both ends included), and the one between whose events do together (end left out):
    no window of the events asked about begins within it."""
    threshold = stretch.rule.threshold
    if threshold is None or stretch.rule.has_window:  # windows of deduplication are a chain from the very first event
        return [(None, stretch.last)], None
    since = look_back(threshold, stretch.first, zone)
    if threshold.period is ThresholdPeriod.ROLLING and threshold.window_days and since is not None:
        edge = stretch.last - timedelta(days=threshold.window_days)
        if edge >= stretch.first - TICK:
            return [(since, stretch.last)], None
        return [(since, edge), (stretch.first, stretch.last)], (edge + TICK, stretch.first)
    return [(stretch.first, stretch.last)], (since, stretch.first)


def _days(since: datetime | None, until: datetime, zone: tzinfo) -> tuple[Any, ...]:
    """A span (end left out) as whole days, and what is left at its beginning and its end."""
    end_day = until.astimezone(zone).date()
    if since is None:
        return None, end_day, until, until, midnight(end_day, zone), until
    first_day: date = since.astimezone(zone).date()
    if midnight(first_day, zone) != since:
        first_day += timedelta(days=1)
    if first_day > end_day:
        return end_day, end_day, since, until, until, until
    return first_day, end_day, since, midnight(first_day, zone), midnight(end_day, zone), until
