"""The systemd unit, Prometheus' rules and Grafana's dashboards."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from prometheus_client import CollectorRegistry

from cli import dashboards
from custom_events.watching.metrics import METRICS

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
UNIT: Final = DEPLOY / "systemd/custom-events.service"
RULES: Final = DEPLOY / "prometheus/alerts.yml"
EXPOSED_AT_MOST: Final = 2.0  # of systemd's ten
NAME: Final = re.compile(r"\bcustom_events_\w+")


def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    """But for its paths: nothing is installed here."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not on this machine")
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/custom-events/bin/custom-events", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False, timeout=60)
    assert [line for line in done.stderr.splitlines() if UNIT.name in line] == []
    security = ["systemd-analyze", "security", "--offline=true", copy]
    said = subprocess.run(security, capture_output=True, text=True, check=False, timeout=60).stdout
    exposure = re.search(r"exposure level for \S+: (\d+\.\d+)", said)
    assert exposure is not None, said
    assert float(exposure[1]) <= EXPOSED_AT_MOST


def test_the_unit_is_watched_and_closed() -> None:
    lines = UNIT.read_text().splitlines()
    for line in (
        "Type=notify",
        "WatchdogSec=60",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "CapabilityBoundingSet=",
    ):
        assert line in lines
    assert "ProcSubset=pid" not in lines  # psutil reads /proc/stat


def figures() -> set[str]:
    """The names of every figure that the programs serve, with those that a counter or a histogram adds."""
    from console.api.request_metrics import RequestMetrics
    from ingest_api.metrics import Metrics

    served = [family for made in (Metrics(), RequestMetrics()) for family in registry_of(made).collect()]
    names = {*METRICS, *(f"{family.name}_total" for family in served if family.type == "counter")}
    names |= {family.name for family in served}
    return names | {f"{family.name}_{part}" for family in served for part in ("bucket", "sum", "count")}


def registry_of(made: Any) -> CollectorRegistry:
    """Where a program keeps its figures."""
    return next(value for value in vars(made).values() if isinstance(value, CollectorRegistry))


def queries() -> Iterator[tuple[str, str]]:
    """(where, query) of every rule and panel."""
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        yield from ((rule["alert"], rule["expr"]) for rule in group["rules"])
    for file in sorted((DEPLOY / "grafana").glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            yield from ((f"{file.stem}: {panel['title']}", target["expr"]) for target in panel["targets"])


def test_every_figure_that_is_asked_for_is_served() -> None:
    served = figures()
    asked = {name for _, query in queries() for name in NAME.findall(query)}
    assert asked - served == set()


def test_rules_have_what_prometheus_wants() -> None:
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            assert rule.keys() == {"alert", "expr", "for", "labels", "annotations"}
            assert re.fullmatch(r"\d+s", rule["for"])
            assert rule["annotations"].keys() == {"summary", "description", "runbook"}


def test_promtool_takes_them() -> None:
    if shutil.which("promtool") is None:
        pytest.skip("Prometheus is not on this machine")
    done = subprocess.run(
        ["promtool", "check", "rules", RULES], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", dashboards.DASHBOARDS)
def test_panels_lie_beside_one_another(name: str) -> None:
    panels = json.loads((DEPLOY / "grafana" / f"{name}.json").read_text())["panels"]
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < dashboards.WIDTH
    assert len({panel["id"] for panel in panels}) == len(panels)
