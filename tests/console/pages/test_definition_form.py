"""The form of a definition holds its settings whole, and two versions of settings become one."""

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.api.problems import ProblemError
from console.pages.ask import Ask
from console.pages.definition_form import PARTS, PREFIX, form_of, settings_of
from console.pages.definition_words import CHOICES, setting_in_words
from console.pages.merging import merge_rows, merged
from custom_events.catalog.configurations import read_config, to_plain
from custom_events.values.definitions import (
    Dedup,
    DefinitionConfig,
    Threshold,
    ValueRule,
)

WHOLE: dict[str, Any] = {
    "trigger": ["order.paid", "order.created"],
    "conditions": {"all": [{"field": "order.total", "op": ">=", "value": "200.00", "currency": "EUR"}]},
    "threshold": {
        "measure": "sum",
        "field": "order.total",
        "currency": "EUR",
        "at_least": "500",
        "scope": "site",
        "period": "rolling",
        "window_days": 30,
        "fires": "every_nth",
    },
    "dedup": {"per": "customer_window", "window_days": 7},
    "value": {
        "source": "items_total",
        "items": {"field": "item.sku", "op": "=", "value": "A"},
        "factor": "0.35",
        "at_least": "1",
        "at_most": "100",
        "by_currency": {"USD": {"at_most": "50"}},
        "refunds_lower_it": False,
        "without_tax": True,
    },
    "group": "value",
    "priority": -3,
    "click_window_days": 30,
    "delay_minutes": 60,
    "consent_needed": "granted",
    "valid_from": "2026-01-01",
    "valid_until": "2026-12-31",
    "ads_action": "1234567890/1",
    "extra_data": {"customer_type": True, "app_sources": ["app", "ios"], "cart": {"merchant_id": "1"}},
}
SHORT: list[dict[str, Any]] = [
    {"trigger": ["order.paid"]},
    {"trigger": ["order.paid"], "threshold": {"at_least": "3"}},
    {"trigger": ["order.paid"], "value": {"source": "fixed", "fixed": "5", "currency": "EUR"}},
    {"trigger": ["order.paid"], "value": {"source": "field", "field": "order.subtotal", "without_shipping": True}},
    {"trigger": ["order.paid"], "dedup": {"per": "event"}, "extra_data": {"customer_type": True}},
]


def plain(config: dict[str, Any]) -> dict[str, Any]:
    return to_plain(read_config(config))


def read(form: dict[str, str]) -> dict[str, Any]:
    return settings_of(Ask(form=form))


@pytest.mark.parametrize("config", [WHOLE, *SHORT])
def test_settings_come_back_from_their_form(config: dict[str, Any]) -> None:
    assert read(form_of(plain(config))) == plain(config)


def test_every_setting_has_a_field_and_every_choice_a_name() -> None:
    groups = {"threshold": Threshold, "dedup": Dedup, "value": ValueRule}
    named = {part.path for part in PARTS}
    for field in msgspec.structs.fields(DefinitionConfig):
        inner = groups.get(field.name)
        if inner is not None:
            assert {f"{field.name}.{below.name}" for below in msgspec.structs.fields(inner)} <= named
        else:
            assert field.name in named or f"{field.name}.cart" in named
    for path, choices in CHOICES.items():
        if path == "value.refunds_lower_it":
            continue
        above, _, name = path.rpartition(".")
        kind = next(
            field.type for field in msgspec.structs.fields(groups.get(above, DefinitionConfig)) if field.name == name
        )
        assert {word for word, _ in choices if word} == {member.value for member in (get_args(kind) or kind)}


def test_what_another_choice_makes_meaningless_is_left_out() -> None:
    form = form_of(plain(WHOLE))
    form |= {f"{PREFIX}threshold.measure": "", f"{PREFIX}dedup.per": "order", f"{PREFIX}value.source": "none"}
    config = read(form)
    assert "threshold" not in config
    assert "dedup" not in config
    assert "items" not in config["value"]
    counted = read(form_of(plain(WHOLE)) | {f"{PREFIX}threshold.measure": "count", f"{PREFIX}threshold.period": "day"})
    assert counted["threshold"].keys() == {"at_least", "scope", "period", "fires"}
    assert read({f"{PREFIX}threshold.measure": "count"})["threshold"] == {}


def test_what_cannot_be_read_is_named_all_at_once_or_left_to_the_api() -> None:
    with pytest.raises(ProblemError) as raised:
        read({f"{PREFIX}conditions": "{", f"{PREFIX}value.by_currency": "[", f"{PREFIX}priority": "1"})
    assert [error.field for error in raised.value.errors] == [f"{PREFIX}conditions", f"{PREFIX}value.by_currency"]
    assert read({f"{PREFIX}priority": "high", f"{PREFIX}delay_minutes": "9" * 101}) == {
        "trigger": [],
        "priority": "high",
        "delay_minutes": "9" * 101,
    }


BASE = {"a": 1, "b": {"x": 1}, "c": 3}
sides = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 3) | st.just({"x": 2}), max_size=4)


@given(sides, sides, sides)
def test_what_only_one_of_them_changed_is_taken(base: Any, theirs: Any, mine: Any) -> None:
    rows = {row.name: row for row in merge_rows(base, theirs, mine, lambda name, side: str(side.get(name)))}
    for form, chosen in (({}, mine), ({f"take.{name}": "theirs" for name in "abcd"}, theirs)):
        whole = merged(base, theirs, mine, form)
        for name in "abcd":
            before, their_value, my_value = (side.get(name) for side in (base, theirs, mine))
            if their_value == before:
                assert whole.get(name) == my_value
            elif my_value in (before, their_value):
                assert whole.get(name) == their_value
            else:
                assert rows[name].is_open
                assert whole.get(name) == chosen.get(name)
    assert {name for name in "abcd" if not base.get(name) == theirs.get(name) == mine.get(name)} == rows.keys()


def test_a_row_says_each_side_in_words() -> None:
    base, mine = {"trigger": ["order.paid"]}, {"trigger": ["order.paid"], "dedup": {"per": "event"}}
    (row,) = merge_rows(base, base, mine, setting_in_words)
    assert (row.name, row.is_open, row.take) == ("dedup", False, "mine")
    assert (row.base, row.theirs, row.mine) == ("once for each order", "once for each order", "each time")
    assert not row.they_changed
    assert row.i_changed
