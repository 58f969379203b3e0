"""What the chart asks of Kubernetes for each pod holds what was measured, with room."""

from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from cli import measured_costs as cost
from cli.sizing_arithmetic import run_mib

VALUES: Final = Path(__file__).parents[2] / "deploy/helm/custom-events/values.yaml"
RUN_MIB: Final = run_mib(10_000, 100_000)
MEASURED_MIB: Final = {
    "receiver": cost.RECEIVER_MIB,
    "console": cost.CONSOLE_MIB,
    "dagster": max(cost.DAEMON_MIB, cost.WEBSERVER_MIB, cost.CODE_SERVER_MIB),
    "run": RUN_MIB + cost.DBT_MIB,
}
UNITS_MIB: Final = {"Mi": 1, "Gi": 1024}
ROOM: Final = 1.5  # of what was measured, requested at least
MOST: Final = 3.0  # of what is requested, the limit at least for a peak that was not measured, and not beyond


def mib(quantity: str) -> int:
    return int(quantity[:-2]) * UNITS_MIB[quantity[-2:]]


@pytest.mark.parametrize("pod", MEASURED_MIB)
def test_requests_have_room_for_what_was_measured(pod: str) -> None:
    resources: Any = yaml.safe_load(VALUES.read_text())[pod]["resources"]
    requested, limit = mib(resources["requests"]["memory"]), mib(resources["limits"]["memory"])
    assert requested >= ROOM * MEASURED_MIB[pod]
    assert 2 * requested <= limit <= MOST * requested


def test_the_chart_says_the_figures_of_the_sizing_page() -> None:
    text = VALUES.read_text()
    figures = (cost.RECEIVER_MIB, cost.CONSOLE_MIB, cost.DAEMON_MIB, cost.CODE_SERVER_MIB, RUN_MIB, MEASURED_MIB["run"])
    assert [figure for figure in figures if f" {figure}" not in text] == []
