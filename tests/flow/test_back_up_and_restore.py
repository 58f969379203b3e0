"""docs/how-to/back-up-and-restore.md, every block as it stands there, on PostgreSQL of the machine's own with initdb's configuration.

Servers are lost: killed with -9, and their directory deleted. What the receiver's own writer had acknowledged is looked for afterwards.
"""

import asyncio
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

import psutil
import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from custom_events import secrets
from custom_events.catalog import signing, sites
from custom_events.catalog.seed import bring_up_to_date
from custom_events.platforms.base import Secret
from custom_events.postgres import account, connect
from custom_events.settings import Settings
from custom_events.values.deliveries import Platform
from ingest_api import connections
from ingest_api.database import Database
from ingest_api.writer import Writer
from tests import machine_postgres
from tests.flow import stack
from tests.flow.page_shell import Shell, blocks_of
from tests.flow.receiver_writer import RETRY_S, land, land_all, land_at_last, receiver_writer
from tests.flow.server_machine import START, ServerMachine

PAGE: Final = stack.ROOT / "docs/how-to/back-up-and-restore.md"
SITE_KEY: Final = "shop-of-tests"
SECRET: Final = signing.make()
PORT, STANDBY_PORT = 5432, 5433  # of sockets in a directory of the test's own
WAIT_LIMIT_S: Final = 60.0
SENDERS: Final = 8
BEFORE_THE_KILL: Final = 200  # acknowledged deliveries
HELD_LIMIT_S: Final = 0.5  # in place of the writer's 4 s, where a commit is held up on purpose
RECEIVED: Final = "SELECT delivery_id FROM landing.raw_events"
WAITING: Final = (
    "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name = 'receiver-writer'"
)
COUNTED: Final = "SELECT (SELECT count(*) FROM landing.raw_queue), (SELECT sum(landed) FROM landing.receipts)"
pytestmark = pytest.mark.flow


class Block(NamedTuple):
    """A block of the page; `place` is what its first line says after "# on "."""

    heading: str
    place: str
    text: str


BLOCKS: Final = [Block(heading, text.splitlines()[0].removeprefix("# on "), text) for heading, text in blocks_of(PAGE)]
EXECUTED: Final = {
    "What belongs to the database",
    "A dump",
    "Restore a dump",
    "Base backups and the write-ahead log",
    "Restore to a moment",
    "After a restore",
    "A standby that has what was acknowledged",
    "Fail over",
}


def blocks(heading: str) -> list[str]:
    return [block.text for block in BLOCKS if block.heading == heading]


def test_every_block_is_executed_below_and_says_where() -> None:
    assert {block.heading for block in BLOCKS} == EXECUTED
    places = {block.place.partition(",")[0] for block in BLOCKS}
    assert places == {"the server", "the standby", "the programs' machine"}


class Installation:
    """The programs' machine: its directory with the key file, and settings that lead to a database."""

    def __init__(self, place: Path) -> None:
        self.local = place / "programs"
        self.keys = place / "keys"

    def settings(self, url: str) -> Settings:
        return Settings.model_validate(
            {"local_directory": self.local, "database_url": url, "receiver_figures_port": None}
        )

    def run(self, heading: str, url: str) -> list[str]:
        """The output of a heading's blocks."""
        programs = self.local.parent / "programs-bin"
        programs.mkdir(exist_ok=True)
        command = programs / "custom-events"
        command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m cli.main "$@"\n')
        command.chmod(0o755)
        environment = stack.environment(self.local, ())
        environment |= {
            "PATH": f"{programs}:{environment['PATH']}",
            "DATABASE_URL": url,
            "KEYS": str(self.keys),
        }
        with Shell(environment, self.local.parent) as shell:
            return [line for block in blocks(heading) for line in shell.run(block)]

    def lose(self) -> None:
        """Its disk is gone."""
        shutil.rmtree(self.local)


@pytest.fixture(scope="module")
def stored() -> Iterator[Path]:
    """A directory with a data directory (`data`) and the programs' (`programs`), of a server that has been stopped: migrated, one site."""
    with machine_postgres.private_directory() as place, ServerMachine(place, "data", PORT) as server:
        server.initialise()
        server.shell.run("createdb")
        bring_up_to_date(server.url)
        settings = Installation(place).settings(server.url)
        engine = connect.engine(server.url)
        with engine.begin() as connection:
            site = sites.create(
                connection, platform=Platform.CUSTOM, name="Shop", actor="test", currency="EUR", site_key=SITE_KEY
            )
            signing.add(connection, site.id, SECRET, key=secrets.key(settings), actor="test")
        engine.dispose()
        server.shell.run('pg_ctl --pgdata "$PGDATA" --mode fast stop')
        yield place


@pytest.fixture
def place(stored: Path, server_directory: Path) -> Path:
    """A directory of the test's own, with the programs' machine in it."""
    shutil.copytree(stored / "programs", server_directory / "programs")
    return server_directory


@pytest.fixture
def installation(place: Path) -> Installation:
    return Installation(place)


@pytest.fixture
def server(place: Path, stored: Path) -> Iterator[ServerMachine]:
    """A running server with a copy of what is stored."""
    backups = place / "backups"
    backups.mkdir()
    account.hand_over(backups)
    variables = {"BACKUPS": str(backups), "REPLICATION_PASSWORD": "not needed by socket"}
    with ServerMachine(place, "server", PORT, **variables) as machine:
        machine.shell.run(f'cp --recursive "{stored}/data" "$PGDATA"\nchmod 0700 "$PGDATA"')
        machine.shell.run(
            f"sed --in-place \"s|^unix_socket_directories.*|unix_socket_directories = '{place}'|\" $PGDATA/postgresql.conf"
        )
        machine.shell.run(START)
        yield machine


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else the machine does, the writer gives up only where a test says so."""
    monkeypatch.setattr(connections, "COMMIT_LIMIT_S", WAIT_LIMIT_S)


def site_of(server: ServerMachine) -> int:
    ((site_id,),) = server.query("SELECT id FROM app.sites")
    assert isinstance(site_id, int)
    return site_id


def received(server: ServerMachine) -> set[object]:
    return {row[0] for row in server.query(RECEIVED)}


def ids(name: str, count: int = 20) -> list[str]:
    return [f"{name}-{number}" for number in range(count)]


def assert_whole(server: ServerMachine, installation: Installation) -> None:
    """The queue and the receipts agree with what was received; the site's secret can be read, and not by another key."""
    assert server.query(COUNTED) == [(len(received(server)),) * 2]
    settings = installation.settings(server.url)
    assert asyncio.run(secrets_of_the_site(settings)) == (Secret(value=SECRET.encode(), key_id=None),)
    another = settings.model_copy(update={"secret_key": SecretStr(Fernet.generate_key().decode())})
    assert asyncio.run(secrets_of_the_site(another)) == ()


async def secrets_of_the_site(settings: Settings) -> tuple[Secret, ...]:
    async with Database(settings) as database:
        return (await database.sites([SITE_KEY]))[SITE_KEY].secrets


def assert_lands(server: ServerMachine, installation: Installation) -> None:
    """The receiver's writer is let in by its role, and acknowledges."""

    async def scenario() -> None:
        async with receiver_writer(installation.settings(server.url)) as writer:
            assert await land(writer, site_of(server), "after the loss") is True

    asyncio.run(scenario())


def assert_goes_on(server: ServerMachine, installation: Installation) -> None:
    """What the page does after a restore leaves a database that is whole and takes deliveries."""
    lines = installation.run("After a restore", server.url)
    assert "The sums agree." in "\n".join(lines)
    assert_whole(server, installation)
    assert_lands(server, installation)


def test_a_dump_brings_back_what_was_acknowledged_before_it(server: ServerMachine, installation: Installation) -> None:
    async def before_the_loss() -> set[str]:
        async with receiver_writer(installation.settings(server.url)) as writer:
            before = await land_all(writer, site_of(server), ids("before"))
            for block in blocks("A dump"):
                await asyncio.to_thread(server.shell.run, block)
            assert await land_all(writer, site_of(server), ids("after")) == set(ids("after"))
            return before

    installation.run("What belongs to the database", server.url)
    before = asyncio.run(before_the_loss())
    assert before == set(ids("before"))
    server.kill()
    shutil.rmtree(server.data)
    installation.lose()
    server.initialise()
    for block in blocks("Restore a dump"):
        server.shell.run(block)
    assert received(server) == before
    assert_goes_on(server, installation)


def test_a_moment_comes_back_with_exactly_what_was_acknowledged_until_then(
    server: ServerMachine, installation: Installation
) -> None:
    set_up, base_backup = blocks("Base backups and the write-ahead log")
    copy_last_changes, restore = blocks("Restore to a moment")
    site_id = site_of(server)

    async def before_the_loss() -> tuple[set[str], str]:
        async with receiver_writer(installation.settings(server.url)) as writer:
            acknowledged = await land_all(writer, site_id, ids("before the backup"))
            backup = asyncio.create_task(asyncio.to_thread(server.shell.run, base_backup))
            during = 0
            while not backup.done():
                delivery_id = f"during the backup-{during}"
                assert await land(writer, site_id, delivery_id) is True
                acknowledged.add(delivery_id)
                during += 1
            await backup
            assert during
            acknowledged |= await land_all(writer, site_id, ids("after the backup"))
            ((moment,),) = server.query("SELECT clock_timestamp()::text")
            assert await land_all(writer, site_id, ids("after the moment")) == set(ids("after the moment"))
            return acknowledged, str(moment)

    server.shell.run(set_up)
    installation.run("What belongs to the database", server.url)
    acknowledged, moment = asyncio.run(before_the_loss())
    assert {*ids("before the backup"), *ids("after the backup")} < acknowledged
    ((last,),) = server.query("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
    server.shell.run(copy_last_changes)
    archived = server.place / "backups" / "wal" / str(last)
    stack.until(archived.exists, "the last file of the log in the archive", WAIT_LIMIT_S)
    server.kill()
    shutil.rmtree(server.data)
    installation.lose()
    server.shell.run(f"MOMENT={shlex.quote(moment)}")
    server.shell.run(restore)
    assert received(server) == acknowledged
    assert_goes_on(server, installation)


class Load:
    """Stores that send until one delivery of theirs is not acknowledged."""

    def __init__(self, writer: Writer, site_id: int) -> None:
        self._writer, self._site_id = writer, site_id
        self.acknowledged: set[str] = set()
        self.enough = asyncio.Event()

    async def send(self, sender: int) -> None:
        number = 0
        while await land(self._writer, self._site_id, delivery_id := f"{sender}-{number}") is not None:
            self.acknowledged.add(delivery_id)
            number += 1
            if len(self.acknowledged) >= BEFORE_THE_KILL:
                self.enough.set()


@pytest.fixture
def standby(server: ServerMachine, place: Path) -> Iterator[ServerMachine]:
    """The machine of the standby, on which nothing runs yet."""
    primary = f"host={place} port={PORT} user=replicator application_name=standby_1"
    with ServerMachine(place, "standby", STANDBY_PORT, PRIMARY=primary) as machine:
        yield machine


def stop_sending(server: ServerMachine) -> int:
    """Hold the process of the primary that sends the log to the standby; its number. Nothing goes out once this returns."""
    ((sender,),) = server.query("SELECT pid FROM pg_stat_replication")
    assert isinstance(sender, int)
    os.kill(sender, signal.SIGSTOP)
    process = psutil.Process(sender)
    stack.until(lambda: process.status() == psutil.STATUS_STOPPED, "the sender held", WAIT_LIMIT_S)
    return sender


async def held_up(writer: Writer, server: ServerMachine, site_id: int) -> "asyncio.Task[bool | None]":
    """A delivery whose commit waits for the standby. Those before it, which did not, came before the server had read its setting."""
    for number in count(1):
        landing = asyncio.create_task(land(writer, site_id, f"held up-{number}"))
        while not landing.done():
            if await asyncio.to_thread(server.query, WAITING):
                return landing
    raise AssertionError


def test_a_standby_that_is_waited_for_has_all_that_was_acknowledged(
    server: ServerMachine, standby: ServerMachine, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_in, copy, wait_for_it = blocks("A standby that has what was acknowledged")
    (promote,) = blocks("Fail over")
    server.shell.run(let_in)
    standby.shell.run(copy)
    site_id = site_of(server)
    both = server.url.replace(
        f"host={server.place}&port={PORT}",
        f"host={server.place},{server.place}&port={PORT},{STANDBY_PORT}&target_session_attrs=read-write",
    )

    async def without_the_setting(writer: Writer) -> int:
        """What is acknowledged is not on the standby: it would be lost with the primary now."""
        stack.until(lambda: server.query("SELECT pid FROM pg_stat_replication"), "the standby", WAIT_LIMIT_S)
        sender = stop_sending(server)
        assert await land_all(writer, site_id, ids("not waited for")) == set(ids("not waited for"))
        assert received(standby) == set()
        return sender

    async def with_the_setting(writer: Writer, sender: int) -> None:
        """The same waits for the standby."""
        server.shell.run(wait_for_it)
        held = await held_up(writer, server, site_id)
        assert received(standby) == set()
        os.kill(sender, signal.SIGCONT)
        assert await held is True
        stack.until(lambda: len(received(standby)) == len(received(server)), "the standby", WAIT_LIMIT_S)

    async def sent_again(writer: Writer) -> None:
        """What the writer has given up waiting for is not acknowledged either when it is sent again, until the standby has it."""
        sender = stop_sending(server)
        with monkeypatch.context() as patch:
            patch.setattr(connections, "COMMIT_LIMIT_S", HELD_LIMIT_S)
            for _ in range(2):
                assert await land(writer, site_id, "sent again") is None
                async with asyncio.timeout(WAIT_LIMIT_S):
                    while writer.is_full:  # a moment after each failure
                        await asyncio.sleep(RETRY_S)
        assert "sent again" not in received(standby)
        os.kill(sender, signal.SIGCONT)
        await land_at_last(writer, site_id, "sent again")
        stack.until(lambda: "sent again" in received(standby), "what was acknowledged", WAIT_LIMIT_S)

    async def scenario() -> set[str]:
        async with receiver_writer(installation.settings(both)) as writer:
            await with_the_setting(writer, await without_the_setting(writer))
            await sent_again(writer)
            load = Load(writer, site_id)
            senders = [asyncio.create_task(load.send(sender)) for sender in range(SENDERS)]
            await asyncio.wait_for(load.enough.wait(), WAIT_LIMIT_S)
            await asyncio.to_thread(server.kill)
            await asyncio.wait_for(asyncio.gather(*senders), WAIT_LIMIT_S)
            await asyncio.to_thread(standby.shell.run, promote)
            assert await land_at_last(writer, site_id, "after the loss"), "the same writer, by itself"
            return load.acknowledged

    acknowledged = asyncio.run(scenario())
    assert len(acknowledged) >= BEFORE_THE_KILL
    assert acknowledged <= received(standby)
    assert_whole(standby, installation)
