"""One run of the product: its processes with gates between them, who tends them, and by what hands they are disturbed."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
from pydantic import SecretStr

from chaos.clock import ShiftedClock
from chaos.database import Database
from chaos.gates import Gates
from chaos.traffic import Plan
from custom_events import private_files
from custom_events.settings import DOTENV, Settings, as_variables
from sandbox.demo import google
from sandbox.demo.ready import wait_until_ready
from supervisor import programs
from supervisor.processes import CHILD_MARK, QUICK_S, Program, Supervisor, python

ROOT: Final = Path(__file__).parents[1]
TEND_EVERY_S: Final = 0.2
START_LIMIT_S: Final = 180.0  # Dagster's imports on a machine that is busy otherwise
END_LIMIT_S: Final = 60.0
CONTROL_LIMIT_S: Final = 60.0
REPLAY_WINDOW_S: Final = 7 * 24 * 3_600  # posts are signed once, when the plan begins
BESIDE_DAGSTER: Final = ("15", "20")  # seconds that our worker works, and then leaves the work to Dagster's runs
# Google takes adjustments of wbraid conversions and does nothing with them: what was sent before a refund would differ from what was not.
SWITCHES: Final = {"wbraid_conversions_adjustable": True}
UP, WORKER, SENDER, RECEIVER, CONSOLE = "up", "worker", "sender", "receiver", "console"
SANDBOX: Final = "google"  # as sandbox.demo.google names the program
WHOLE: Final = (UP, CONSOLE, programs.CODE_SERVER, programs.WEBSERVER, programs.DAEMON)


def free_ports(count: int) -> list[int]:
    """TCP ports that nobody listens on now."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    numbers = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return numbers


class NotNow(Exception):
    """What a fault is about is not there at this moment."""


class Stage:
    """`is_whole`: all that `custom-events up` runs, with Dagster; else the receiver alone. A worker and a sender of our own are
    beside it; the sender only where it `is_sending`."""

    def __init__(
        self, directory: Path, database: Database, name: str, key: str, *, is_whole: bool, is_sending: bool = True
    ) -> None:
        private_files.make_directory(directory)
        self.directory, self.database, self.name, self.is_whole = directory, database, name, is_whole
        self._ours = (WORKER, SENDER) if is_sending else (WORKER,)
        at_database, at_grpc, at_http, self._grpc, self._http, receiver, console, dagster, figures = free_ports(9)
        self.gates = Gates()
        self.to_database = self.gates.before_socket(at_database, database.socket)
        self.to_google = (self.gates.before_port(at_grpc, self._grpc), self.gates.before_port(at_http, self._http))
        self.settings = Settings(
            _env_file=None,  # pyright: ignore[reportCallIssue]
            DATABASE_URL=SecretStr(f"postgresql://custom_events@127.0.0.1:{at_database}/{name}?sslmode=disable"),  # pyright: ignore[reportCallIssue]
            local_directory=directory,
            secret_key=SecretStr(key),
            receiver_port=receiver,
            receiver_figures_port=figures,
            console_port=console,
            dagster_port=dagster,
            sandbox_grpc_port=at_grpc,
            sandbox_http_port=at_http,
            replay_window_s=REPLAY_WINDOW_S,
            google_ads_operations_per_day=None,
            google_ads_operations_per_minute=100_000,
            data_manager_requests_per_day=None,
            data_manager_requests_per_minute=100_000,
            upload_account_calls_per_minute=100_000,
            upload_timeout_s=10,
            upload_lease_s=30,
        )
        self.clock_file = directory / "clock"
        self.clock = ShiftedClock(self.clock_file)
        self.supervisor = Supervisor(directory / "logs", self._environment())
        self._google = Supervisor(directory / "logs", self._environment())
        self.load: subprocess.Popen[bytes] | None = None
        self._ended = threading.Event()
        self._tenders = [
            threading.Thread(target=self._tend, args=(work,), name="tender", daemon=True)
            for work in (self._tend_programs, database.tend)
        ]

    @property
    def receiver(self) -> str:
        """Where stores post."""
        return f"http://127.0.0.1:{self.settings.receiver_port}"

    @property
    def direct_url(self) -> str:
        """The database, past its gate."""
        return self.database.url(self.name)

    @property
    def control_address(self) -> str:
        """The sandbox's remote control, past its gate."""
        return f"http://127.0.0.1:{self._http}/control"

    def start(self) -> None:
        """Start every process, and wait until deliveries are taken. Raises NeedsAction where they are not."""
        beyond = self.settings.model_copy(update={"sandbox_grpc_port": self._grpc, "sandbox_http_port": self._http})
        product = (
            Program(name=UP, arguments=python("cli.main", "up")) if self.is_whole else programs.receiver(self.settings)
        )
        ours = {
            WORKER: python("chaos.worker", *(BESIDE_DAGSTER if self.is_whole else ())),
            SENDER: python("chaos.sender", str(self.clock_file)),
        }
        self._google.start(google.google_program(beyond, journal=self.directory / "google.journal"))
        for program in (product, *(Program(name=name, arguments=ours[name]) for name in self._ours)):
            self.supervisor.start(program)
        wait_until_ready(f"{self.control_address}/health", self._google, START_LIMIT_S)
        self.control("POST", "switches", SWITCHES)
        wait_until_ready(f"{self.receiver}/readyz", self.supervisor, START_LIMIT_S)
        for tender in self._tenders:
            tender.start()

    def begin_load(self, plan: Plan) -> Path:
        """Start the stores, in a process of their own; the journal of what they saw."""
        file, journal = self.directory / "plan.json", self.directory / "journal.jsonl"
        plan.write(file)
        journal.touch()
        command = [sys.executable, "-m", "chaos.load", str(file), str(journal), "--receiver", self.receiver]
        with (self.directory / "logs" / "load.log").open("wb") as log:
            self.load = subprocess.Popen(command, env=self.supervisor.environment, stdout=log, stderr=log)
        return journal

    def control(self, method: str, what: str, body: Any = None) -> Any:
        """Ask the sandbox's Google for something, past its gate; one that was killed is started again first. By this thread: a process dies
        with the thread that started it, and Google is needed after those that tend have ended."""
        address, deadline = f"{self.control_address}/{what}", time.monotonic() + START_LIMIT_S
        while True:
            try:
                answer = httpx.request(method, address, json=body, timeout=CONTROL_LIMIT_S, trust_env=False)
                break
            except httpx.ConnectError:
                if time.monotonic() > deadline:
                    raise
                self._google.children[SANDBOX].quick_ends = 0
                self._google.tend()
                time.sleep(TEND_EVERY_S)
        answer.raise_for_status()
        return answer.json()

    def processes(self, program: str) -> list[psutil.Process]:
        """The living processes of a program, its first one first."""
        marked: list[psutil.Process] = []
        for process in psutil.Process(os.getpid()).children(recursive=True):
            try:
                mark = process.environ().get(CHILD_MARK, "")
            except (psutil.Error, OSError):
                continue
            if mark.partition(":")[2] == program:
                marked.append(process)
        return marked

    def works(self) -> bool:
        """Whether every program lives and answers."""
        names = (RECEIVER, *self._ours, *(WHOLE if self.is_whole else ()))
        if not all(map(self.processes, names)):
            return False
        console, dagster = (
            f"http://127.0.0.1:{port}" for port in (self.settings.console_port, self.settings.dagster_port)
        )
        addresses = (f"{console}/readyz", f"{dagster}/server_info") if self.is_whole else ()
        try:
            answers = [
                httpx.get(address, timeout=CONTROL_LIMIT_S, trust_env=False)
                for address in (f"{self.receiver}/readyz", *addresses)
            ]
        except httpx.TransportError:
            return False
        return all(answer.is_success for answer in answers)

    def kill(self, program: str, *, is_grown: bool) -> None:
        """kill -9 of its first process; one that began a moment ago is left alone where `is_grown`. Raises NotNow without one."""
        for process in self.processes(program)[:1]:
            try:
                if is_grown and time.time() - process.create_time() < QUICK_S:
                    break
                process.kill()
            except psutil.Error:
                break
            return
        raise NotNow

    def storm(self) -> None:
        """Have the stores post again what they posted last. Raises NotNow when they have ended."""
        if self.load is None or self.load.poll() is not None:
            raise NotNow
        self.load.send_signal(signal.SIGUSR1)

    def end_programs(self) -> None:
        """End every program but Google."""
        self._end_tending()
        self.supervisor.stop()

    def stop(self) -> None:
        """End everything; a second call does nothing."""
        self._end_tending()
        if self.load is not None and self.load.poll() is None:
            self.load.kill()
            self.load.wait()
        self.supervisor.stop()
        self._google.stop()
        self.gates.stop()

    def _environment(self) -> dict[str, str]:
        return {
            **as_variables(self.settings),
            **google.google_environment(self.settings),
            "PYTHONPATH": str(ROOT),
            DOTENV: "",
            "CUSTOM_EVENTS_DRAIN_IDLE_S": "60",
        }

    def _end_tending(self) -> None:
        self._ended.set()
        for tender in self._tenders:
            if tender.ident is not None:
                tender.join()

    def _tend(self, work: Callable[[], object]) -> None:
        while not self._ended.wait(TEND_EVERY_S):
            work()

    def _tend_programs(self) -> None:
        for child in self.supervisor.children.values():
            child.quick_ends = 0  # whoever is killed again and again can live all the same
        self.supervisor.tend()
