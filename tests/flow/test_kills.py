"""kill -9 of each process of the running product, and of PostgreSQL, under load: nothing acknowledged is lost, nothing counts twice,
it works again within 30 seconds, and nothing is left behind.

The short form kills each once, then all together. CUSTOM_EVENTS_TEST_KILL_ROUNDS=20 makes more rounds of it, in changing order; `--log-cli-level=INFO` shows the times.
"""

import logging
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import psycopg
import pytest

from custom_events.catalog.seed import bring_up_to_date
from custom_events.postgres import address, connect, embedded
from custom_events.settings import Settings
from custom_events.watching.sums import sums
from supervisor import programs
from tests.flow import stack
from tests.flow.load import Load, connect_a_store

ROUNDS = int(os.environ.get("CUSTOM_EVENTS_TEST_KILL_ROUNDS", "1"))
PROMISED_S = 30.0
PROGRAMS = ("receiver", "console", programs.WEBSERVER, programs.DAEMON, programs.CODE_SERVER)
UNDERSTOOD = "SELECT EXISTS (SELECT FROM app.commerce_events WHERE order_id = %s)"
TICKED = """
SELECT EXISTS (SELECT FROM dagster.job_ticks WHERE timestamp > %s::timestamptz AT TIME ZONE 'UTC' AND status IN ('SKIPPED', 'SUCCESS'))
"""
COUNTS = """
SELECT (SELECT count(*) FROM landing.raw_events),
  (SELECT count(DISTINCT delivery_id) FROM landing.raw_events),
  (SELECT count(*) FROM app.commerce_events WHERE type = 'order.paid'),
  (SELECT count(*) FROM app.custom_events)
"""

LOG = logging.getLogger(__name__)  # the figures: pytest --log-cli-level=INFO

pytestmark = [pytest.mark.flow, pytest.mark.timeout(300 + 400 * ROUNDS)]


class World(NamedTuple):
    """The running product with its load."""

    service: stack.Stack
    load: Load
    directory: Path
    url: str

    def ask(self, statement: str, *values: object) -> object:
        """One value, or the whole row of several. Raises OperationalError while PostgreSQL is away."""
        with psycopg.connect(self.url, connect_timeout=5) as connection:
            row = connection.execute(statement, values).fetchone()  # type: ignore[arg-type]
            assert row is not None
            return row[0] if len(row) == 1 else row

    def postmaster(self) -> int:
        return int((self.directory / address.DIRECTORY / "data" / "postmaster.pid").read_text().split()[0])


@pytest.fixture
def world(server_directory: Path) -> Iterator[World]:
    home = server_directory / "local"
    environment = stack.environment(home)
    settings = Settings(_env_file=None, local_directory=home)
    with embedded.start(home / address.DIRECTORY) as server:  # durable, as users have it
        bring_up_to_date(server.url)
        made = connect.engine(server.url)
        store = connect_a_store(made, settings, f"http://127.0.0.1:{environment[stack.PORTS[0]]}")
        made.dispose()
        with stack.running(environment) as service:
            load = Load(store)
            load.start()
            world = World(service, load, home, server.url)
            until_it_works(world, "nothing", stack.START_LIMIT_S)
            yield world
            load.end()


def limit_s() -> float:
    return PROMISED_S * stack.others_too()


class Recovery:
    """What has to be seen before the product counts as working again: an order sent from now on is understood, sensors have looked
    again (where what was killed has to do with them), and every page answers."""

    def __init__(self, world: World, killed: str) -> None:
        self._world, self._ticks = world, killed not in ("receiver", "console", programs.WEBSERVER)
        self._since: object = None
        self._order: str | None = None
        self.lacks = "PostgreSQL"

    def look(self) -> bool:
        assert self._world.service.runs()
        try:
            self.lacks = self._next() or ""
        except psycopg.OperationalError as error:
            self.lacks = f"PostgreSQL: {error}"
        return not self.lacks

    def _next(self) -> str | None:
        self._since = self._since or self._world.ask("SELECT now()")
        self._order = self._order or self._world.load.acknowledged_since_now()
        if self._order is None:
            return "an acknowledged order"
        if not self._world.ask(UNDERSTOOD, self._order):
            return f"the understanding of {self._order}"
        if self._ticks and not self._world.ask(TICKED, self._since):
            return "a look of a sensor"
        return None if pages(self._world.service) else "the pages"


def until_it_works(world: World, killed: str, limit_s: float) -> float:
    """Wait until it does after the end of `killed`. The seconds it took."""
    began = time.monotonic()
    recovery = Recovery(world, killed)
    stack.until(
        recovery.look, "work again", limit_s, lambda: f"lacks {recovery.lacks}; said {world.service.said()[-2_000:]}"
    )
    return time.monotonic() - began


def pages(service: stack.Stack) -> bool:
    """Whether receiver, console and Dagster answer, and every program has a process."""
    addresses = (f"{service.receiver}/readyz", f"{service.console}/readyz", f"{service.dagster}/server_info")
    return all(map(stack.answers, addresses)) and set(PROGRAMS) <= service.children().keys()


def kill_program(name: str) -> Callable[[World], list[int]]:
    def kill(world: World) -> list[int]:
        process = world.service.children()[name][0]
        process.kill()
        return [process.pid]

    return kill


def kill_run(world: World) -> list[int]:
    """The process of a run, which the code server has started. Its step ends with it: it runs in the run's own process."""

    def workers() -> list[psutil.Process]:
        return [
            process
            for process in world.service.children()[programs.CODE_SERVER]
            if any("spawn_main" in word for word in process.cmdline())
        ]

    found = stack.until(workers, "a run", limit_s())
    for process in found:
        process.kill()
    return [process.pid for process in found]


def kill_backend(world: World) -> list[int]:
    """A session of the receiver, if it has one: PostgreSQL then ends every session, and recovers."""
    pid = world.ask(
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        " ORDER BY application_name LIKE '%%receiver%%' DESC LIMIT 1"
    )
    os.kill(int(str(pid)), signal.SIGKILL)
    return [int(str(pid))]


def kill_postmaster(world: World) -> list[int]:
    pid = world.postmaster()
    os.kill(pid, signal.SIGKILL)
    return [pid]


KILLS: dict[str, Callable[[World], list[int]]] = {
    "run": kill_run,  # before the program that has started it, and with it ends
    "backend": kill_backend,  # before those whose session it is
    **{name: kill_program(name) for name in PROGRAMS},
    "postmaster": kill_postmaster,
}


@pytest.mark.long
def test_whatever_is_killed_it_works_again_and_nothing_is_lost_or_doubled(world: World) -> None:
    dice = random.Random(11)
    for number in range(ROUNDS):
        names = dice.sample(list(KILLS), len(KILLS)) if number else list(KILLS)
        for name in names:
            killed = KILLS[name](world)
            LOG.info("%s: works again after %.1f s", name, until_it_works(world, name, limit_s()))
            assert_gone(killed)
        killed = [pid for name in KILLS for pid in KILLS[name](world)]
        LOG.info("all together: works again after %.1f s", until_it_works(world, "all", limit_s()))
        assert_gone(killed)
    assert_nothing_lost_or_doubled(world)
    assert_nothing_is_orphaned(world)


def assert_gone(pids: list[int]) -> None:
    """The killed processes themselves: nobody revived or kept them."""
    for pid in pids:
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def assert_nothing_lost_or_doubled(world: World) -> None:
    world.load.end()
    assert world.load.refused == []
    stack.until(lambda: world.ask("SELECT count(*) = 0 FROM landing.raw_queue"), "the end of the queue", limit_s())
    with psycopg.connect(world.url) as connection:
        landed = {row[0] for row in connection.execute("SELECT delivery_id FROM landing.raw_events")}
        understood = {row[0] for row in connection.execute("SELECT order_id FROM app.commerce_events")}
    acknowledged = set(world.load.acknowledged)
    assert acknowledged <= landed
    assert acknowledged <= understood
    raw, deliveries, paid, matched = world.ask(COUNTS)  # type: ignore[misc]
    assert raw == deliveries == paid == matched, (raw, deliveries, paid, matched)
    engine = connect.engine(world.url)
    with engine.connect() as connection:
        assert sums(connection).gaps == []
    engine.dispose()
    LOG.info("%s acknowledged, %s sent again, %s landed", len(acknowledged), world.load.sent_again, raw)


def assert_nothing_is_orphaned(world: World) -> None:
    """Every process with the supervisor's mark is below it; and after the end none is left."""
    ours = {process.pid for process in psutil.Process(world.service.process.pid).children(recursive=True)}
    assert {process.pid for process in world.service.marked()} <= ours
    world.service.end()
    assert world.service.process.returncode == 0
    marked = [line for line in stack.left_of(world.service.environment) if "postgres" not in line]
    assert marked == []
