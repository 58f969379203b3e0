"""The demo as a user runs it: every process real, in a directory and on ports of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
LIMIT_S = 280  # settled in 60 to 120 s on two cores; a test process beside it takes its share
SETTINGS = (
    "CUSTOM_EVENTS_RECEIVER_PORT",
    "CUSTOM_EVENTS_CONSOLE_PORT",
    "CUSTOM_EVENTS_DAGSTER_PORT",
    "CUSTOM_EVENTS_SANDBOX_GRPC_PORT",
    "CUSTOM_EVENTS_SANDBOX_HTTP_PORT",
)

pytestmark = [pytest.mark.flow, pytest.mark.timeout(2 * LIMIT_S + 60)]


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


@pytest.fixture
def environment(server_directory: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "DAGSTER_HOME"}}
    ports = dict(zip(SETTINGS, map(str, free_ports(len(SETTINGS))), strict=True))
    return {**kept, **ports, "CUSTOM_EVENTS_LOCAL_DIRECTORY": str(server_directory / "local")}


@contextmanager
def demo(environment: dict[str, str], *arguments: str) -> Generator[subprocess.Popen[str]]:
    """The command, ended at the end of the block whatever happened."""
    command = [sys.executable, "-m", "cli.main", "demo", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=pipe, stderr=subprocess.STDOUT, text=True
    ) as child:
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                child.kill()


def left_of(environment: dict[str, str]) -> list[str]:
    """Processes that still work for this demo: by its directory, in environment or command line."""
    directory = environment["CUSTOM_EVENTS_LOCAL_DIRECTORY"]
    found: list[str] = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), process.environ().get("CUSTOM_EVENTS_LOCAL_DIRECTORY", "")]
        except (psutil.Error, OSError):
            continue
        if process.pid != os.getpid() and any(directory in word for word in words):
            found.append(f"{process.pid} {' '.join(process.cmdline())[:120]}")
    return found


@pytest.mark.long
def test_once_settles_and_the_sums_agree_twice(environment: dict[str, str]) -> None:
    for run in (1, 2):
        with demo(environment, "--once") as child:
            output, _ = child.communicate(timeout=LIMIT_S)
        assert child.returncode == 0, output[-4_000:]
        figures = json.loads((Path(environment["CUSTOM_EVENTS_LOCAL_DIRECTORY"]) / "demo.json").read_text())
        assert figures["run"] == run
        assert figures["sums_agree"] is True
        assert figures["received"] >= 600 * run
        assert figures["refused"] >= 6 * run
        assert figures["landed"] == figures["received"] - figures["refused"]
        assert figures["parked"] == 2  # posted again in the second run: repeated deliveries
        assert figures["uploads"]["accepted"] > 100 * run
        assert figures["adjustments"]["accepted"] > 10 * run
        assert set(figures["custom_events"]) >= {
            "purchase",
            "first_purchase",
            "subscription_renewal",
            "customer_signup",
        }
        # Two bodies tell of each of Shopify's renewals, and only together do they have a value. Half of the customers are asked for
        # consent and refuse it, or are in Europe and were not asked.
        assert figures["accepted"]["subscription_renewal"] >= 5 * run
        assert "withheld: value_unknown" not in figures["reasons"]
        assert figures["seconds"] > 0
        assert left_of(environment) == []


def test_sigterm_ends_every_process(environment: dict[str, str]) -> None:
    with demo(environment) as child:
        log = Path(environment["CUSTOM_EVENTS_LOCAL_DIRECTORY"]) / "logs" / "dagster-daemon.log"
        deadline = time.monotonic() + LIMIT_S
        while not log.exists() and time.monotonic() < deadline and child.poll() is None:
            time.sleep(0.2)
        assert log.exists(), child.communicate(timeout=10)[0] if child.poll() is not None else "Dagster was not started"
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=60)
    assert left_of(environment) == []


def test_a_port_in_use_is_a_clear_error(environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(environment["CUSTOM_EVENTS_RECEIVER_PORT"])))
        taken.listen()
        with demo(environment, "--once") as child:
            output, _ = child.communicate(timeout=LIMIT_S)
    assert child.returncode == 1
    assert "CUSTOM_EVENTS_RECEIVER_PORT" in output
    assert "Traceback" not in output
