"""What it changes when a counted threshold's history has: the events whose verdict differs, and no others.

The history before is the one that is counted now, without what came and with what went. Both are walked along by the same code
(`matching.threshold`), day by day (`matching.day_totals`): only days on which a verdict may differ are read.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, tzinfo
from typing import NamedTuple

from custom_events.matching.compiled_rules import CompiledRules
from custom_events.matching.day_totals import DayKey, DayPlace, has_days, places, to_read, without
from custom_events.matching.threshold import Occurrence, affected_until, fired, look_back, midnight
from custom_events.pipeline import counted_history, counters
from custom_events.pipeline.bulk_rows import Connection
from custom_events.pipeline.counted_history import Stretch, day_of, span_of, zone_of
from custom_events.pipeline.counters import Counter, Shift
from custom_events.queries import counting as sql
from custom_events.values.definitions import Threshold, ThresholdMeasure


class Shifted(NamedTuple):
    """Natural keys of events that fire now and did not, or the other way round; and their customers, where windows of deduplication begin
    with what fires: each begins where the one before it ended, so those that follow move."""

    events: list[str]
    customers: list[str]


async def shifted(connection: Connection, compiled_rules: CompiledRules, shift: Shift) -> Shifted:
    """What a shift makes of the rule's verdicts."""
    rule = shift.counting.rule
    counter = (await counters.find(connection, compiled_rules, [shift.counting])).get(shift.counting.place)
    if rule.threshold is None or counter is None:
        return Shifted([], [])
    if shift.is_new or rule.has_window:
        return await _beside_what_stands(connection, compiled_rules, shift)
    zone = zone_of(compiled_rules, shift.counting.site_id)
    if has_days(rule.threshold):
        return Shifted(sorted(await _by_days(connection, counter, shift, rule.threshold, zone)), [])
    since = look_back(rule.threshold, shift.since, zone)
    until = affected_until(rule.threshold, shift.last, zone)
    now = [
        occurrence
        for _, occurrence in await counted_history.read_one_by_one(connection, [(0, counter.id, since, until)])
    ]
    return Shifted(sorted(_different(rule.threshold, _before(now, shift), now, zone)), [])


async def _beside_what_stands(connection: Connection, compiled_rules: CompiledRules, shift: Shift) -> Shifted:
    """The same where nobody knows what was counted before: events that fire now and have no custom event of the rule, or the other
    way round."""
    site_id, rule, _ = shift.counting
    if rule.threshold is None:
        return Shifted([], [])
    zone = zone_of(compiled_rules, site_id)
    until = affected_until(rule.threshold, shift.last, zone)  # the last one may lie in a later period than the first
    last = until or datetime.max.replace(tzinfo=UTC)
    occurrences = await counted_history.all_of(connection, compiled_rules, Stretch(site_id, rule, shift.since, last))
    now = {
        occurrence.key: occurrence.customer
        for occurrence in fired(rule.threshold, occurrences, zone)
        if shift.since <= occurrence.occurred_at <= last and occurrence.key
    }
    rows = await connection.fetch(sql.STANDING_OF_ASSIGNMENT, rule.id, shift.since, until)
    before: dict[str, str | None] = {row[0]: row[1] for row in rows}
    different = now.keys() ^ before.keys()
    customers = {now.get(key) or before.get(key) for key in different} if rule.has_window else set[str | None]()
    return Shifted(sorted(different), sorted(customer for customer in customers if customer is not None))


async def _by_days(
    connection: Connection, counter: Counter, shift: Shift, threshold: Threshold, zone: tzinfo
) -> set[str]:
    """The events whose verdict differs, of calendar periods and lifetimes."""
    since, until = look_back(threshold, shift.since, zone), affected_until(threshold, shift.last, zone)
    first, end = (None if moment is None else moment.astimezone(zone).date() for moment in (since, until))
    now = (await counted_history.read_days(connection, [(0, counter.id, first, end)]))[0]
    come, gone = (
        [(day_of(occurrence, zone), occurrence) for occurrence in those] for those in (shift.come, shift.gone)
    )
    before = without(now, come, gone)
    days = sorted(to_read(threshold, before, now))
    if not days:
        return set()
    spans = [(place, counter.id, *span_of(day, zone)) for place, day in enumerate(days)]
    by_day: dict[date, list[Occurrence]] = {day: [] for day in days}
    for place, occurrence in await counted_history.read_one_by_one(connection, spans):
        by_day[days[place]].append(occurrence)
    then_places, now_places = places(threshold, before), places(threshold, now)
    different: set[str] = set()
    for day, occurrences in by_day.items():
        earlier = _before(occurrences, shift, day, zone)
        then_fired = _fired_on(threshold, day, then_places, earlier, zone)
        different |= then_fired ^ _fired_on(threshold, day, now_places, occurrences, zone)
    return different


def _fired_on(
    threshold: Threshold, day: date, known: dict[DayKey, DayPlace], occurrences: Sequence[Occurrence], zone: tzinfo
) -> set[str]:
    """Keys of a day's occurrences that fire, after what its period held before that day."""
    here = [(currency, place) for (at, currency), place in known.items() if at == day]
    if threshold.measure is ThresholdMeasure.COUNT:
        here = here[:1]  # all currencies are one series
    earlier = [
        Occurrence(
            occurred_at=midnight(day, zone) - counted_history.TICK,
            key="",
            amount=place.before,
            currency=currency,
            events=place.events,
        )
        for currency, place in here
        if place.events
    ]
    return {occurrence.key for occurrence in fired(threshold, [*earlier, *occurrences], zone) if occurrence.key}


def _different(threshold: Threshold, before: Iterable[Occurrence], now: Iterable[Occurrence], zone: tzinfo) -> set[str]:
    fired_before, fired_now = (
        {occurrence.key for occurrence in fired(threshold, those, zone)} for those in (before, now)
    )
    return fired_before ^ fired_now


def _before(
    occurrences: Iterable[Occurrence], shift: Shift, day: date | None = None, zone: tzinfo = UTC
) -> list[Occurrence]:
    """What there was before the shift, of all times or of one day."""
    come = {occurrence.key for occurrence in shift.come}
    gone = [occurrence for occurrence in shift.gone if day is None or day_of(occurrence, zone)[0] == day]
    return [*(occurrence for occurrence in occurrences if occurrence.key not in come), *gone]
