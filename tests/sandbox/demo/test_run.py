"""The demo's own logic, with a real receiver, Google's stand-in and database; Dagster's runs are made in this process."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from rich.console import Console

from custom_events.errors import NeedsAction
from custom_events.ledger import send
from custom_events.pipeline.drain import drain_sync
from custom_events.postgres.connect import engine as connect
from custom_events.settings import Settings, settings
from orchestration import dbt_project
from sandbox.demo import figures as demo_figures
from sandbox.demo import google, ready, run
from sandbox.demo.figures import Figures
from sandbox.demo.progress import display
from sandbox.google_ads.server import SandboxGoogle
from sandbox.stores.sender import Sent
from supervisor.processes import Program, Supervisor

PORTS = ("RECEIVER", "CONSOLE", "DAGSTER", "SANDBOX_GRPC", "SANDBOX_HTTP")


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings with a directory and ports of their own."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in PORTS]
    for name, probe in zip(PORTS, probes, strict=True):
        monkeypatch.setenv(f"CUSTOM_EVENTS_{name}_PORT", str(probe.getsockname()[1]))
        probe.close()
    monkeypatch.setenv("CUSTOM_EVENTS_LOCAL_DIRECTORY", str(tmp_path / "local"))
    monkeypatch.setenv("no_proxy", "localhost,127.0.0.1")
    settings.cache_clear()
    yield settings()
    settings.cache_clear()


class Hands(Supervisor):
    """Starts no Dagster and no console; does the runs' work itself whenever the demo looks after its children."""

    def start(self, program: Program) -> Any:  # type: ignore[no-untyped-def]
        if program.name in {"receiver", "google"}:
            return super().start(program)
        return None

    def check(self) -> None:
        super().check()
        url = self.environment["DATABASE_URL"]
        drain_sync(url, settings(), until_idle_s=0, limit_s=30, on_batch=lambda _: None)
        made = connect(url)
        try:
            send.drain(made, settings(), until_idle_s=0, limit_s=30)
        finally:
            made.dispose()


@pytest.mark.long
@pytest.mark.usefixtures("untraced_processes")
def test_the_demo_follows_every_webhook_to_an_answer(
    configured: Settings, database: str, monkeypatch: pytest.MonkeyPatch, sandbox_google: SandboxGoogle
) -> None:
    # gRPC trusts one authority a process: the stand-in's process gets the one this process trusts already.
    shutil.copytree(sandbox_google.ca_file.parent, google.directory(configured))
    for name, value in google.google_environment(configured).items():
        if name != google.TRUST_VARIABLE:
            monkeypatch.setenv(name, value)
    settings.cache_clear()
    monkeypatch.setattr(run, "Supervisor", Hands)
    console = Console(record=True, width=120, force_terminal=False)
    assert run.run(settings(), database, console, once=True) == 0, console.export_text()
    written = json.loads((configured.local_directory / run.FIGURES_FILE).read_text())
    assert written["sums_agree"] is True
    assert written["run"] == 1
    assert written["uploads"]["accepted"] > 100
    text = console.export_text()
    assert "The sums agree." in text
    assert "Conversions at Google" in text
    reports_agree(database, written)


def reports_agree(url: str, written: dict[str, Any]) -> None:
    """dbt builds on this database, its tests pass, and its marts say what the demo said."""
    project = str(dbt_project.PROJECT_DIRECTORY)
    build = subprocess.run(
        [
            Path(sys.executable).with_name("dbt"),
            "build",
            "--quiet",
            "--project-dir",
            project,
            "--profiles-dir",
            project,
        ],
        env={**os.environ, **dbt_project.environment(url)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert build.returncode == 0, build.stdout[-3_000:] + build.stderr[-1_000:]
    made = connect(url)
    with made.connect() as connection:
        accepted = connection.execute(sa.text("SELECT sum(accepted) FROM reporting.fct_funnel_daily")).scalar_one()
        received = connection.execute(sa.text("SELECT sum(received) FROM reporting.fct_funnel_daily")).scalar_one()
        value = connection.execute(
            sa.text("SELECT sum(value_at_google) FROM reporting.fct_conversions_by_definition")
        ).scalar_one()
    made.dispose()
    assert accepted == written["uploads"]["accepted"]
    assert received == written["received"]
    assert float(value) == pytest.approx(sum(written["value_sent"].values()))


def figures(**changes: object) -> Figures:
    values: dict[str, object] = {
        "received": 10,
        "refused": 2,
        "landed": 8,
        "parked": 1,
        "ignored": 1,
        "understood": 6,
        "refused_by_reason": {"too_old": 2},
        "parked_by_reason": {"unknown_topic": 1},
        "ignored_by_reason": {"product_topic": 1},
        "commerce_events": {"order.paid": 3},
        "custom_events": {"purchase": 3},
        "accepted": {"purchase": 2},
        "uploads": {"accepted": 2, "withheld": 1},
        "adjustments": {},
        "reasons": {},
        "value_sent": {"Shop": Decimal("12.50")},
        "sums_agree": True,
        "gaps": [],
        "open_work": {"raw_events": 0},
    }
    return Figures(**{**values, **changes})  # type: ignore[arg-type]


def test_the_stores_count_and_ours_must_be_the_same() -> None:
    sent = Sent(posts=11, by_status=Counter({200: 9, 401: 2}), by_kind=Counter({("ping", 200): 1, ("order", 200): 8}))
    nothing = figures(received=0, refused=0, landed=0)
    assert demo_figures.disagreements(sent, nothing, figures()) == []
    (gap,) = demo_figures.disagreements(sent, nothing, figures(received=9))
    assert gap == "received: the stores posted 10, the receiver counted 9."
    (gap,) = demo_figures.disagreements(sent, nothing, figures(refused=1))
    assert gap == "refused: the stores were refused 2 times, the receiver counted 1."


def test_what_moves_is_not_settled() -> None:
    assert figures().settled
    assert not figures(open_work={"raw_events": 0, "uploads": 1}).settled


def test_progress_shows_the_step_and_a_bar_for_each_stage() -> None:
    console = Console(record=True, width=100, force_terminal=False)
    console.print(display("First wave", 3.4, None))
    console.print(display("First wave", 4.6, figures()))
    text = console.export_text()
    assert "First wave  (3 s)" in text
    assert "First wave  (5 s)" in text
    assert "8 of 10" in text
    assert "accepted by Google" in text


def test_the_next_run_has_the_next_number(tmp_path: Path) -> None:
    file = tmp_path / "demo.json"
    assert run._run_number(file) == 1
    demo_figures.write(file, figures(), run=4, seconds=1.0)
    assert run._run_number(file) == 5
    file.write_text("{}")
    assert run._run_number(file) == 1


def test_a_service_that_never_answers_is_an_error_that_names_the_logs(tmp_path: Path) -> None:
    with pytest.raises(NeedsAction, match="does not answer after 0 s; see the logs in"):
        ready.wait_until_ready("http://127.0.0.1:1/readyz", Supervisor(tmp_path / "logs", {}), limit_s=0.01)


def test_figures_are_read_from_an_empty_database(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        found = demo_figures.read(connection)
    assert found.settled
    assert found.sums_agree
    assert found.received == 0
