"""Charts: what is drawn says what the numbers say, whatever the numbers are."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.pages.charts import HEIGHT, WIDTH, Chart, Funnel, Series, Step, filled, of_rows, round_up, share
from custom_events.browse.reports import AccuracyDay

VALUES = st.one_of(st.none(), st.integers(0, 10**9), st.decimals(0, 10**7, places=2))


@st.composite
def charts(draw: st.DrawFn) -> Chart:
    """Charts of any values, some of them unknown."""
    labels = draw(st.integers(1, 40))
    values = st.lists(VALUES, min_size=labels, max_size=labels).map(tuple)
    series = tuple(Series(name=f"s{at}", values=draw(values)) for at in range(draw(st.integers(1, 6))))
    kind = draw(st.sampled_from(["bars", "pairs", "lines"]))
    return Chart(id="c", title="T", labels=tuple(str(at) for at in range(labels)), series=series, kind=kind)  # pyright: ignore[reportArgumentType]


@given(charts())
def test_nothing_is_drawn_outside_and_every_value_stands_in_the_table(chart: Chart) -> None:
    for bar in chart.bars():
        assert 0 <= bar.x <= bar.x + bar.width <= WIDTH + 0.01
        assert -0.01 <= bar.y <= bar.y + bar.height <= HEIGHT + 0.01 or chart.kind == "lines"
    rows = chart.rows()
    assert [label for label, _, _ in rows] == list(chart.labels[::-1])
    assert all(len(values) == len(chart.series) for _, _, values in rows)
    assert len(chart.ticks) == 3
    assert chart.summary().endswith(".")
    if chart.kind == "lines":
        known = sum(value is not None for one in chart.series for value in one.values)
        assert sum(line.path.count("M") + line.path.count("L") for line in chart.lines()) == known


@given(st.floats(0, 1e12))
def test_the_top_of_a_scale_is_round_and_no_less_than_the_greatest_value(value: float) -> None:
    top = round_up(value)
    assert value <= top <= max(2, 2 * value + 10)
    assert top % 2 == 0


def test_bars_of_one_label_stand_on_top_of_each_other() -> None:
    chart = Chart(
        id="c",
        title="Sent",
        labels=("a", "b"),
        series=(Series(name="good", values=(3, 1), tone="good"), Series(name="bad", values=(1, None))),
        links=("x", "y"),
    )
    first, second, third = chart.bars()
    assert first.y == second.y + second.height
    assert (first.tone, second.tone) == ("tone-good", "series-2")
    assert first.title == "a: good 3"
    assert third.x > first.x
    assert chart.top == 4
    assert chart.shown_labels == ("a", "b")
    assert [(label, link) for label, link, _ in chart.rows()] == [("b", "y"), ("a", "x")]
    assert "good: at most 3 (a), at least 1 (b), last 1" in chart.summary()


def test_bars_of_a_pair_stand_beside_each_other() -> None:
    series = (Series(name="now", values=(3, 1)), Series(name="then", values=(4, 0)))
    chart = Chart(id="c", title="Days", labels=("a", "b"), series=series, kind="pairs")
    now, then, _ = chart.bars()
    assert now.x + now.width == then.x
    assert now.y + now.height == then.y + then.height == HEIGHT
    assert chart.top == 4


def test_a_gap_in_what_is_known_is_one_in_the_line() -> None:
    values = (0.99, None, 0.95, 0.97)
    chart = Chart(
        id="c", title="T", labels=tuple("abcd"), kind="lines", is_share=True, series=(Series(name="s", values=values),)
    )
    (line,) = chart.lines()
    assert line.path.count("M") == 2
    assert line.dots.count("h0") == 3  # alone; where it begins anew, and where it ends
    assert chart.bottom == 0.9
    assert chart.ticks == ("100.0 %", "95.0 %", "90.0 %")
    assert chart.shown_labels == ("a", "c", "d")


@pytest.mark.parametrize(
    ("value", "shown"), [(Decimal("1234.5"), "1,234.50"), (1234, "1,234"), (2.5, "2.5"), (3.0, "3")]
)
def test_values_are_shown_as_people_write_them(value: Any, shown: str) -> None:
    chart = Chart(id="c", title="T", labels=("a",), series=(Series(name="s", values=(value,)),))
    assert chart.shown(value) == shown
    assert "–" in chart.shown(None)


def test_nothing_is_said_to_be_nothing() -> None:
    chart = Chart(id="c", title="Sent", labels=("a",), series=(Series(name="s", values=(0,)),))
    assert chart.is_empty
    assert chart.summary() == "Sent: nothing."
    assert chart.top == 2


def test_a_funnel_has_each_step_beside_the_first() -> None:
    funnel = Funnel(id="f", title="F", steps=(Step(name="a", rows=200), Step(name="b", rows=50)))
    assert [(length, part) for _, length, part in funnel.bars()] == [(100, "100.0 %"), (25, "25.0 %")]
    assert Funnel(id="f", title="F", steps=()).bars() == []
    assert share(1, 0) == ""


def test_days_without_anything_are_days_too() -> None:
    rows = [
        AccuracyDay(day=date(2026, 11, day), orders=2, sent=1, withheld=0, waiting=1, expired=0, no_match=0)
        for day in (1, 3)
    ]
    days = filled(rows, date(2026, 11, 1), date(2026, 11, 4))
    assert [row and row.day.day for _, row in days] == [1, None, 3, None]
    (series,) = of_rows([("sent", "sent", "good")], [row for _, row in days])
    assert series.values == (1, 0, 1, 0)
