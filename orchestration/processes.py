"""Starts the product's processes, watches them, and ends every one of them, whoever started it further down.

Each child gets a process group and log file of its own, dies with its parent (PR_SET_PDEATHSIG), and carries a mark in
its environment that its own children inherit: what is left after the groups were ended is found by that mark.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import psutil

from custom_events.errors import NeedsAction

MARK = "CUSTOM_EVENTS_SUPERVISOR"
STOP_LIMIT_S = 15.0  # for a graceful end; Dagster's webserver needs the longest
KILL_LIMIT_S = 5.0
LOG_TAIL_LINES = 12
# Run by the child before it becomes the program (15 ms); as preexec_fn it would run gRPC's fork handlers, which abort.
_DIE_WITH_PARENT = f"""
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, {int(signal.SIGTERM)})  # PR_SET_PDEATHSIG of linux/prctl.h
if os.getppid() != int(sys.argv[1]):  # it died before the line above
    sys.exit(1)
os.execvp(sys.argv[2], sys.argv[2:])
"""


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """What to run: `port` is checked to be free before the start; `port_setting` is named when it is not."""

    name: str
    arguments: Sequence[str]
    port: int | None = None
    port_setting: str | None = None


def python(module: str, *arguments: str) -> list[str]:
    """The command line of one of our modules, by the interpreter that runs this."""
    return [sys.executable, "-m", module, *arguments]


def check_ports(programs: Sequence[Program], host: str = "127.0.0.1") -> None:
    """Raises NeedsAction that names every port in use and the setting that moves it."""
    taken = [program for program in programs if program.port is not None and not _is_free(host, program.port)]
    if taken:
        listed = "; ".join(f"port {p.port} ({p.name}): set {p.port_setting} to another one" for p in taken)
        raise NeedsAction(f"In use already: {listed}, or end the program that uses it.")


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


class Supervisor:
    """Children of one command. `stop` may be called more than once and from a signal handler's exception."""

    def __init__(self, logs: Path, environment: Mapping[str, str]) -> None:
        self.logs = logs
        self.mark = uuid.uuid4().hex
        self.environment = {**os.environ, **environment, MARK: self.mark}
        self.children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, program: Program) -> subprocess.Popen[bytes]:
        """Starts one child; its output goes to `<logs>/<name>.log`."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with self.log_file(program.name).open("wb") as log:
            child = subprocess.Popen(  # noqa: S603  (our own command lines)
                [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()), *program.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment,
                start_new_session=True,
            )
        self.children[program.name] = child
        return child

    def log_file(self, name: str) -> Path:
        """Where a child's output goes."""
        return self.logs / f"{name}.log"

    def check(self) -> None:
        """Raises NeedsAction, with the end of its log, when a child has ended by itself."""
        for name, child in self.children.items():
            if child.poll() is not None:
                lines = self.log_file(name).read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
                raise NeedsAction(
                    f"{name} ended with exit code {child.returncode}; its log {self.log_file(name)} says:\n"
                    + "\n".join(lines)
                )

    def stop(self) -> None:
        """Ends all children, youngest first, and whatever they started."""
        for child in reversed(self.children.values()):
            _signal_group(child, signal.SIGTERM)
        deadline = time.monotonic() + STOP_LIMIT_S
        for child in self.children.values():
            _wait(child, deadline - time.monotonic())
        for child in self.children.values():
            _signal_group(child, signal.SIGKILL)
            _wait(child, KILL_LIMIT_S)
        self.children.clear()
        end_marked(self.mark)


def end_marked(mark: str) -> list[int]:
    """Ends every process that carries this mark in its environment; returns their ids."""
    left = [process for process in psutil.process_iter() if process.pid != os.getpid() and _carries(process, mark)]
    for process in left:
        _quietly(process.terminate)
    _, alive = psutil.wait_procs(left, timeout=KILL_LIMIT_S)
    for process in alive:
        _quietly(process.kill)
    return [process.pid for process in left]


def _carries(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get(MARK) == mark
    except (psutil.Error, OSError):
        return False


def _quietly(action: Callable[[], None]) -> None:
    try:
        action()
    except psutil.Error:
        return


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return


def _wait(child: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        child.wait(max(0.0, seconds))
    except subprocess.TimeoutExpired:
        return
