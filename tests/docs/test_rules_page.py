"""docs/reference/rules.md: every word and limit of the code is on it, and its examples come out as it says, here and by the oracle."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo  # noqa: TID251  (it imports nothing of ours)

import msgspec
import pytest
import yaml

from custom_events.destinations.conversion_rules import (
    MAX_TRANSACTION_ID_CHARACTERS,
    OLDEST_CLICK,
    OLDEST_USER_DATA,
    SETTLING,
)
from custom_events.matching.compiled_rules import CompiledRules
from custom_events.matching.money import MAX_AMOUNT_DIGITS
from custom_events.pipeline.conversion import TOO_LATE
from custom_events.values.definitions import (
    ConsentNeeded,
    DedupPer,
    DefinitionConfig,
    Threshold,
    ThresholdFires,
    ThresholdMeasure,
    ThresholdPeriod,
    ThresholdScope,
    ValueRule,
    ValueSource,
)
from custom_events.values.reasons import SAME_TRANSACTION, WITHHOLDING, Reason
from tests.oracle import histories as make
from tests.oracle import oracle
from tests.oracle.reading import Event, World
from tests.oracle.test_oracle import SITE, Known, made_by_product
from tests.oracle.worth import value_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/rules.md").read_text(encoding="utf-8")
WORDS = (ThresholdFires, ThresholdMeasure, ThresholdPeriod, ThresholdScope, DedupPer, ValueSource, ConsentNeeded)
# Of custom events that stood and do no more; nothing is withheld by them from the start.
OF_WITHDRAWN = {one for one in WITHHOLDING if one.startswith("invalidated_")} | {Reason.DUPLICATE}
EXAMPLES = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL)]


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words.__name__)
def test_every_word_of_a_setting_is_explained(words: type[StrEnum]) -> None:
    assert [one for one in words if f"`{one}`" not in PAGE and f": {one}`" not in PAGE] == []


@pytest.mark.parametrize("struct", [Threshold, ValueRule, DefinitionConfig], ids=lambda struct: struct.__name__)
def test_every_setting_that_decides_is_explained(struct: type[msgspec.Struct]) -> None:
    elsewhere = {
        "extra_data",
        "trigger",
        "conditions",
        "threshold",
        "dedup",
        "value",
        "ads_action",
        "source",
    }  # in words, or on other pages
    named = {field.name for field in msgspec.structs.fields(struct)} - elsewhere
    assert {name for name in named if not re.search(rf"`(\w+\.)?{name}\b", PAGE)} == set()


def test_every_reason_that_withholds_is_explained() -> None:
    reasons = {*(WITHHOLDING - OF_WITHDRAWN), TOO_LATE, SAME_TRANSACTION}
    assert {one for one in reasons if f"`{one}`" not in PAGE} == set()


def test_limits_are_those_of_the_code() -> None:
    hours, days = timedelta(hours=1), timedelta(days=1)
    assert f"more than {MAX_AMOUNT_DIGITS} digits before the point" in PAGE
    assert f"{OLDEST_CLICK // days} days from the click" in PAGE
    assert f"{OLDEST_USER_DATA // days} days from the event without a click" in PAGE
    assert f"{SETTLING // hours} hours after a click" in PAGE
    assert f"longer than {MAX_TRANSACTION_ID_CHARACTERS} characters" in PAGE


def test_it_is_found_where_people_look() -> None:
    for page in ("README.md", "docs/reference/config-files.md", "docs/reference/conditions.md"):
        assert "rules.md)" in (ROOT / page).read_text(encoding="utf-8"), page


@pytest.mark.parametrize("example", EXAMPLES, ids=[next(iter(one["rules"])) for one in EXAMPLES])
def test_an_example_comes_out_as_the_page_says(example: dict[str, Any]) -> None:
    zone = example["zone"]
    names = dict(enumerate(example["rules"], start=1))
    rules = [
        {"id": number, "trigger": ["order.paid"], **_texts(example["rules"][name])} for number, name in names.items()
    ]
    events = [_event(one, zone) for one in example["events"]]
    expected = {
        (name, f"order.paid:{order}", Fraction(str(value)))
        for name, orders in example["stands"].items()
        for order, value in orders.items()
    }
    world = World(zone)
    by_oracle = {
        (names[rule["id"]], event["key"], value_of(rule, event, world)[0])
        for event, rule, _ in oracle.standing(events, rules, world)
    }
    assert by_oracle == expected
    compiled_rules = CompiledRules([make.assignment_of(rule, SITE) for rule in rules], {SITE: zone})
    known = [Known(number, make.commerce_event(one)) for number, one in enumerate(events, start=1)]
    by_product = {
        (names[one.assignment.assignment_id], one.event_key, Fraction(one.value or Decimal(0)))
        for one in made_by_product([known], compiled_rules)
    }
    assert by_product == expected


def _texts(value: Any) -> Any:
    """Numbers as text, as both read amounts exactly; counts of days and priorities stay numbers."""
    match value:
        case dict():
            whole = ("window_days", "priority")
            return {name: one if name in whole else _texts(one) for name, one in value.items()}
        case list():
            return [_texts(one) for one in value]
        case bool():
            return value
        case int() | float():
            return str(value)
    return value


def _event(given: dict[str, Any], zone: str) -> Event:
    order = {
        "id": given["order"], "total": given.get("total", "100.00"), "currency": given.get("currency", "EUR"), "items": [], "tags": [],
        "shipping_country": None, "billing_country": None, "discount": None, "tax": given.get("tax"), "shipping": given.get("shipping"),
    }  # fmt: skip
    return {
        "type": "order.paid", "key": f"order.paid:{given['order']}",
        "at": datetime.fromisoformat(given["at"]).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC),
        "test": False, "order": order, "refund": None, "subscription": None, "cart": None, "clicks": [], "consent": "granted",
        "properties": {}, "customer": {"key": f"c:{given.get('customer', 'k')}", "email": None, "phone": None, "country": None},
    }  # fmt: skip
