"""The list of marts is what dbt builds; reports that ship with us can be made of it."""

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from custom_events.report_files.table import Kind as FileKind
from custom_events.reports import content as contents
from custom_events.reports.built_in import BUILT_IN
from custom_events.reports.content import Operator, ReportContent, RowFilter
from custom_events.reports.report import Report
from custom_events.values.marts import MARTS, ROW_COUNT, Kind, Mart, MartColumn

MODELS = Path(__file__).parents[2] / "dbt" / "models" / "marts"
# Types of PostgreSQL that a column of a kind may have; a mart without a contract names none.
TYPES = {
    Kind.TEXT: ("text", "varchar", "character varying", "boolean"),
    Kind.ID: ("bigint", "integer", "text", "varchar", "character varying"),
    Kind.COUNT: ("bigint", "integer"),
    Kind.AMOUNT: ("numeric",),
    Kind.DAY: ("date",),
    Kind.TIME: ("timestamp with time zone", "timestamptz"),
}


def described(name: str) -> dict[str, dict[str, Any]]:
    models = [model for file in MODELS.glob("*.yml") for model in yaml.safe_load(file.read_text()).get("models", ())]
    (model,) = (model for model in models if model["name"] == name)
    return {column["name"]: column for column in model["columns"]}


def own_columns(mart: Mart) -> list[MartColumn]:
    return [column for column in mart.columns.values() if column.kind is not Kind.RATIO and column.name != ROW_COUNT]


@pytest.mark.parametrize("mart", MARTS.values(), ids=list(MARTS))
def test_a_report_names_what_dbt_builds_and_nobody_it_knows(mart: Mart) -> None:
    there = described(mart.name)
    for column in own_columns(mart):
        assert column.name in there, f"{mart.name}.{column.name} is in custom_events/values/marts.py, and not in dbt"
        written = there[column.name].get("data_type")
        if written is not None:
            assert written.partition("(")[0].strip().lower() in TYPES[column.kind], (
                f"{mart.name}.{column.name}: {written}"
            )
    assert not {"customer_key", "customer_id_of_store", "email"} & set(mart.columns)
    assert not mart.has_sites or "site_id" in mart.columns
    assert not mart.period or mart.columns[mart.period].kind in (Kind.DAY, Kind.TIME)


@pytest.mark.parametrize("mart", MARTS.values(), ids=list(MARTS))
def test_ratios_are_made_of_counts_of_their_mart(mart: Mart) -> None:
    for column in mart.columns.values():
        assert all(mart.columns[name].kind is Kind.COUNT for name in (*column.parts, *filter(None, [column.of])))


@pytest.mark.parametrize("report", BUILT_IN.values(), ids=list(BUILT_IN))
def test_what_ships_can_be_used(report: Report) -> None:
    assert list(contents.problems(report.content)) == []


def test_kinds_are_those_of_files() -> None:
    assert {kind.value for kind in Kind} == set(get_args(FileKind))


@pytest.mark.parametrize(
    ("mart", "columns", "apart"),
    [
        ("fct_orders", ("site_name", "net_total"), "currency"),
        ("fct_conversions_by_definition", ("definition_key", "value_at_google"), "currency"),
        ("fct_order_funnel_daily", ("site_name", "orders_paid"), "definition_key"),
        ("fct_attribution_daily", ("source", "order_credit"), "model"),
        ("fct_customer_cohorts", ("currency", "cohort_month", "cohort_customers"), "months_since"),
        ("fct_customer_cohorts", ("months_since", "cohort_customers"), "currency"),
    ],
)
def test_what_is_not_the_same_kind_of_thing_is_not_added_up(mart: str, columns: tuple[str, ...], apart: str) -> None:
    def wrong(**changes: Any) -> list[str]:
        given: dict[str, Any] = {"mart": mart, "columns": columns, "added_up": True, **changes}
        content = ReportContent(**given)
        return [f"{problem.path}: {problem.right}" for problem in contents.problems(content)]

    assert wrong() == [f"columns: {apart} among the columns, or a filter by one value of it"]
    assert wrong(columns=(*columns, apart)) == []
    assert wrong(added_up=False) == []

    def only(*values: str, operator: Operator = Operator.IS) -> tuple[RowFilter, ...]:
        return (RowFilter(column=apart, operator=operator, values=values),)

    assert wrong(filters=only("EUR")) == []
    assert len(wrong(filters=only("EUR", "USD"))) == 1
    assert len(wrong(filters=only("EUR", operator=Operator.IS_NOT))) == 1


def test_counts_are_added_up_over_currencies() -> None:
    content = ReportContent(mart="fct_orders", columns=("site_name", "row_count"), added_up=True)
    assert list(contents.problems(content)) == []
