"""Laws over files that people could type: validation never raises, and whatever it accepts can be planned, applied and planned again.

Documents have the right shape mostly, with odd numbers, texts, dates and keys among them.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from custom_events.catalog.files import apply, checks, effects, folder, plan, stored
from custom_events.catalog.files.folder import Finding
from custom_events.conditions.problems import Severity
from tests.catalog.conftest import ME
from tests.catalog.files.conftest import NOW


class Typed(str):
    """YAML as it is typed, not a text to be quoted."""

    __slots__ = ()


ODD_NUMBERS = [
    *(
        "NaN",
        ".nan",
        "Infinity",
        "-.inf",
        "1e400",
        "1E+30",
        "-1e-400",
        "0e500",
        "9" * 16,
        "9" * 45,
        "9" * 300,
        "-0",
        "-0.0",
        "00",
        "1_0",
    ),
    *(
        "0x10",
        "1.",
        ".5",
        "+5",
        "1e3",
        "1e14",
        "0.123456789012",
        "0.1234567890123",
        "123456789012345",
        "12345678901234.123456",
        "1,5",
    ),
]
ODD_TEXTS = [r'"\0"', r'"\ud83d"', r'"\ud83d\ude00"', r'"\x07"', "~", "null", "true", "2026-W05", "20260105", "2026-02-30", "''", "' '",
             "[]", "{}", "[1]", "{a: 1}", "!x 1", "&a 1", "*a", "\"\\U0001F600\"", "ß", "'\u2028'"]  # fmt: skip
odd = st.sampled_from([*ODD_NUMBERS, *ODD_TEXTS]).map(Typed) | st.text(max_size=8) | st.decimals().map(str).map(Typed)


def mostly(*values: Any) -> st.SearchStrategy[Any]:
    """One of these, seldom something odd."""
    good = st.sampled_from(values)
    return st.integers(0, 30).flatmap(lambda draw: odd if draw == 0 else good)


def some(**settings_: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=settings_)


numbers = mostly(1, 2, Typed("0.35"), Typed("1e3"), Typed("999999999999999"), "12.5", Typed("7.000000000001"))
currencies = mostly("EUR", "USD", None)
money = st.fixed_dictionaries(
    {"field": mostly("order.total", "order.subtotal"), "op": mostly(">", "<=", "="), "value": numbers},
    optional={"currency": currencies},
)
words = st.fixed_dictionaries(
    {
        "field": mostly("order.status", "customer.tags", "meta.x"),
        "op": mostly("contains", "starts_with"),
        "value": mostly("vip", "a: b", "NO"),
    }
)
times = st.fixed_dictionaries(
    {
        "field": mostly("order.paid_at"),
        "op": mostly("before", "after"),
        "value": mostly("2026-11-01", "2026-11-01T08:30:00Z"),
    }
)
leaves = money | words | times
trees = st.recursive(
    leaves,
    lambda below: (
        st.fixed_dictionaries({"all": st.lists(below, min_size=1, max_size=2)}) | st.fixed_dictionaries({"not": below})
    ),
    max_leaves=3,
)
value_rules = st.one_of(
    some(
        source=mostly("order_total"),
        without_tax=mostly(True, False),
        factor=numbers,
        at_least=numbers,
        by_currency=st.dictionaries(mostly("EUR", "USD"), some(factor=numbers), max_size=2),
    ),
    st.fixed_dictionaries(
        {"source": mostly("fixed"), "fixed": numbers}, optional={"currency": currencies, "factor": numbers}
    ),
    st.fixed_dictionaries({"source": mostly("field"), "field": mostly("order.subtotal", "meta.x")}),
    some(source=mostly("items_total"), factor=numbers),
)
thresholds = st.fixed_dictionaries(
    {"measure": mostly("sum"), "at_least": numbers},
    optional={"period": mostly("day", "lifetime"), "currency": currencies, "scope": mostly("site", "customer")},
)
SETTINGS: dict[str, st.SearchStrategy[Any]] = {
    "conditions": trees | st.none(),
    "threshold": thresholds,
    "value": value_rules,
    "group": mostly("g", "h"),
    "priority": mostly(0, 1, 2),
    "delay_minutes": mostly(0, 60),
    "click_window_days": mostly(1, 30, 90),
    "valid_from": mostly("2026-01-01", None),
    "valid_until": mostly("2026-12-31", None),
    "consent_needed": mostly("granted", "not_denied"),
}
definitions = st.tuples(
    st.fixed_dictionaries(
        {"name": mostly("VIP", "Zürich \U0001f600"), "trigger": st.just(["order.paid"])},
        optional={"description": mostly("x"), "published": mostly(True, False)},
    ),
    some(**SETTINGS),
).map(lambda both: both[0] | both[1])
entries = st.tuples(
    st.fixed_dictionaries(
        {"definition": mostly("vip", "purchase")},
        optional={"active": mostly(True, False), "published": mostly(True, False)},
    ),
    some(**SETTINGS, also=trees),
).map(lambda both: both[0] | both[1])
sites = st.fixed_dictionaries(
    {"name": mostly("Shop"), "platform": mostly("custom"), "assignments": st.lists(entries, max_size=3)},
    optional={"currency": currencies, "time_zone": mostly("UTC", "America/Vancouver"), "active": mostly(True)},
)


def typed(value: Any) -> str:
    """A value as flow-style YAML."""
    match value:
        case Typed():
            return str(value)
        case dict():
            return "{" + ", ".join(f"{typed(name) or '~'}: {typed(one)}" for name, one in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(typed, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def written(directory: Path, documents: dict[str, dict[str, Any]]) -> None:
    """Each setting of a document in a line of its own."""
    folder.write(directory, {})
    for name, document in documents.items():
        lines = [f"{typed(setting)}: {typed(value)}\n" for setting, value in document.items()]
        (directory / f"{name}.yaml").write_text("".join(lines), encoding="utf-8", errors="surrogatepass")


def findings(directory: Path) -> list[Finding]:
    """As `config validate` finds them."""
    read = folder.read(directory)
    problems = [*checks.check(read.catalog, read.unread), *effects.warnings(read.catalog)]
    return [*read.findings, *read.located_all(problems)]


def labelled(site: dict[str, Any]) -> dict[str, Any]:
    site["assignments"] = [{**entry, "label": f"label {place}"} for place, entry in enumerate(site["assignments"])]
    return site


QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much]


@settings(max_examples=100, deadline=None, suppress_health_check=QUIET)
@given(definitions, sites.map(labelled), st.dictionaries(odd, odd, max_size=2))
def test_validation_never_raises_and_says_where(
    definition: dict[str, Any], site: dict[str, Any], more: dict[str, Any]
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        written(Path(directory), {"definitions/vip": definition | more, "sites/shop-key-1": site})
        found = findings(Path(directory))
        for one in found:
            lines = (Path(directory) / one.file).read_bytes().count(b"\n")
            assert 1 <= one.line <= max(lines, 1), str(one)
            assert str(one).isprintable()
            str(one).encode()
            assert one.wrong
            assert one.right
        event(f"errors: {any(one.severity is Severity.ERROR for one in found)}")


@settings(max_examples=40, deadline=None, suppress_health_check=QUIET)
@given(definitions, sites.map(labelled))
def test_what_validation_accepts_is_planned_and_applied_and_a_second_plan_finds_nothing(
    seeded: sa.Connection, definition: dict[str, Any], site: dict[str, Any]
) -> None:
    with tempfile.TemporaryDirectory() as name, seeded.begin_nested() as savepoint:
        directory = Path(name)
        written(directory, {"definitions/vip": definition, "sites/shop-key-1": site})
        accepted = not any(one.severity is Severity.ERROR for one in findings(directory))
        event(f"accepted: {accepted}")
        made = plan.make(stored.read(seeded), folder.read(directory))
        assert made.can_be_applied is accepted
        if accepted:
            saved = apply.load(apply.save(made, author=ME, reason="law", now=NOW))
            assert apply.apply(seeded, saved, by=ME) == made.steps
            again = plan.make(stored.read(seeded), folder.read(directory))
            assert again.can_be_applied
            assert again.steps == ()
        savepoint.rollback()
