"""The law of late events, pure: from whatever stands after any batches in any order, comparing comes to what stands in time."""

from decimal import Decimal
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from custom_events.conditions.facts import Facts
from custom_events.matching.compiled_rules import Rule
from custom_events.matching.dedup import dedup_key
from custom_events.matching.match import History, counted, match
from custom_events.matching.threshold import Occurrence, fired
from custom_events.pipeline.comparison import compare
from custom_events.pipeline.matching import Matched
from custom_events.pipeline.rematch.stored import StoredCustomEvent
from custom_events.values.definitions import (
    Dedup,
    DedupPer,
    Threshold,
    ThresholdFires,
    ThresholdMeasure,
    ThresholdPeriod,
    ThresholdScope,
)
from custom_events.values.events import CommerceEvent
from tests.matching.building import SITE, assignment, compiled_rules, paid

RULE = 1


class Known(NamedTuple):
    """An event that arrived."""

    event_id: int
    event: CommerceEvent
    site_id: int = SITE

    @property
    def key(self) -> str:
        return self.event.key


thresholds = st.none() | st.builds(
    Threshold,
    measure=st.sampled_from(ThresholdMeasure),
    at_least=st.sampled_from([Decimal(1), Decimal(2), Decimal(3), Decimal(120)]),
    scope=st.sampled_from(ThresholdScope),
    period=st.sampled_from(ThresholdPeriod),
    window_days=st.sampled_from([1, 3]),
    fires=st.sampled_from(ThresholdFires),
)
dedups = st.builds(Dedup, per=st.sampled_from(DedupPer), window_days=st.sampled_from([1, 4]))
histories = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from(["c:1", "c:2", None]), st.sampled_from(["40.00", "80.00"])),
    min_size=1,
    max_size=7,
).map(
    lambda told: [
        Known(number, paid(str(number), day=day, customer=customer, total=total))
        for number, (day, customer, total) in enumerate(told, start=1)
    ]
)


def history_of(rule: Rule, one: Known, known: list[Known]) -> History:
    """What the pipeline reads for an event: its customer's events, or everybody's for thresholds over the site."""
    everybody = rule.threshold is not None and not rule.counts_per_customer
    those = [other for other in known if everybody or other.event.customer_key == one.event.customer_key]
    found = [counted(rule, other.event, Facts()) for other in those]
    return History(counted={RULE: [occurrence for occurrence in found if occurrence is not None]})


def after(batches: list[list[Known]], threshold: Threshold | None, dedup: Dedup) -> set[tuple[str, str]]:
    """What stands after these batches, each compared with what stood before."""
    rules = compiled_rules(assignment(RULE, threshold=threshold, dedup=dedup))
    (rule,) = rules.sites[SITE].rules
    rows: dict[int, StoredCustomEvent] = {}
    known: list[Known] = []
    for batch in batches:
        known += batch
        matched = [
            Matched(found, one)
            for one in known
            for found in match(one.event, SITE, rules, history=history_of(rule, one, known))
        ]
        found = compare(matched, rows.values(), {one.event_id: {RULE} for one in known})
        for gone in found.withdrawn:
            rows[gone.id] = gone._replace(is_withdrawn=True)
        for kept in found.kept:
            rows[kept.row.id] = stored(kept.row.id, kept.matched)
        for one in found.added:
            rows[len(rows) + 1] = stored(len(rows) + 1, one)
    return {(row.event_key, row.dedup_key) for row in rows.values() if not row.is_withdrawn}


def stored(number: int, one: Matched) -> StoredCustomEvent:
    made = one.match
    return StoredCustomEvent(
        number, made.occurred_at, SITE, RULE, 1, 1, one.site_event.event_id, made.event_key, made.dedup_key, made.order_id,
        made.customer_key, made.value, made.currency, is_withdrawn=False, upload=None,
    )  # fmt: skip


def in_time(history: list[Known], threshold: Threshold | None, dedup: Dedup) -> set[tuple[str, str]]:
    """The same worked out in another way: of those that fire, one by one in the order of time, the first of each key."""
    (rule,) = compiled_rules(assignment(RULE)).sites[SITE].rules
    by_key = {one.key: one for one in history}
    scopes: dict[str | None, list[Occurrence]] = {}
    for one in history:
        occurrence = counted(rule, one.event, Facts())
        assert occurrence is not None
        everybody = threshold is not None and threshold.scope is ThresholdScope.SITE
        if not (threshold is not None and not everybody and occurrence.customer is None):
            scopes.setdefault("" if everybody else occurrence.customer, []).append(occurrence)
    firing = [
        occurrence
        for scope in scopes.values()
        for occurrence in (scope if threshold is None else fired(threshold, scope, Facts().zone))
    ]
    stands: dict[str, str] = {}
    ordered = sorted(firing, key=lambda one: (one.occurred_at, one.key))
    for occurrence in ordered:
        key = dedup_key(dedup, by_key[occurrence.key].event, ordered)
        stands.setdefault(key, occurrence.key)
    return {(event, key) for key, event in stands.items()}


@settings(max_examples=150, deadline=None)
@given(histories, thresholds, dedups, st.data())
def test_any_permutation_and_any_batching_comes_to_what_stands_in_time(
    history: list[Known], threshold: Threshold | None, dedup: Dedup, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(history))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(history)), max_size=4)))
    batches = [shuffled[start:end] for start, end in zip([0, *cuts], [*cuts, len(history)], strict=True)]
    assert after(batches, threshold, dedup) == in_time(history, threshold, dedup)
