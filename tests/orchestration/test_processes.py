"""Children are watched and ended, whoever started them further down."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from custom_events.errors import NeedsAction
from orchestration.processes import MARK, Program, Supervisor, check_ports, end_marked, python

PATIENCE_S = 20.0
SLEEPER = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
)
# A child that starts a grandchild in a session of its own, prints its id and waits.
PARENT = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {SLEEPER!r}], start_new_session=True)
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path / "logs", {"PYTHONUNBUFFERED": "1"})
    yield made
    made.stop()


def until(condition: object, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen in {PATIENCE_S} s")


def program(name: str, code: str) -> Program:
    return Program(name=name, arguments=[sys.executable, "-c", code])


def test_stop_ends_children_and_grandchildren(supervisor: Supervisor) -> None:
    child = supervisor.start(program("parent", PARENT))
    until(lambda: supervisor.log_file("parent").read_text().strip(), "the grandchild's id")
    grandchild = int(supervisor.log_file("parent").read_text())
    supervisor.stop()
    assert child.poll() is not None
    until(lambda: not _runs(grandchild), "the end of the grandchild")


def test_a_child_that_does_not_listen_is_killed(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.processes.STOP_LIMIT_S", 0.2)
    child = supervisor.start(program("deaf", STUBBORN))
    until(lambda: "deaf" in supervisor.log_file("deaf").read_text(), "its start")
    supervisor.stop()
    assert child.returncode == -signal.SIGKILL


def test_a_child_that_ends_by_itself_is_named_with_the_end_of_its_log(supervisor: Supervisor) -> None:
    child = supervisor.start(program("short", "raise SystemExit('no database here')"))
    child.wait(PATIENCE_S)
    with pytest.raises(NeedsAction, match=r"(?s)short ended with exit code 1.*no database here") as caught:
        supervisor.check()
    assert str(supervisor.log_file("short")) in str(caught.value)


def test_check_says_nothing_while_all_run(supervisor: Supervisor) -> None:
    supervisor.start(program("sleeper", SLEEPER))
    supervisor.check()


def test_children_end_with_a_killed_parent(tmp_path: Path) -> None:
    code = f"""
import sys, time
from pathlib import Path
from orchestration.processes import Program, Supervisor
made = Supervisor(Path({str(tmp_path)!r}), {{}})
child = made.start(Program(name="child", arguments=[sys.executable, "-c", {SLEEPER!r}]))
print(child.pid, flush=True)
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait(PATIENCE_S)
    parent.stdout.close()
    until(lambda: not _runs(child), "the end of the child")


def test_what_carries_the_mark_is_ended_and_nothing_else() -> None:
    marked = subprocess.Popen([sys.executable, "-c", SLEEPER], env={**os.environ, MARK: "mine"})
    other = subprocess.Popen([sys.executable, "-c", SLEEPER], env={**os.environ, MARK: "another's"})
    try:
        until(lambda: psutil.Process(marked.pid).environ().get(MARK) == "mine", "the child's environment")
        assert end_marked("mine") == [marked.pid]
        assert other.poll() is None
    finally:
        other.kill()
        other.wait(PATIENCE_S)
        marked.wait(PATIENCE_S)


def test_a_port_in_use_is_named_with_the_setting_that_moves_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        wanted = Program(name="receiver", arguments=[], port=port, port_setting="CUSTOM_EVENTS_RECEIVER_PORT")
        with pytest.raises(NeedsAction, match=rf"port {port} \(receiver\): set CUSTOM_EVENTS_RECEIVER_PORT"):
            check_ports([wanted])
    check_ports([wanted, Program(name="no port", arguments=[])])


def test_our_modules_run_by_this_interpreter() -> None:
    assert python("cli.main", "--help") == [sys.executable, "-m", "cli.main", "--help"]


def _runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
