"""Matching: events per second over many sites and over few sites with many assignments, beside three rule libraries.

    python -m benchmarks.matching [--quick]

Everything is in memory: no database, no decoding. `conditions_*` compares like with like: the same conditions judged one by one, the
peers over plain dicts made before the clock. `whole_match_*` is `match_batch`, which also settles groups and works out value,
deduplication key, consent and click of each match, against the peers' bare verdicts; `whole_match_with_thresholds` settles one
threshold of five assignments as well, each over its customer's orders of before. Rounds are interleaved, medians count; in every
round the peers must give our verdicts.
"""

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.matching_world import Asked, Peer, Tree, World, earlier, paid_orders, peers, plain, world
from custom_events.conditions.compile import compile_condition
from custom_events.matching.compiled_rules import CompiledRules
from custom_events.matching.explain import explain, to_json
from custom_events.matching.match import NO_HISTORY, History, Item, match_batch

TARGETS = {
    "conditions_of_fastest_peer_many_sites": 10.0,
    "conditions_of_fastest_peer_few_sites": 10.0,
    "whole_match_of_fastest_peer_many_sites": 10.0,
    "whole_match_of_fastest_peer_few_sites": 10.0,
    "whole_match_with_thresholds_of_fastest_peer": 10.0,
    "explain_in_memory_ms": 20.0,
}  # issue 3, "Speed"
EVENTS, QUICK_EVENTS, ROUNDS = 50_000, 2_000, 3
# A peer's rate does not depend on how many events there are; so many keep it at a few seconds.
PEER_EVENTS = {"json_logic": 5_000, "rule_engine": 500, "cel_python": 20}
FEW_SITES_SHARE = 10  # 50 assignments instead of 5: a tenth of the events
EXPLAINED = 200
RESULT = Path(".local/bench/matching.json")


def run(quick: bool = False) -> dict[str, Any]:
    """Measure and write RESULT; its content. `quick`: one small round, only to see that everything works."""
    events, rounds = (QUICK_EVENTS, 1) if quick else (EVENTS, ROUNDS)
    orders = paid_orders(events)
    many = world("many_sites", orders, sites=1_000, per_site=5, distinct=1_500)
    few = world("few_sites", orders, sites=3, per_site=50, distinct=60)
    counting = world("many_sites_with_thresholds", orders, sites=1_000, per_site=5, distinct=1_500, thresholds=True)
    worlds = [many, few, counting, world("ten_times_the_assignments", orders, sites=1_000, per_site=50, distinct=1_500)]
    measured: dict[str, list[float]] = {}
    for _ in range(rounds):
        for tested in worlds:
            measured.setdefault(tested.name, []).append(_ours(tested))
        for tested in (many, few):
            measured.setdefault(f"{tested.name}, conditions alone", []).append(_conditions_alone(tested))
        for tested, share in ((many, 1), (few, FEW_SITES_SHARE)):
            for peer in peers():
                count = max(PEER_EVENTS[peer.name] // share // (5 if quick else 1), 2)
                measured.setdefault(f"{tested.name}/{peer.name}", []).append(_theirs(tested, peer, count))
    result = summary(measured, _explain_ms(few), _compile_seconds(many), events)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return result


def summary(measured: dict[str, list[float]], explain_ms: float, compile_s: float, events: int) -> dict[str, Any]:
    """Medians, and ratios of runs that stood side by side."""

    def ratio(ours: str, theirs: str) -> float:
        return round(statistics.median(a / b for a, b in zip(measured[ours], measured[theirs], strict=True)), 1)

    def of_fastest(name: str, ours: str | None = None) -> float:
        return min(ratio(ours or name, other) for other in measured if other.startswith(f"{name}/"))

    ratios = {
        "conditions_of_fastest_peer_many_sites": of_fastest("many_sites", "many_sites, conditions alone"),
        "conditions_of_fastest_peer_few_sites": of_fastest("few_sites", "few_sites, conditions alone"),
        "whole_match_of_fastest_peer_many_sites": of_fastest("many_sites"),
        "whole_match_of_fastest_peer_few_sites": of_fastest("few_sites"),
        "whole_match_with_thresholds_of_fastest_peer": of_fastest("many_sites", "many_sites_with_thresholds"),
        "with_thresholds_of_without": ratio("many_sites_with_thresholds", "many_sites"),
        "cost_of_ten_times_the_assignments": ratio("many_sites", "ten_times_the_assignments"),
        "explain_in_memory_ms": round(explain_ms, 2),
    }
    rows = [{"what": name, "events_per_second": round(statistics.median(rates))} for name, rates in measured.items()]
    return {
        "events": events,
        "rows": rows,
        "compile_seconds": round(compile_s, 2),
        "ratios": ratios,
        "targets": TARGETS,
        "reached": {
            name: ratios[name] <= goal if name == "explain_in_memory_ms" else ratios[name] >= goal
            for name, goal in TARGETS.items()
        },
    }


def _ours(world: World) -> float:
    """Events per second of the whole match."""
    compiled_rules = CompiledRules(world.assignments)
    thresholds = {rule.id: site for site in compiled_rules.sites.values() for rule in site.rules if rule.needs_history}
    counted = {
        site.site_id: [rule_id for rule_id, owner in thresholds.items() if owner is site]
        for site in set(thresholds.values())
    }
    items = [Item(event, site, None, _history(counted.get(site, []), event)) for event, site in world.events]
    return len(items) / _clocked(lambda: match_batch(items, compiled_rules))


def _conditions_alone(world: World) -> float:
    """Events per second of judging the conditions, as the peers do."""
    compiled_rules = CompiledRules(world.assignments)

    def judge() -> None:
        for event, number in world.events:
            site = compiled_rules.sites[number]
            for holds, _, _ in site.buckets[event.type]:
                holds(event, site.facts)

    return len(world.events) / _clocked(judge)


def _history(rules: list[int], event: Any) -> History:
    return History(counted=dict.fromkeys(rules, earlier(event))) if rules else NO_HISTORY


def _theirs(world: World, peer: Peer, count: int) -> float:
    """Events per second of a peer judging the conditions of the same events, and the check that it agrees."""
    compiled: dict[str, Asked] = {}
    by_site: dict[int, list[tuple[Asked, Tree]]] = {}
    events = world.events[:count]
    sites = {site for _, site in events}
    for assignment in world.assignments:
        tree = assignment.config.conditions
        if assignment.site_id in sites and tree is not None:
            key = json.dumps(tree)
            if key not in compiled:
                compiled[key] = peer.compile(tree)
            by_site.setdefault(assignment.site_id, []).append((compiled[key], tree))
    prepared = [(peer.convert(plain(event)), by_site[site]) for event, site in events]
    verdicts: list[bool] = []

    def judge() -> None:
        verdicts.extend(bool(asked(facts)) for facts, rules in prepared for asked, _ in rules)

    seconds = _clocked(judge)
    if verdicts != list(_verdicts(world, count, by_site)):
        raise AssertionError(f"{peer.name} judges otherwise than we do")
    return count / seconds


def _verdicts(world: World, count: int, by_site: dict[int, list[tuple[Asked, Tree]]]) -> Iterator[bool]:
    from custom_events.conditions.facts import NO_FACTS

    for event, site in world.events[:count]:
        for _, tree in by_site[site]:
            yield compile_condition(tree).holds(event, NO_FACTS)


def _explain_ms(world: World) -> float:
    """Median milliseconds to explain one event against one assignment, with the JSON."""
    compiled_rules = CompiledRules(world.assignments)
    taken: list[float] = []
    for (event, _), assignment in zip(world.events[:EXPLAINED], world.assignments * EXPLAINED, strict=False):
        taken.append(
            _clocked(
                lambda event=event, assignment=assignment: to_json(
                    explain(event, assignment, compiled_rules=compiled_rules)
                )
            )
        )
    return statistics.median(taken) * 1_000


def _compile_seconds(world: World) -> float:
    from custom_events.conditions.compile import clear

    clear()
    return _clocked(lambda: CompiledRules(world.assignments))


def _clocked(work: Callable[[], object]) -> float:
    """CPU seconds: everything here is one thread, and other work on the machine does not count. The collector does not run inside."""
    gc.collect()
    gc.disable()
    try:
        start = time.process_time()
        work()
        return time.process_time() - start
    finally:
        gc.enable()


def main() -> None:
    """Print the table."""
    result = run(quick="--quick" in sys.argv)
    width = max(len(row["what"]) for row in result["rows"])
    for row in result["rows"]:
        print(f"{row['what']:<{width}}  {row['events_per_second']:>10,} events/s")
    print(f"compiling 5,000 assignments: {result['compile_seconds']} s")
    for name, value in result["ratios"].items():
        goal = TARGETS.get(name)
        print(
            f"{name}: {value}"
            + (f"  (goal {goal}: {'reached' if result['reached'][name] else 'missed'})" if goal else "")
        )


if __name__ == "__main__":
    main()
