from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_events.catalog.files.text import MAX_BYTES, MAX_DEPTH, parse, render

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30) | st.sampled_from(
    ["no", "NO", "on", "~", "null", "true", "1e5", "012", "0x1f", "12:30", "2026-01-31", "1_000", ".5", "=", "<<", "- a",
     "a: b", "# c", "a\nb", "a\nb\n", "a\n\nb", " a", "'", '"', "{", "%", "@", "\t", "\ufeff", "!x", "&x", "*x", "1.", "-", ""]
)  # fmt: skip
KEYS = TEXTS.filter(bool)  # no setting has an empty name
DECIMALS = st.decimals(-(10**12), 10**12, places=6)
SCALARS = TEXTS | st.none() | st.booleans() | st.integers(-(10**30), 10**30) | DECIMALS
VALUES = st.recursive(
    SCALARS, lambda below: st.lists(below, max_size=4) | st.dictionaries(KEYS, below, max_size=4), max_leaves=12
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_what_is_written_is_read_back(value: dict[str, Any]) -> None:
    text = render(value)
    found = parse(text.encode())
    assert found.problems == []
    assert (found.value or {}) == value
    assert repr(found.value or {}) == repr(value)  # true is not 1, and 0.350 keeps its digits
    assert render(found.value or {}) == text


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("ab:-[]{}#&*!|>'\"%@`,? \n\t0.1~"), max_size=40) | st.text(max_size=20))
def test_nothing_that_is_typed_raises(text: str) -> None:
    parse(text.encode(errors="replace"))
    parse(text.encode("utf-16"))


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "a: it stands here twice, first in line 1; once"),
        ("a:\n  - x: 1\n    x: 2\n", 3, "a[0].x: it stands here twice"),
        ("a: &x 1\nb: *x\n", 2, "b: anchors and aliases are not used"),
        ("a: !!python/object:os.system 1\n", 1, "a: tags such as"),
        ("a: 1\nb: 2\n---\nb: 1\n", 3, "a second document begins here; one document"),
        ("a: 1\nb: [1\n", 2, "did not find expected ',' or ']'; close the bracket [ that begins here"),
        ("a: {x: 1\nb: 2\n", 1, "close the brace { that begins here"),
        ("a: 1\nb: 'x\nc: 1\n", 2, "close the quotation mark that begins here"),
        ("a: 1\nb\nc: 1\n", 2, "could not find expected ':'; a name, a colon and a blank"),
        ("a: 1\n b: 2\n", 2, "mapping values are not allowed"),
        ("a: 1\n  \nb:\n\t- x\n", 4, "cannot start any token"),
        ("a: 1\nb: \x07\n", 2, "the character U+0007 cannot stand in a file; remove it, or write it as an escape"),
        ("a: 1\r\nb: 2\r\nc: \x00\r\n", 3, "the character U+0000 cannot stand in a file"),
        ("a: '\u2028'\nb: 'x\u0085y'\nc: &x 1\n", 3, "c: anchors and aliases are not used"),
        ("\ufeffa: 1\nb: &x 1\n", 2, "b: anchors and aliases are not used"),
        ("a: 1\rb: 2\r\nc: &x 1\r\n", 3, "c: anchors and aliases are not used"),
        ("ä: '\U0001f600'\n\nb: &x 1\n", 3, "b: anchors and aliases are not used"),
        ("a: 1\n? [1]\n: 2\n", 2, "a key is a list or an object; a name, and a colon"),
        ("a: 1\n? {b: 1}\n: 2\n? [1]\n: 2\n", 4, "a key is a list"),
        ("a: 1\n'': 2\n", 2, "a key is empty; a name, and a colon"),
        ("a:\n  b: 1\n  '': 2\n", 3, "a: a key is empty"),
        ("a: &x\n  b: 1\nc:\n  *x\n", 4, "c: anchors and aliases are not used"),
        ('a: 1\nb: "\\ufffffff"\nc: "\\UFFFFFFFF"\n', 3, "it is not YAML"),
        ("a: " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), 1, f"deeper than {MAX_DEPTH}"),
        ("a: x" + "x" * MAX_BYTES, 1, "at most"),
    ],
)
def test_what_cannot_be_meant_is_named_with_its_line(text: str, line: int, words: str) -> None:
    found = parse(text.encode())
    told = [f"{problem.path}: {problem.wrong}; {problem.right}" for problem in found.problems]
    assert any(words in one for one in told), told
    assert line in [found.problems[place].line for place, one in enumerate(told) if words in one]


def test_a_file_that_is_not_utf8() -> None:
    (problem,) = parse(b"a: \xc3\xa4\nname: \xff").problems
    assert ("byte 12 is not UTF-8" in problem.wrong, problem.line) == (True, 2)


def test_halves_of_characters_are_joined_and_a_lone_one_is_kept_for_its_path_to_be_named() -> None:
    assert parse(b'{"a": "\\ud83d\\ude00 x", "\\ud83d\\ude00": 1}').value == {"a": "\U0001f600 x", "\U0001f600": 1}
    assert parse(b'a: "x\\ud83d"').value == {"a": "x\ud83d"}


def test_a_name_that_looks_like_a_path_has_a_line_of_its_own() -> None:
    found = parse(b"a:\n  b: 1\na.b: 2\n'c[0]': 3\nc:\n- 4\n")
    assert [found.line_of(path) for path in ("a.b", '"a.b"', '"c[0]"', "c[0]")] == [2, 3, 4, 6]


def test_only_the_words_of_yaml_1_2_are_more_than_text() -> None:
    found = parse(b"a: no\nb: 2026-01-31\nc: 0.350\nd: 1e3\ne: true\nf: '1'\ng:\nh: 010\n").value
    assert found == {
        "a": "no", "b": "2026-01-31", "c": Decimal("0.350"), "d": Decimal(1000), "e": True, "f": "1", "g": None, "h": "010"
    }  # fmt: skip


def test_the_line_of_what_is_missing_is_that_of_what_should_hold_it() -> None:
    found = parse(b"a: 1\nb:\n  c:\n    - d: 1\n")
    assert [found.line_of(path) for path in ("b.c[0].e", "b.c[7]", "b.x.y", "z", "")] == [4, 3, 2, 1, 1]


def test_groups_that_fit_stand_in_one_line() -> None:
    leaf = {"field": "order.total", "op": ">=", "value": "200.00"}
    text = render(
        {"conditions": {"all": [leaf, {"any_item": leaf}]}, "assignments": [{"label": "x"}], "long": ["y" * 60] * 2}
    )
    assert text.splitlines() == [
        "conditions:",
        "  all:",
        "  - {field: order.total, op: '>=', value: '200.00'}",
        "  - any_item: {field: order.total, op: '>=', value: '200.00'}",
        "assignments:",
        "- label: x",
        "long:",
        f"- {'y' * 60}",
        f"- {'y' * 60}",
    ]
