"""Promise 1 (docs/architecture.md 5): 2xx means committed with fsync. Receiver and PostgreSQL are killed in mid-traffic; both are started again."""

import asyncio
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
from cryptography.fernet import Fernet

from custom_events import secrets
from custom_events.platforms.shopify.delivery import signed_headers
from custom_events.postgres import embedded, migrate

SECRET = b"secret"
SENDERS = 16
BEFORE_THE_KILL = 150  # acknowledged deliveries
LIMIT_S = 90.0


class Traffic:
    """Stores that send until the receiver is gone; remembers what was acknowledged."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.acknowledged: dict[str, bytes] = {}
        self.enough = asyncio.Event()

    async def send(self, sender: int) -> None:
        """One store's deliveries, one after the other."""
        async with httpx.AsyncClient(timeout=LIMIT_S) as client:
            for number in range(10_000):
                body = b'{"id": %d, "of": %d}' % (number, sender)
                webhook_id = f"{sender}-{number}"
                headers = signed_headers(
                    body,
                    SECRET,
                    topic="orders/paid",
                    shop_domain="s",
                    webhook_id=webhook_id,
                    triggered_at=datetime.now(UTC),
                )
                try:
                    answer = await client.post(f"{self._address}/webhooks/shopify/key", content=body, headers=headers)
                except httpx.TransportError:
                    return
                if answer.status_code == 200:
                    self.acknowledged[webhook_id] = hashlib.sha256(b"id\0" + webhook_id.encode()).digest()[:16]
                if len(self.acknowledged) >= BEFORE_THE_KILL:
                    self.enough.set()


async def until_ready(address: str, process: subprocess.Popen[bytes]) -> None:
    async with httpx.AsyncClient() as client:
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline:
            assert process.poll() is None
            try:
                if (await client.get(f"{address}/readyz", timeout=LIMIT_S)).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
    raise TimeoutError


async def kill_in_mid_traffic(process: subprocess.Popen[bytes], address: str, data: Path) -> dict[str, bytes]:
    await until_ready(address, process)
    traffic = Traffic(address)
    senders = [asyncio.create_task(traffic.send(sender)) for sender in range(SENDERS)]
    await asyncio.wait_for(traffic.enough.wait(), LIMIT_S)
    server = psutil.Process(int((data / "postmaster.pid").read_text().split()[0]))
    for each in (server, *server.children()):  # first the postmaster, so that it starts nothing again
        each.kill()
    process.kill()
    await asyncio.wait_for(asyncio.gather(*senders), LIMIT_S)
    return traffic.acknowledged


@pytest.mark.flow
def test_kill_9_of_receiver_and_database_loses_nothing_acknowledged(tmp_path: Path) -> None:
    key = Fernet.generate_key()
    place = tmp_path / "postgres"
    with embedded.start(place) as server:  # durable: fsync is on
        migrate.upgrade(server.url)
        with psycopg.connect(server.url) as connection:
            connection.execute("INSERT INTO app.sites (site_key, platform, name) VALUES ('key', 'shopify', 'Test')")
            token = secrets.encrypt(SECRET, key)
            connection.execute(
                "INSERT INTO app.site_secrets (site_id, secret_encrypted) SELECT id, %s FROM app.sites", [token]
            )
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        environment = os.environ | {
            "DATABASE_URL": server.url,
            "CUSTOM_EVENTS_SECRET_KEY": key.decode(),
            "CUSTOM_EVENTS_LOCAL_DIRECTORY": str(tmp_path),
            "CUSTOM_EVENTS_RECEIVER_PORT": str(port),
        }
        command = [sys.executable, "-m", "ingest_api.serve"]
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
            acknowledged = asyncio.run(kill_in_mid_traffic(process, f"http://127.0.0.1:{port}", place / "data"))
        assert process.returncode == -signal.SIGKILL
    assert len(acknowledged) >= BEFORE_THE_KILL
    with embedded.start(place) as again, psycopg.connect(again.url) as connection:
        found = connection.execute("SELECT delivery_id, dedup_key FROM landing.raw_events").fetchall()
        assert acknowledged.items() <= dict(found).items()
        assert connection.execute(
            "SELECT (SELECT count(*) FROM landing.raw_queue), (SELECT sum(landed) FROM landing.receipts)"
        ).fetchone() == (len(found), len(found))
