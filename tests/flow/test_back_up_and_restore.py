"""docs/how-to/back-up-and-restore.md, every block as it stands there, on PostgreSQL of the machine's own with initdb's configuration.

Servers are lost: killed with -9, and their directory deleted. What the receiver's own writer had acknowledged is looked for afterwards.
The blocks about a standby are executed in test_standby.py.
"""

import asyncio
import shlex
import shutil
from typing import Final

import pytest

from tests.flow import stack
from tests.flow.backup_page import (
    BLOCKS,
    WAIT_LIMIT_S,
    Installation,
    assert_whole,
    blocks,
    ids,
    received,
    site_of,
)
from tests.flow.receiver_writer import land, land_all, receiver_writer
from tests.flow.server_machine import ServerMachine

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("patient_writer")]
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


def test_every_block_is_executed_and_says_where() -> None:
    assert {block.heading for block in BLOCKS} == EXECUTED
    places = {block.place.partition(",")[0] for block in BLOCKS}
    assert places == {"the server", "the standby", "the programs' machine"}


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
