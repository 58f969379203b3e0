"""Machines with a receiver, a drain and a sender each, on one database: in network namespaces, or all on this one's localhost."""

import os
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import httpx
import psutil
import psycopg

from benchmarks import fleet_world
from benchmarks.namespaces import Network
from custom_events.postgres import embedded, migrate
from custom_events.settings import Settings, variable_of
from sandbox.demo.google import SEED_FILE, directory, google_environment, google_program
from supervisor.processes import python

READY_LIMIT_S: Final = 120.0
END_LIMIT_S: Final = 20.0
LOOK_EVERY_S: Final = 0.1
RECEIVER_PORT: Final = 8850  # of machine 0 on localhost; in namespaces all have it
SANDBOX_PORTS: Final = (8848, 8849)  # gRPC, HTTP
HOST_RULE: Final = "host all all {network} trust\n"  # whoever is in this command's own namespaces
PROGRAMS: Final = ("receiver", "drain", "send")
# Google's quotas would be measured otherwise: a new project's calls are spread over its day (decision 16).
UNPACED: Final = {
    variable_of("google_ads_operations_per_day"): "",
    variable_of("google_ads_operations_per_minute"): "1000000",
    variable_of("upload_account_calls_per_minute"): "100000",
}


class Fleet:
    """Machines on one database. `url` is the database's for this process, `google` the sandbox's address."""

    def __init__(self, place: Path, url: str, network: Network | None, variables: Mapping[str, str]) -> None:
        self._place, self._network = place, network
        self.url = url
        self.settings = settings_of(place)
        self.google = f"http://127.0.0.1:{SANDBOX_PORTS[1]}"
        self.processes: dict[tuple[str, int], subprocess.Popen[bytes]] = {}
        self._logs = list[IO[bytes]]()
        there = url if network is None else f"postgresql://custom_events@{network.address}/custom_events"
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("CUSTOM_EVENTS", "DATABASE_URL"))
        }
        self._environment = {
            **kept,
            **google_environment(self.settings),
            "DATABASE_URL": there,
            "CUSTOM_EVENTS_LOCAL_DIRECTORY": str(place),
            "CUSTOM_EVENTS_LOG_LEVEL": "WARNING",
            variable_of("receiver_figures_port"): "",
            "DOTENV": "",
            **variables,
        }

    def start_google(self) -> None:
        """The sandbox, on this machine, led to the namespaces."""
        self._start(("google", 0), list(google_program(self.settings).arguments), {}, None)
        if self._network is not None:
            ways = [f"{self._network.address}:{port}" for port in SANDBOX_PORTS]
            self._start(("relay", 0), python("benchmarks.relay", *ways), {}, None)
        self._wait(f"{self.google}/control/health")

    def start(
        self, machine: int, programs: tuple[str, ...] = PROGRAMS, variables: Mapping[str, str] | None = None
    ) -> None:
        """Start these programs of a machine, with settings of their own if need be; the receiver answers when this returns."""
        more = variables or {}
        host, port = self.receiver(machine)
        for program in programs:
            if program == "receiver":
                own = {"CUSTOM_EVENTS_RECEIVER_HOST": host, "CUSTOM_EVENTS_RECEIVER_PORT": str(port)}
                self._start((program, machine), python("ingest_api.serve"), {**own, **more}, machine)
            else:
                google = () if self._network is None else (self._network.address,)
                self._start((program, machine), python("benchmarks.machine_programs", program, *google), more, machine)
        if "receiver" in programs:
            self._wait(f"http://{host}:{port}/readyz")

    def receiver(self, machine: int) -> tuple[str, int]:
        """Where a machine's receiver listens."""
        if self._network is None:
            return "127.0.0.1", RECEIVER_PORT + machine
        return self._network.address_of(machine), RECEIVER_PORT

    def _start(self, name: tuple[str, int], command: list[str], own: Mapping[str, str], machine: int | None) -> None:
        log = (self._place / f"{name[0]}-{name[1]}.log").open("wb")
        self._logs.append(log)
        if self._network is not None and machine is not None:
            command = self._network.within(machine, command)
        self.processes[name] = subprocess.Popen(
            command, env={**self._environment, **own}, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )

    def _wait(self, address: str) -> None:
        deadline = time.monotonic() + READY_LIMIT_S
        while True:
            try:
                if httpx.get(address, timeout=2, trust_env=False).is_success:
                    return
            except httpx.TransportError:
                pass
            if time.monotonic() > deadline:
                logs = {file.name: file.read_text(errors="replace")[-1_000:] for file in self._place.glob("*.log")}
                raise RuntimeError(f"{address} does not answer after {READY_LIMIT_S:.0f} s: {logs}")
            time.sleep(LOOK_EVERY_S)

    def kill(self, machine: int) -> None:
        """End every program of a machine as its power would: kill -9."""
        for (program, number), process in list(self.processes.items()):
            if number == machine and program in PROGRAMS:
                process.kill()
                process.wait(END_LIMIT_S)
                del self.processes[program, number]

    def processor_s(self) -> dict[str, float]:
        """Processor time used so far by what each kind of program is, of those that run; PostgreSQL's with that of its ended backends."""
        used: defaultdict[str, float] = defaultdict(float)
        for (program, _), process in self.processes.items():
            times = psutil.Process(process.pid).cpu_times()
            used[program] += times.user + times.system
        server = psutil.Process(int((self._place / "pg/data/postmaster.pid").read_text().split()[0]))
        for process in [server, *server.children()]:
            try:
                used["postgres"] += sum(process.cpu_times()[:4])
            except psutil.Error:
                continue  # a backend that has just ended: its time is the server's now
        return dict(used)

    def stop(self) -> None:
        """End everything that was started."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(END_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(END_LIMIT_S)
        self.processes.clear()
        for log in self._logs:
            log.close()


def settings_of(place: Path) -> Settings:
    """Of machines whose files are in `place`."""
    grpc, http = SANDBOX_PORTS
    return Settings.model_validate({"local_directory": place, "sandbox_grpc_port": grpc, "sandbox_http_port": http})


@contextmanager
def fleet(
    sites: int, network: Network | None, variables: Mapping[str, str], *, fast: bool = False, with_google: bool = True
) -> Generator[Fleet]:
    """A database with so many sites, the sandbox's Google, and no machine yet; `variables` are further settings of all of them."""
    with tempfile.TemporaryDirectory(prefix="machines-", ignore_cleanup_errors=True) as name:
        place = Path(name)
        if network is not None:
            _listen(place / "pg", network, fast=fast)
        with embedded.start(place / "pg", fast=fast) as server:
            migrate.upgrade(server.url)
            machines = Fleet(place, server.url, network, variables)
            fleet_world.prepare(server.url, machines.settings, sites)
            fleet_world.write_seed(directory(machines.settings) / SEED_FILE, sites)
            try:
                if with_google:
                    machines.start_google()
                yield machines
            finally:
                machines.stop()


def _listen(place: Path, network: Network, *, fast: bool) -> None:
    """Have the embedded server listen on the bridge, from its next start on, for those who are on it."""
    with embedded.start(place, fast=fast) as server, psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET listen_addresses = '{network.address}'".encode())
        with (place / "data/pg_hba.conf").open("a") as rules:
            rules.write(HOST_RULE.format(network=network.network))


def wait_until_done(machines: Fleet, limit_s: float) -> float:
    """Seconds until nothing waits and nothing is due or at Google. Raises RuntimeError after `limit_s`."""
    began = time.monotonic()
    while (left := fleet_world.waiting(machines.url))[0] or left[1]:
        if time.monotonic() - began > limit_s:
            raise RuntimeError(f"after {limit_s:.0f} s {left[0]} deliveries and {left[1]} conversions wait still")
        time.sleep(LOOK_EVERY_S)
    return time.monotonic() - began
