from decimal import Decimal
from typing import Any

import pytest

from custom_events.catalog.configurations import read_config, read_overrides, to_plain
from custom_events.errors import InvalidConfiguration
from custom_events.matching.system import SYSTEM_DEFINITIONS
from custom_events.values.definitions import DefinitionConfig, Overrides

PAID: dict[str, Any] = {"trigger": ["order.paid"]}


@pytest.mark.parametrize("key", SYSTEM_DEFINITIONS)
def test_reading_is_the_inverse_of_plain_json(key: str) -> None:
    config = SYSTEM_DEFINITIONS[key].config
    plain = to_plain(config)
    assert read_config(plain) == config
    assert to_plain(read_config(plain)) == plain


def test_amounts_are_exact() -> None:
    config = read_config({**PAID, "value": {"factor": "0.10"}})
    assert config.value.factor == Decimal("0.10")
    assert to_plain(config)["value"] == {"factor": "0.10"}


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        ({}, "trigger", "it is missing; a list of order.created"),
        ([], "", "a list; settings by name: trigger"),
        ({"trigger": []}, "trigger", "at least one"),
        ({"trigger": ["order.eaten"]}, "trigger[0]", "order.eaten"),
        ({**PAID, "prioritty": 1}, "prioritty", "did you mean priority? one of trigger, conditions"),
        ({**PAID, "priority": "high"}, "priority", '"high" cannot be used; a whole number'),
        ({**PAID, "priority": True}, "priority", "true cannot be used; a whole number"),
        ({**PAID, "group": 7}, "group", "7 cannot be used; a text (in quotes)"),
        ({**PAID, "group": "g" * 99, "priority": "h" * 99}, "priority", "hhh…"),
        ({**PAID, "trigger": "order.paid"}, "trigger", "a list"),
        ({**PAID, "conditions": 7}, "conditions", "an object"),
        ({**PAID, "dedup": {"per": 7}}, "dedup.per", "one of order, customer"),
        ({**PAID, "value": {"factr": 1}}, "value.factr", "did you mean factor?"),
        ({**PAID, "value": {"by_currency": {"EUR": {"factor": "x"}}}}, "value.by_currency.EUR.factor", "such as 0.35"),
        ({**PAID, "conditions": {"value": Decimal("12345678901234.123456")}}, "conditions.value", "put it in quotes"),
        (
            {**PAID, "conditions": {"value": Decimal("0.12345678901234567890")}},
            "conditions.value",
            "has 19 digits after the point; at most",
        ),
        ({**PAID, "conditions": {"field": "order.totl", "op": ">", "value": 1}}, "conditions", "order.total"),
        ({**PAID, "conditions": {"all": [{"field": "order.total"}]}}, "conditions.all[0]", ""),
        ({**PAID, "threshold": {"at_least": 0}}, "threshold.at_least", "above 0"),
        ({**PAID, "click_window_days": 91}, "click_window_days", "1 to 90"),
        ({**PAID, "ads_action": "77"}, "ads_action", "names no ads action"),
    ],
)
def test_what_cannot_be_used_names_its_path_and_what_would_be_right(
    given: dict[str, Any], path: str, words: str
) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        read_config(given)
    assert caught.value.path.startswith(path) if path else caught.value.path == ""
    assert words in str(caught.value)


def test_what_was_built_in_code_is_checked_too() -> None:
    with pytest.raises(InvalidConfiguration, match="at least one"):
        read_config(DefinitionConfig(trigger=()))


@pytest.mark.parametrize("name", ["also", "conditions"])
def test_trees_of_overrides_are_checked_where_they_stand(name: str) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        read_overrides({name: {"any": [{"field": "no.such", "op": "=", "value": 1}]}})
    assert caught.value.path.startswith(f"{name}.any[0]")


def test_overrides_may_take_conditions_away() -> None:
    overrides = read_overrides({"conditions": None})
    assert overrides == Overrides(conditions=None)
    assert to_plain(overrides) == {"conditions": None}
