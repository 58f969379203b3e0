"""Long operations by the API: asked for, followed, cancelled, their results; and by whom."""

from typing import Any

import httpx
import pytest

from custom_events.operations.kinds import KINDS
from custom_events.operations.runner import Runner
from custom_events.settings import Settings
from tests.console.api.conftest import problem

BACKTESTS, REPLAYS, OPERATIONS = "/api/v1/backtests", "/api/v1/replays", "/api/v1/operations"
CONFIG: dict[str, Any] = {"trigger": ["order.paid"], "conditions": {"field": "order.total", "op": ">", "value": "5"}}


@pytest.fixture
def runner(database: str, settings: Settings) -> Any:
    """Does an operation when it is told to."""
    made = Runner(database, settings, KINDS)
    yield made
    made.stop()


def ask(client: httpx.Client, path: str, body: dict[str, Any]) -> str:
    """Where the operation is."""
    answer = client.post(path, json=body)
    assert answer.status_code == 202, answer.text
    assert answer.json()["state"] == "waiting"
    return answer.headers["location"]


def test_a_backtest_is_asked_for_done_and_its_result_read(admin: httpx.Client, runner: Runner) -> None:
    path = ask(admin, BACKTESTS, {"definition_key": "big_order", "config": CONFIG, "samples": 1})
    problem(admin.get(f"{path}/result"), 409)
    assert runner.run_next()
    found = admin.get(path).json()
    assert (found["state"], found["problem"], found["asked_by"]) == ("succeeded", None, "zanzibar")
    assert found["result"] == f"{path}/result"
    result = admin.get(found["result"]).json()["backtest"]
    assert (result["is_complete"], result["draft"]["definition"]) == (True, "big_order")
    assert result["draft"]["config"]["conditions"] == CONFIG["conditions"]
    problem(admin.get(f"{path}/result.csv"), 409)
    assert not runner.run_next()
