"""`custom-events up` as a service manager runs it, in a directory and on ports of its own, for tests that read it, kill it or end it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import psutil

from supervisor.processes import CHILD_MARK, MARK

ROOT: Final = Path(__file__).parents[2]
START_LIMIT_S: Final = 120.0  # Dagster's imports on a machine that is busy otherwise
END_LIMIT_S: Final = 60.0
LOOK_EVERY_S: Final = 0.1
DIRECTORY: Final = "CUSTOM_EVENTS_LOCAL_DIRECTORY"
PORTS: Final = ("CUSTOM_EVENTS_RECEIVER_PORT", "CUSTOM_EVENTS_CONSOLE_PORT", "CUSTOM_EVENTS_DAGSTER_PORT")
# Of the tester's own environment: not the product's.
NOT_OURS: Final = ("DATABASE_URL", "DAGSTER_HOME", "NOTIFY_SOCKET")
RUNS: Final = "Running until Ctrl-C."
UP: Final = (sys.executable, "-m", "cli.main", "up")
T = TypeVar("T")


def free_ports(count: int) -> list[int]:
    """TCP ports that nobody listens on now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def environment(directory: Path, settings: tuple[str, ...] = PORTS) -> dict[str, str]:
    """The tester's environment with a directory and free ports for one installation."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in NOT_OURS and not name.startswith(("CUSTOM_EVENTS_", "PG"))
    }
    ports = dict(zip(settings, map(str, free_ports(len(settings))), strict=True))
    # The command `custom-events` of the environment may belong to another checkout.
    return {**kept, **ports, DIRECTORY: str(directory), "PYTHONPATH": str(ROOT), "no_proxy": "localhost,127.0.0.1"}


def until(look: Callable[[], T], what: str, limit_s: float, seen_otherwise: Callable[[], object] = str) -> T:
    """What `look` returns once that is true. Fails after the limit with `what`, and with what is seen otherwise."""
    deadline = time.monotonic() + limit_s
    while not (seen := look()):
        assert time.monotonic() < deadline, f"{what}: not within {limit_s:.0f} s; {seen_otherwise()}"
        time.sleep(LOOK_EVERY_S)
    return seen


def others_too() -> float:
    """How many times longer than promised something may take: promises are for a machine of one's own, and where others use the cores
    too (another test process does), it takes as much longer as they take."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def answers(address: str) -> bool:
    """Whether somebody answers 200 there now."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def left_of(environment: Mapping[str, str]) -> list[str]:
    """Processes that still work for this installation: by its directory, in environment or command line."""
    found: list[str] = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), process.environ().get(DIRECTORY, "")]
        except (psutil.Error, OSError):
            continue
        if process.pid != os.getpid() and any(environment[DIRECTORY] in word for word in words):
            found.append(f"{process.pid} {' '.join(words)[:120]}")
    return found


class Stack:
    """The running command `up` and what it started."""

    def __init__(self, process: subprocess.Popen[bytes], environment: Mapping[str, str], output: Path) -> None:
        self.process, self.environment, self.output = process, environment, output
        self.receiver, self.console, self.dagster = (f"http://127.0.0.1:{environment[name]}" for name in PORTS)

    def said(self) -> str:
        """Its output so far."""
        return self.output.read_text(errors="replace")

    def runs(self) -> bool:
        """Whether it lives; fails with its output when it has ended."""
        assert self.process.poll() is None, self.said()[-4_000:]
        return True

    def children(self) -> dict[str, list[psutil.Process]]:
        """The living processes below it by program, the one that was started first before those it started."""
        found: dict[str, list[psutil.Process]] = {}
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                mark = process.environ().get(CHILD_MARK, "")
            except (psutil.Error, OSError):
                continue
            if mark:
                found.setdefault(mark.partition(":")[2], []).append(process)
        return found

    def marked(self) -> list[psutil.Process]:
        """Every process with the supervisor's mark, wherever it is by now: orphans, too."""
        marks = {process.environ()[MARK] for every in self.children().values() for process in every}
        return [process for process in psutil.process_iter() if _mark_of(process) in marks]

    def end(self, limit_s: float = END_LIMIT_S) -> None:
        """SIGTERM, and its end within the limit."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(limit_s)


def _mark_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None


@contextmanager
def running(environment: Mapping[str, str], command: Sequence[str] = UP, directory: Path = ROOT) -> Generator[Stack]:
    """`custom-events up`, ready to take deliveries; ended at the end of the block whatever happened."""
    output = Path(environment[DIRECTORY]).with_suffix(".up.log")
    with (
        output.open("wb") as log,
        subprocess.Popen(command, cwd=directory, env=environment, stdout=log, stderr=subprocess.STDOUT) as process,
    ):
        stack = Stack(process, environment, output)
        try:
            until(lambda: stack.runs() and RUNS in stack.said(), "the start", START_LIMIT_S)
            until(
                lambda: stack.runs() and answers(f"{stack.receiver}/readyz"), "the receiver's readiness", START_LIMIT_S
            )
            yield stack
        finally:
            process.terminate()
            try:
                process.wait(END_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
