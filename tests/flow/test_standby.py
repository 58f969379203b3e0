"""A standby, by docs/how-to/back-up-and-restore.md: what it has when the primary is killed with -9 under the load of the receiver's own writer."""

import asyncio
import os
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Final

import psutil
import pytest

from ingest_api import connections
from ingest_api.writer import Writer
from tests.flow import stack
from tests.flow.backup_page import WAIT_LIMIT_S, Installation, assert_whole, blocks, ids, received, site_of
from tests.flow.receiver_writer import RETRY_S, land, land_all, land_at_last, receiver_writer
from tests.flow.server_machine import ServerMachine

STANDBY_PORT: Final = 5433
SENDERS: Final = 8
BEFORE_THE_KILL: Final = 200  # acknowledged deliveries
HELD_LIMIT_S: Final = 0.5  # in place of the writer's 4 s, where a commit is held up on purpose
STREAMING: Final = "SELECT pid FROM pg_stat_replication WHERE state = 'streaming'"
WAITING: Final = (
    "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name = 'receiver-writer'"
)
pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("patient_writer")]


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
    primary = f"host={place} port={server.port} user=replicator application_name=standby_1"
    with ServerMachine(place, "standby", STANDBY_PORT, PRIMARY=primary) as machine:
        yield machine


def stop_sending(server: ServerMachine) -> int:
    """Hold the process of the primary that sends the log to the standby; its number. Nothing goes out once this returns."""
    stack.until(lambda: len(server.query(STREAMING)) == 1, "the standby", WAIT_LIMIT_S)
    ((sender,),) = server.query(STREAMING)
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
        f"host={server.place}&port={server.port}",
        f"host={server.place},{server.place}&port={server.port},{STANDBY_PORT}&target_session_attrs=read-write",
    )

    async def without_the_setting(writer: Writer) -> int:
        """What is acknowledged is not on the standby: it would be lost with the primary now."""
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
