"""What is built bit by bit is what is built whole, whatever happened in between; nobody who is forgotten is left in it."""

import pytest

from tests.kept_tables.histories import History
from tests.redaction.conftest import Planted
from tests.warehouse import Warehouse

BIT_BY_BIT = {
    "dim_customers",
    "fct_accuracy_daily",
    "fct_assignment_matches_daily",
    "fct_attribution",
    "fct_attribution_daily",
    "fct_commerce_events",
    "fct_conversion_adjustments",
    "fct_conversions",
    "fct_conversions_by_definition",
    "fct_custom_events",
    "fct_customer_cohorts",
    "fct_data_quality_daily",
    "fct_funnel_daily",
    "fct_order_funnel_daily",
    "fct_orders",
    "fct_repeat_purchases",
    "fct_upload_quality_daily",
}
pytestmark = [pytest.mark.long, pytest.mark.untraced]


def test_bit_by_bit_is_whole(planted: Planted, warehouse: Warehouse) -> None:
    history = History(planted, seed=2)
    history.round(4)
    warehouse.run("run")
    for changes in (
        [history.moved, lambda: history.rates("0.9"), history.replayed],
        [history.expired, lambda: history.rates("0.8")],
    ):
        history.round(6)
        for change in changes:
            change()
        warehouse.kept()
        assert not any(mark.was_whole for mark in warehouse.marks().values() if mark.model in BIT_BY_BIT)
    who = history.forgotten()
    warehouse.kept()
    bit_by_bit = warehouse.everything()
    traces = [value.lower() for value in who.traces(planted.clicks).values()]
    assert [text for texts in bit_by_bit.values() for text in texts for trace in traces if trace in text.lower()] == []
    with warehouse.engine.begin() as connection:
        for model in warehouse.marks():
            connection.exec_driver_sql(f"DELETE FROM reporting.{model}")
    warehouse.kept("--full-refresh")
    assert {model for model, texts in warehouse.everything().items() if texts != bit_by_bit[model]} == set()
    warehouse.kept("--full-refresh")
    assert {(mark.rows_new, mark.rows_gone) for mark in warehouse.marks().values()} == {(0, 0)}, "what is right stays"
