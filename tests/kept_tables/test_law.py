"""What is built bit by bit is what is built whole, whatever happened in between; nobody who is forgotten is left in it."""

import pytest

from tests.kept_tables.histories import History
from tests.redaction.conftest import Planted
from tests.warehouse import Warehouse

pytestmark = [pytest.mark.long, pytest.mark.untraced]


@pytest.mark.parametrize("seed", [1, 2])
def test_bit_by_bit_is_whole(planted: Planted, warehouse: Warehouse, seed: int) -> None:
    history = History(planted, seed)
    history.round(3)
    warehouse.run("run")
    for change in (
        history.moved,
        lambda: history.rates("0.9"),
        history.replayed,
        lambda: history.rates("0.8"),
        history.expired,
    ):
        history.round(4)
        change()
        warehouse.kept()
        assert not any(mark.was_whole for mark in warehouse.marks().values() if mark.model.startswith("fct_commerce"))
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
