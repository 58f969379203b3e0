"""The law: what the product makes of any history is what docs/reference/rules.md says, which the oracle works out by itself."""

import ast
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from pprint import pformat
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custom_events.matching.compiled_rules import CompiledRules, Rule
from custom_events.matching.match import History, Match, counted, match
from custom_events.matching.threshold import Occurrence
from custom_events.matching.value import compile_rule, value_now
from custom_events.pipeline.comparison import compare
from custom_events.pipeline.conversion import transaction_id
from custom_events.pipeline.matching import Matched
from custom_events.pipeline.rematch.stored import StoredCustomEvent
from custom_events.values.definitions import ValueRule
from custom_events.values.events import CommerceEvent, Refund
from tests.matching.building import paid
from tests.oracle import histories as make
from tests.oracle import oracle
from tests.oracle.reading import Event, World
from tests.oracle.reading import Rule as PlainRule
from tests.oracle.sending import sending, transaction_of
from tests.oracle.worth import value_of, worth_after

SITE = 1
ORACLE = ("oracle", "reading", "worth", "sending")


@pytest.mark.parametrize("part", ORACLE)
def test_the_oracle_imports_nothing_of_ours(part: str) -> None:
    """Else it would agree with our mistakes."""
    tree = ast.parse(Path(__file__).with_name(f"{part}.py").read_text(encoding="utf-8"))
    named = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    named |= {one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names}
    assert named
    assert {
        one.partition(".")[0] for one in named - {f"tests.oracle.{own}" for own in ORACLE}
    } <= sys.stdlib_module_names
    assert not any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))


class Known(NamedTuple):
    """An event that arrived."""

    event_id: int
    event: CommerceEvent
    site_id: int = SITE

    @property
    def key(self) -> str:
        return self.event.key


def histories_of(rules: tuple[Rule, ...], known: list[Known], facts: Any) -> dict[str, History]:
    """By event, what the pipeline reads for it: its customer's events that count, or the site's for thresholds over the site."""
    found: dict[int, list[Occurrence]] = {
        rule.id: [one for other in known if (one := counted(rule, other.event, facts)) is not None] for rule in rules
    }
    return {
        one.key: History(
            counted={
                rule.id: [
                    other for other in found[rule.id] if rule.is_site_wide or other.customer == one.event.customer_key
                ]
                for rule in rules
            }
        )
        for one in known
    }


def stored(number: int, one: Matched) -> StoredCustomEvent:
    made = one.match
    return StoredCustomEvent(
        number, made.occurred_at, SITE, made.assignment.assignment_id, made.assignment.definition_revision_id,
        made.assignment.assignment_revision_id, one.site_event.event_id, made.event_key, made.dedup_key, made.order_id,
        made.customer_key, made.value, made.currency, is_withdrawn=False, upload=None,
    )  # fmt: skip


def made_by_product(batches: list[list[Known]], compiled_rules: CompiledRules) -> list[Match]:
    """What stands after these batches, in the order of time."""
    site = compiled_rules.sites[SITE]
    ids = frozenset(rule.id for rule in site.rules)
    rows: dict[int, StoredCustomEvent] = {}
    matches: dict[int, Match] = {}
    known: list[Known] = []
    for batch in batches:
        known += batch
        around = histories_of(site.rules, known, site.facts)
        matched = [
            Matched(found, one)
            for one in known
            for found in match(one.event, SITE, compiled_rules, history=around[one.key])
        ]
        found = compare(matched, rows.values(), dict.fromkeys((one.event_id for one in known), ids))
        for gone in found.withdrawn:
            rows[gone.id] = gone._replace(is_withdrawn=True)
        kept = {one.row.id: one.matched for one in found.kept}
        kept |= dict(enumerate(found.added, start=len(rows) + 1))
        for number, one in kept.items():
            rows[number], matches[number] = stored(number, one), one.match
    standing = [matches[number] for number, row in rows.items() if not row.is_withdrawn]
    return sorted(standing, key=lambda one: (one.occurred_at, one.event_key, one.assignment.assignment_id))


def as_product_says(one: Match) -> dict[str, Any]:
    return {
        "rule": one.assignment.assignment_id,
        "event": one.event_key,
        "value": None if one.value is None else Fraction(one.value),
        "currency": one.currency,
        "reason": one.withheld,
        "click": None if one.click is None else one.click.id,
        "waits_for_consent": one.waits_for_consent,
        "with_hashes": one.with_user_data,
        "not_before": one.not_before,
    }


def as_page_says(event: Event, rule: PlainRule, world: World) -> dict[str, Any]:
    value, currency = value_of(rule, event, world)
    told = sending(rule, event, value)
    return {
        "rule": rule["id"],
        "event": event["key"],
        "value": value,
        "currency": currency,
        **{name: told[name] for name in ("reason", "click", "waits_for_consent", "with_hashes", "not_before")},
    }


def differences(rules: list[PlainRule], events: list[Event], zone: str, seed: int) -> list[Any]:
    """What the product makes of a history that arrives in some order, and the page does not; and the other way round."""
    world = World(zone)
    standing = oracle.standing(events, rules, world)
    compiled_rules = CompiledRules([make.assignment_of(rule, SITE) for rule in rules], {SITE: zone})
    known = [Known(number, make.commerce_event(one)) for number, one in enumerate(events, start=1)]
    found = made_by_product(make.Maker(seed).shuffled(known), compiled_rules)
    ours, theirs = [as_product_says(one) for one in found], [as_page_says(*one[:2], world) for one in standing]
    wrong: list[Any] = [("product", one) for one in ours if one not in theirs]
    wrong += [("page", one) for one in theirs if one not in ours]
    # The keys are other texts, and tell the same apart.
    keys = {one.dedup_key for one in found}, {key for _, _, key in standing}
    wrong += [] if len(keys[0]) == len(keys[1]) else [keys]
    by_key = {event["key"]: event for event in events}
    wrong += [one.key for one in known if transaction_id(SITE, one.event) != transaction_of(SITE, by_key[one.key])]
    return wrong


@settings(max_examples=1_500, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**40))
def test_any_history_gives_what_the_page_says(seed: int) -> None:
    maker = make.Maker(seed)
    rules, events, zone = maker.rules(), maker.events(), maker.zone()
    if differences(rules, events, zone, seed):
        rules, events = make.smallest(rules, events, lambda *fewer: bool(differences(*fewer, zone, seed)))
        pytest.fail(pformat([zone, rules, events, differences(rules, events, zone, seed)]))


@given(
    st.sampled_from(["10.00", "99.99", "250.00"]),
    st.lists(st.sampled_from(["0.01", "30.00", "99.99", "300.00"]), max_size=3),
    st.sampled_from([{}, {"factor": Decimal("0.35")}, {"at_least": Decimal(120)}, {"at_most": Decimal(50)}]),
)
def test_refunds_take_their_share(total: str, given_back: list[str], rule: dict[str, Any]) -> None:
    event = paid(total=total)
    compiled = compile_rule(ValueRule(**rule))
    refunds = [Refund(id=str(n), order_id="1", amount=Decimal(one), currency="EUR") for n, one in enumerate(given_back)]
    settings_of = {"value": {name: str(value) for name, value in rule.items()}}
    order = {"id": "1", "total": total, "currency": "EUR"}
    value, currency = value_of(settings_of, {"type": "order.paid", "order": order}, World())
    assert value is not None
    expected = worth_after(value, currency, Fraction(total), sum(map(Fraction, given_back), Fraction(0)))
    whole = Decimal(value.numerator) / Decimal(value.denominator)
    assert Fraction(value_now(compiled, event, whole, Decimal(total), refunds)) == expected
