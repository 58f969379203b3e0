"""PostgreSQL's clock and the receiver's jump by an hour, to and fro across the change of week, while stores post and post again: every body
that was acknowledged is there once. By libfaketime (Debian: `apt-get install faketime`) below both."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final

import httpx
import psycopg
import pytest
from cryptography.fernet import Fernet

from custom_events import secrets
from custom_events.platforms.shopify.delivery import signed_headers
from custom_events.postgres import connect, migrate, partitions
from tests.flow import stack
from tests.flow.server_machine import ServerMachine

LIBRARY: Final = "faketime/libfaketime.so.1"
SUNDAY: Final = datetime(2026, 12, 6, 23, 30, tzinfo=UTC)
MONDAY: Final = SUNDAY + timedelta(hours=1)
SECRET: Final = b"secret"
SENDERS: Final = 8
POSTS: Final = 40  # under each pair of clocks, and as many of before once more
WAIT_LIMIT_S: Final = 90.0
PORT: Final = 5432  # of a socket in a directory of the test's own

pytestmark = pytest.mark.flow


class FakedClock:
    """A clock of programs that are started with its variables. It runs on from where it is set; the monotonic clock is left alone."""

    def __init__(self, file: Path, library: Path) -> None:
        self._file = file
        self.variables = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DISABLE_SHM": "1",  # each program reads the file: PostgreSQL's is another account
        }
        self.set(SUNDAY)

    def set(self, instant: datetime) -> None:
        """Jump to an instant."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{(instant - datetime.now(UTC)).total_seconds():+.3f}")
        fresh.chmod(0o644)
        fresh.replace(self._file)


@pytest.fixture
def library() -> Path:
    """libfaketime; skips the test where it is not installed."""
    library = next(Path("/usr/lib").glob(f"*/{LIBRARY}"), None)
    if library is None:
        pytest.skip("no libfaketime on this machine (Debian: apt-get install faketime)")
    return library


@pytest.fixture
def clocks(server_directory: Path, library: Path) -> tuple[FakedClock, FakedClock]:
    """PostgreSQL's, and the receiver's."""
    return FakedClock(server_directory / "clock-database", library), FakedClock(
        server_directory / "clock-receiver", library
    )


@pytest.fixture
def server(server_directory: Path, clocks: tuple[FakedClock, FakedClock]) -> Iterator[ServerMachine]:
    """A migrated database with both weeks' partitions, and one site."""
    with ServerMachine(server_directory, "server", PORT, **clocks[0].variables) as machine:
        machine.initialise()
        machine.shell.run("createdb")
        migrate.upgrade(machine.url)
        engine = connect.engine(machine.url)
        with engine.begin() as connection:
            partitions.ensure(connection, SUNDAY)
        engine.dispose()
        yield machine


@pytest.fixture
def receiver(server: ServerMachine, clocks: tuple[FakedClock, FakedClock], tmp_path: Path) -> Iterator[str]:
    """A receiver's address."""
    key = Fernet.generate_key()
    with psycopg.connect(server.url) as connection:
        connection.execute("INSERT INTO app.sites (site_key, platform, name) VALUES ('key', 'shopify', 'Test')")
        connection.execute(
            "INSERT INTO app.site_secrets (site_id, secret_encrypted) SELECT id, %s FROM app.sites",
            [secrets.encrypt(SECRET, key)],
        )
    names = ("CUSTOM_EVENTS_RECEIVER_PORT", "CUSTOM_EVENTS_RECEIVER_FIGURES_PORT")
    environment = {
        **stack.environment(tmp_path, names),
        **clocks[1].variables,
        "DATABASE_URL": server.url,
        "CUSTOM_EVENTS_SECRET_KEY": key.decode(),
    }
    address = f"http://127.0.0.1:{environment[names[0]]}"
    command = [sys.executable, "-m", "ingest_api.serve"]
    with (
        (tmp_path / "receiver.log").open("wb") as log,
        subprocess.Popen(command, cwd=stack.ROOT, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            stack.until(lambda: process.poll() is not None or stack.answers(f"{address}/readyz"), "it", WAIT_LIMIT_S)
            assert process.poll() is None, (tmp_path / "receiver.log").read_text()
            yield address
        finally:
            process.kill()


class Stores:
    """They post until what they post is acknowledged, and later all of it again, in both of which it is the same delivery."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._numbers = count()
        self.acknowledged: list[str] = []
        self.posts = 0
        self.refused: set[int] = set()

    async def post(self, clocks: str, to_do: int) -> None:
        """So many new deliveries, and as many of before."""
        fresh = [f"{clocks} {next(self._numbers)}" for _ in range(to_do)]
        again = self.acknowledged[-to_do:]
        ids = [webhook_id for pair in zip(fresh, [*again, *fresh], strict=False) for webhook_id in pair]
        async with httpx.AsyncClient(timeout=WAIT_LIMIT_S) as client:
            for webhook_id in ids:
                while not await self._is_acknowledged(client, webhook_id):
                    await asyncio.sleep(0.05)
        self.acknowledged.extend(fresh)

    async def post_all_again(self) -> None:
        """Each delivery once more."""
        async with httpx.AsyncClient(timeout=WAIT_LIMIT_S) as client:
            for webhook_id in self.acknowledged:
                assert await self._is_acknowledged(client, webhook_id)

    async def _is_acknowledged(self, client: httpx.AsyncClient, webhook_id: str) -> bool:
        body = b'{"id": "%s"}' % webhook_id.encode()
        headers = signed_headers(
            body, SECRET, topic="orders/paid", shop_domain="s", webhook_id=webhook_id, triggered_at=SUNDAY
        )
        answer = await client.post(f"{self._address}/webhooks/shopify/key", content=body, headers=headers)
        self.posts += 1
        if answer.status_code not in (200, 503):
            self.refused.add(answer.status_code)
        return answer.status_code == 200


async def post_while_clocks_jump(address: str, clocks: tuple[FakedClock, FakedClock]) -> Stores:
    """Each clock forward and back alone, then both together; posts are under way at each jump."""
    database, receiver = clocks
    stores = Stores(address)
    for number, (at_database, at_receiver) in enumerate(
        (
            (SUNDAY, SUNDAY),
            (MONDAY, SUNDAY),
            (SUNDAY, SUNDAY),
            (SUNDAY, MONDAY),
            (SUNDAY, SUNDAY),
            (MONDAY, MONDAY),
            (SUNDAY, MONDAY),
            (MONDAY, MONDAY),
        )
    ):
        senders = [
            asyncio.create_task(stores.post(f"{number}-{sender}", POSTS // SENDERS)) for sender in range(SENDERS)
        ]
        await asyncio.sleep(0)
        database.set(at_database)
        receiver.set(at_receiver)
        await asyncio.wait_for(asyncio.gather(*senders), WAIT_LIMIT_S)
        await asyncio.wait_for(stores.post_all_again(), WAIT_LIMIT_S)
    return stores


def test_every_acknowledged_body_is_there_once(
    server: ServerMachine, receiver: str, clocks: tuple[FakedClock, FakedClock]
) -> None:
    assert abs(server.query("SELECT clock_timestamp()")[0][0] - SUNDAY) < timedelta(minutes=20)  # pyright: ignore[reportOperatorIssue]
    stores = asyncio.run(post_while_clocks_jump(receiver, clocks))
    assert stores.refused == set()
    landed = [str(row[0]) for row in server.query("SELECT delivery_id FROM landing.raw_events")]
    assert sorted(landed) == sorted(stores.acknowledged)
    weeks = server.query("SELECT DISTINCT CAST(landed_week AS text) FROM landing.raw_events ORDER BY 1")
    assert weeks == [("2026-11-30",), ("2026-12-07",)]
    ((queued, receipts, posts),) = server.query(
        "SELECT (SELECT count(*) FROM landing.raw_queue), sum(landed), sum(received) FROM landing.receipts"
    )
    assert (queued, receipts) == (len(landed), len(landed))
    assert isinstance(posts, int)
    assert posts <= stores.posts
