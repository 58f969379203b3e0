"""Starts the product's processes, starts again what dies, and ends every one of them, whoever started it further down.

Each child gets a process group and log file of its own, dies with its parent (PR_SET_PDEATHSIG), and carries two marks in
its environment that its own children inherit: of the supervisor and of itself. What is left of a child after its group was ended
is found by its mark.

A child that ends by itself is started again, after a wait that doubles while it ends soon after its start. One that has ended
so QUICK_ENDS times in a row cannot live here: `tend` then raises with the end of its log.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path

import msgspec
import psutil

from custom_events import private_files
from custom_events.errors import NeedsAction

MARK = "CUSTOM_EVENTS_SUPERVISOR"
CHILD_MARK = "CUSTOM_EVENTS_SUPERVISED"
STOP_LIMIT_S = 15.0  # for a graceful end: a batch under way is finished
QUICK_S = 10.0  # a child that ends within this time of its start has ended quickly
QUICK_ENDS = 5  # in a row: it cannot live
FIRST_WAIT_S = 0.5  # before a child is started again; doubles with each quick end
LONGEST_WAIT_S = 60.0
PROBE_EVERY_S = 10.0
PROBE_LIMIT_S = 2.0  # for one answer
PROBE_MISSES = 6  # in a row, a minute: the child hangs, and is ended and started again
KILL_LIMIT_S = 5.0
ORPHANS_EVERY_S = 20.0  # what a killed run leaves behind (dbt works on) is ended when it is seen twice
LOG_TAIL_LINES = 12
# Run by the child before it becomes the program (15 ms); as preexec_fn it would run gRPC's fork handlers, which abort.
_BECOME = f"""
import ctypes, os, signal, sys
for number in (signal.SIGINT, signal.SIGTERM):  # a shell has what it starts with & ignore SIGINT, and Dagster then SIGTERM, too
    signal.signal(number, signal.SIG_DFL)
ctypes.CDLL(None).prctl(1, {int(signal.SIGTERM)})  # PR_SET_PDEATHSIG of linux/prctl.h
if os.getppid() != int(sys.argv[1]):  # it died before the line above
    sys.exit(1)
os.execvp(sys.argv[2], sys.argv[2:])
"""


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """What to run: `port` is checked to be free before the start; `port_setting` is named when it is not. `health`: an address
    that answers 2xx while the program works. `unlink`: a socket file that a killed one leaves behind. `restrict` makes its environment of
    the supervisor's; None: it is given all of it."""

    name: str
    arguments: Sequence[str]
    port: int | None = None
    port_setting: str | None = None
    health: str | None = None
    unlink: Path | None = None
    restrict: Callable[[Mapping[str, str]], dict[str, str]] | None = None


class Child:
    """A program and its process, if it has one now."""

    def __init__(self, program: Program, mark: str) -> None:
        self.program, self.mark = program, mark
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.quick_ends = 0
        self.start_at: float | None = None  # when to start it again; None: it runs
        self.probed_at = 0.0
        self.misses = 0


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
        self.children: dict[str, Child] = {}
        self._orphans: set[psutil.Process] = set()  # those of the last look
        self._orphans_at = 0.0

    def take_over(self, file: Path) -> list[str]:
        """End what an earlier supervisor has left that was killed, and note in `file` whose processes there are now. Children are told to
        end with it; one that does not listen works on (seen of Dagster's code server, told while it started). Sentences of what was ended."""
        left: list[int] = []
        try:
            mark, number, started = file.read_text().split()
            if _started(int(number)) != started:
                left = end_marked(mark)
        except (OSError, ValueError):  # there was none, or it was killed while it wrote
            pass
        private_files.make_directory(file.parent)
        with os.fdopen(private_files.open_for_appending(file), "w") as own:
            own.truncate(0)
            own.write(f"{self.mark} {os.getpid()} {_started(os.getpid())}")
        return [f"Process {pid} is ended: an earlier run was killed and left it." for pid in left]

    def start(self, program: Program) -> subprocess.Popen[bytes]:
        """Start one child; its output goes to `<logs>/<name>.log`."""
        private_files.make_directory(self.logs)
        self.log_file(program.name).unlink(missing_ok=True)
        child = self.children[program.name] = Child(program, f"{self.mark}:{program.name}")
        return self._launch(child)

    def _launch(self, child: Child) -> subprocess.Popen[bytes]:
        program, restrict = child.program, child.program.restrict
        if program.unlink is not None:
            program.unlink.unlink(missing_ok=True)
        with os.fdopen(private_files.open_for_appending(self.log_file(program.name)), "ab") as log:
            child.process = subprocess.Popen(  # noqa: S603  (our own command lines)
                [sys.executable, "-I", "-S", "-c", _BECOME, str(os.getpid()), *program.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**(self.environment if restrict is None else restrict(self.environment)), CHILD_MARK: child.mark},
                start_new_session=True,
            )
        child.started_at, child.start_at, child.misses = time.monotonic(), None, 0
        return child.process

    def log_file(self, name: str) -> Path:
        """Where a child's output goes."""
        return self.logs / f"{name}.log"

    def tend(self) -> list[str]:
        """Start again what has died and is due, end what hangs. Sentences of what happened. Call it every second or so.

        Raises NeedsAction, with the end of its log, when a child cannot live.
        """
        sentences: list[str] = []
        for child in self.children.values():
            now = time.monotonic()
            if child.start_at is not None:
                if now >= child.start_at:
                    self._launch(child)
                    sentences.append(f"{child.program.name} is started again.")
            elif child.process is not None and (code := child.process.poll()) is not None:
                sentences.append(self._ended(child, code, now))
            elif child.program.health is not None and now - child.probed_at >= PROBE_EVERY_S:
                child.probed_at = now
                child.misses = 0 if _answers(child.program.health) else child.misses + 1
                if child.misses >= PROBE_MISSES:
                    sentences.append(self.restart(child.program.name, "it does not answer"))
        return sentences

    def restart(self, name: str, reason: str) -> str:
        """End a child and all that it started, and start it again. The sentence that says so."""
        child = self.children[name]
        if child.process is not None:
            end_child(child)
        child.start_at = time.monotonic()
        return f"{name} is ended and started again: {reason}."

    def end_orphans(self, now_s: float) -> list[str]:
        """End what a killed process of ours had started and nobody waits for any more: dbt works on after its run was killed, beside
        the next one's. Sentences of what was ended. Call it as often as `tend`."""
        if now_s - self._orphans_at < ORPHANS_EVERY_S:
            return []
        self._orphans_at = now_s
        orphans = _orphans(self.mark)
        left = [process for process in orphans if process in self._orphans]
        self._orphans = orphans
        sentences = [
            f"Process {process.pid} ({_name(process)}) is ended: what had started it is gone." for process in left
        ]
        _end(left)
        return sentences

    def _ended(self, child: Child, code: int, now: float) -> str:
        end_child(child)
        name = child.program.name
        child.quick_ends = child.quick_ends + 1 if now - child.started_at < QUICK_S else 0
        if child.quick_ends >= QUICK_ENDS:
            raise NeedsAction(
                f"{name} cannot live: it ended {QUICK_ENDS} times within {QUICK_S:.0f} s of its start, the last time with "
                f"exit code {code}; its log {self.log_file(name)} says:\n{self._end_of_log(name)}"
            )
        wait_s = min(FIRST_WAIT_S * 2**child.quick_ends, LONGEST_WAIT_S)
        child.start_at = now + wait_s
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return f"{name} {how}, and is started again in {wait_s:.1f} s; its log: {self.log_file(name)}"

    def check(self) -> None:
        """Raise NeedsAction, with the end of its log, when a child has ended by itself: for whoever waits for a first answer."""
        for name, child in self.children.items():
            if child.process is not None and child.process.poll() is not None:
                raise NeedsAction(
                    f"{name} ended with exit code {child.process.returncode}; its log {self.log_file(name)} says:\n"
                    + self._end_of_log(name)
                )

    def _end_of_log(self, name: str) -> str:
        return "\n".join(self.log_file(name).read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])

    def stop(self) -> None:
        """End all children at once, and whatever they started."""
        processes = [child.process for child in self.children.values() if child.process is not None]
        for process in reversed(processes):
            _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + STOP_LIMIT_S
        for process in processes:
            _wait(process, deadline - time.monotonic())
        for process in processes:
            _signal_group(process, signal.SIGKILL)
            _wait(process, KILL_LIMIT_S)
        self.children.clear()
        end_marked(self.mark)


def end_child(child: Child) -> None:
    """End what is left of a child: its process, its group, and whatever carries its mark."""
    if child.process is not None:
        _signal_group(child.process, signal.SIGKILL)
        _wait(child.process, KILL_LIMIT_S)
    end_marked(child.mark, CHILD_MARK)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=PROBE_LIMIT_S) as answer:  # noqa: S310  (our own http address)
            return answer.status == HTTPStatus.OK
    except OSError:
        return False


def end_marked(mark: str, variable: str = MARK) -> list[int]:
    """End every process that carries this mark in its environment; their ids."""
    left = _marked(variable, mark)
    _end(left)
    return [process.pid for process in left]


def _marked(variable: str, mark: str) -> list[psutil.Process]:
    return [
        process for process in psutil.process_iter() if process.pid != os.getpid() and _carries(process, variable, mark)
    ]


def _orphans(mark: str) -> set[psutil.Process]:
    """Marked processes whose parent is neither marked nor this one."""
    marked = _marked(MARK, mark)
    parents = {process.pid for process in marked} | {os.getpid()}
    return {process for process in marked if _parent(process) not in parents}


def _parent(process: psutil.Process) -> int | None:
    try:
        return process.ppid()
    except psutil.Error:
        return os.getpid()  # it has ended


def _started(pid: int) -> str | None:
    """When a process was started, to tell it from a later one of the same number; None: there is none."""
    try:
        return f"{psutil.Process(pid).create_time():.2f}"
    except psutil.Error:
        return None


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.Error:
        return "ended"


def _end(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        _quietly(process.terminate)
    _, alive = psutil.wait_procs(processes, timeout=KILL_LIMIT_S)
    for process in alive:
        _quietly(process.kill)


def _carries(process: psutil.Process, variable: str, mark: str) -> bool:
    try:
        return process.environ().get(variable) == mark
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
