"""Children are watched and ended, whoever started them further down."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from custom_events.errors import NeedsAction
from supervisor.processes import MARK, ORPHANS_EVERY_S, Program, Supervisor, check_ports, end_marked, python

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
    """Whose children may be ended as soon as they are started: where this process ignores SIGTERM (a run in the background, and Dagster is
    imported), so do they until they are programs, and `stop` would have its whole patience with them."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    made = Supervisor(tmp_path / "logs", {"PYTHONUNBUFFERED": "1"})
    yield made
    made.stop()
    signal.signal(signal.SIGTERM, before)


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
    monkeypatch.setattr("supervisor.processes.STOP_LIMIT_S", 0.2)
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
from supervisor.processes import Program, Supervisor
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


def test_what_a_killed_supervisor_left_is_ended_by_the_next_one(supervisor: Supervisor, tmp_path: Path) -> None:
    file = tmp_path / "local/processes"
    assert supervisor.take_over(file) == []
    child = supervisor.start(program("deaf", STUBBORN))
    assert Supervisor(tmp_path / "logs", {}).take_over(file) == [], "it lives"
    mark, number, _ = file.read_text().split()
    assert (mark != supervisor.mark, int(number)) == (True, os.getpid())
    for before in ("", "what somebody wrote", f"{supervisor.mark} {os.getpid()} 12.00"):
        assert child.poll() is None
        file.write_text(before)
        ended = Supervisor(tmp_path / "logs", {}).take_over(file)
    assert ended == [f"Process {child.pid} is ended: an earlier run was killed and left it."]
    assert child.wait(PATIENCE_S) is not None
    assert not psutil.pid_exists(child.pid)


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


def test_a_child_that_is_killed_is_started_again_and_what_it_started_is_ended(supervisor: Supervisor) -> None:
    child = supervisor.start(program("parent", PARENT))
    until(lambda: supervisor.log_file("parent").read_text().strip(), "the grandchild's id")
    grandchild = int(supervisor.log_file("parent").read_text())
    child.kill()
    said: list[str] = []
    until(lambda: said.extend(supervisor.tend()) or len(said) > 1, "its end and its second start")
    assert said[0].startswith("parent was killed by signal 9, and is started again in 1.0 s; its log: ")
    assert said[1:] == ["parent is started again."]
    assert not _runs(grandchild)
    again = supervisor.children["parent"].process
    assert again is not None
    assert again.poll() is None


def test_a_child_that_cannot_live_is_given_up_with_the_reason(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.processes.FIRST_WAIT_S", 0.01)
    supervisor.start(program("short", "raise SystemExit('no database here')"))
    said: list[str] = []

    def given_up() -> bool:
        try:
            said.extend(supervisor.tend())
        except NeedsAction as error:
            said.append(str(error))
            return True
        return False

    until(given_up, "giving up")
    assert said[-1].startswith(
        "short cannot live: it ended 5 times within 10 s of its start, the last time with exit code 1"
    )
    assert said[-1].endswith("no database here")
    assert said.count("short is started again.") == 4


def test_a_child_that_hangs_is_ended_and_started_again(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.processes.PROBE_EVERY_S", 0.0)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # not listening: nothing answers there
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/healthz"
        child = supervisor.start(
            Program(name="deaf", arguments=[sys.executable, "-c", SLEEPER], health=address, unlink=Path("/nonexistent"))
        )
        said: list[str] = []
        until(lambda: said.extend(supervisor.tend()) or said, "the end of its patience")
    assert said == ["deaf is ended and started again: it does not answer."]
    assert child.poll() == -signal.SIGKILL
    until(lambda: "deaf is started again." in supervisor.tend(), "its second start")
    supervisor.check()


def test_a_child_listens_to_signals_that_its_parent_ignores(
    supervisor: Supervisor, request: pytest.FixtureRequest
) -> None:
    """As `custom-events up &` in a script: the shell has it ignore SIGINT, and Dagster does with SIGTERM as with SIGINT."""
    for number in (signal.SIGINT, signal.SIGTERM):
        request.addfinalizer(partial(signal.signal, number, signal.signal(number, signal.SIG_IGN)))
    shown = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler, signal.getsignal(signal.SIGTERM))"
    supervisor.start(program("listening", shown)).wait(PATIENCE_S)
    assert supervisor.log_file("listening").read_text() == f"True {signal.SIG_DFL!s}\n"


def test_what_a_killed_run_leaves_behind_is_ended_when_it_is_seen_twice(supervisor: Supervisor) -> None:
    """A grandchild (dbt) whose parent (the run) was killed, while the child (the code server) lives."""
    run = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]); time.sleep(600)"
    server = (
        "import subprocess, sys, time\n"
        f"print(subprocess.Popen([sys.executable, '-c', {run!r}]).pid, flush=True)\ntime.sleep(600)"
    )
    child = supervisor.start(program("server", server))
    until(lambda: supervisor.log_file("server").read_text().strip(), "the run's id")
    killed = psutil.Process(int(supervisor.log_file("server").read_text()))
    until(killed.children, "what the run starts")
    left = killed.children()[0]
    assert supervisor.end_orphans(ORPHANS_EVERY_S) == []  # all have their parents
    killed.kill()
    until(lambda: left.ppid() != killed.pid, "the end of the run")
    assert supervisor.end_orphans(2 * ORPHANS_EVERY_S) == []
    assert supervisor.end_orphans(2 * ORPHANS_EVERY_S + 1) == []  # not yet looked again
    (sentence,) = supervisor.end_orphans(3 * ORPHANS_EVERY_S)
    assert str(left.pid) in sentence
    until(lambda: not _runs(left.pid), "its end")
    assert child.poll() is None
