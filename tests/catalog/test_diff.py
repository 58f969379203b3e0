from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_events.catalog import diff

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
@settings(max_examples=50)
def test_equal_values_have_no_changes(value: Any) -> None:
    assert diff.changes(value, value) == ()


@given(JSON, JSON)
@settings(max_examples=100)
def test_different_values_have_changes_and_turning_round_swaps_sides(old: Any, new: Any) -> None:
    there = diff.changes(old, new)
    assert bool(there) is not diff._equal(old, new)
    back = diff.changes(new, old)
    assert {(c.path, repr(c.new), repr(c.old)) for c in there} == {(c.path, repr(c.old), repr(c.new)) for c in back}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"value": {"factor": "1"}}, {"value": {"factor": "0.35"}}, ('value.factor: "1" -> "0.35"',)),
        ({}, {"group": "a"}, ('group: added "a"',)),
        ({"group": None}, {}, ("group: removed null",)),
        ({"a": [1, 2, 3]}, {"a": [1, 9, 2, 3]}, ("a[1]: added 9",)),
        ({"a": [1, 2, 3]}, {"a": [1, 3]}, ("a[1]: removed 2",)),
        ({"a": [{"op": "="}]}, {"a": [{"op": ">"}]}, ('a[0].op: "=" -> ">"',)),
        ({"a": True}, {"a": 1}, ("a: true -> 1",)),
        ({"a": []}, {"a": {}}, ("a: [] -> {}",)),
    ],
)
def test_lines_name_path_and_both_sides(old: Any, new: Any, expected: tuple[str, ...]) -> None:
    assert diff.lines(old, new) == expected


def test_long_values_are_cut() -> None:
    (line,) = diff.lines({}, {"a": "x" * 500})
    assert len(line) < 150
    assert line.endswith("…")
