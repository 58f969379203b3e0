"""POST /collect: beacons of browsers, beside the deliveries of stores and out of their way.

Anybody may send one, from any page: what it says only adds to orders that a store tells of. So an answer says nothing of a site, sizes
and numbers are limited, and no address of a visitor is kept: only a hash by a key of this process that changes with every window.
"""

import asyncio
import hashlib
import ipaddress
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import asyncpg
import structlog

from custom_events.errors import Transient
from custom_events.platforms import beacons
from custom_events.platforms.base import Delivery
from custom_events.queries import landing
from custom_events.queries.beacons import LAND_BEACONS
from custom_events.queries.landing import Delivered
from custom_events.settings import Settings
from custom_events.values.beacons import MECHANISM, TOPIC
from ingest_api import http_answers, landing_rows
from ingest_api.connections import COMMIT_LIMIT_S, Connect
from ingest_api.groups import Answered, Group, Waiting, on_result_of
from ingest_api.http_answers import Answer
from ingest_api.landing_rows import RateWindow
from ingest_api.metrics import Metrics
from ingest_api.sites import Site, Sites, by_domain

PATH: Final = "/collect"
BODY_LIMIT_BYTES: Final = 8 * 1024  # an honest beacon has under 1 KB
BODY_LIMIT_S: Final = 10.0
WINDOW_S: Final = 60
WAITING_LIMIT: Final = 1_024  # beacons that may wait for their commit, per process
GROUP_LIMIT: Final = 256
SITES_COUNTED: Final = 10_000  # sites and visitors that are counted in one window; what is beyond shares one count
RETRY_S: Final = 1.0  # between attempts to connect; browsers are answered 503 meanwhile
NAME: Final = "collect"  # in place of a platform's, in figures

_ANYWHERE: Final = {"access_control_allow_origin": "*"}
TAKEN: Final = http_answers.empty(204, **_ANYWHERE)
PREFLIGHT: Final = http_answers.empty(
    204,
    **_ANYWHERE,
    access_control_allow_methods="POST, OPTIONS",
    access_control_allow_headers="content-type",
    access_control_max_age="86400",
)
NOT_POSTED: Final = http_answers.error(
    405, "method_not_allowed", "Beacons are sent with POST.", "Send it with POST.", allow="POST, OPTIONS", **_ANYWHERE
)
TOO_LARGE: Final = http_answers.error(
    413, "too_large", f"The beacon is larger than {BODY_LIMIT_BYTES} bytes.", "Leave fields out.", **_ANYWHERE
)
NO_BEACON: Final = http_answers.error(
    400,
    "no_beacon",
    "The body is no JSON object with a site.",
    "docs/reference/collect.md has the fields.",
    **_ANYWHERE,
)
TOO_SLOW: Final = http_answers.error(
    408, "too_slow", "The body did not arrive in time.", "Send the beacon again.", **_ANYWHERE
)
TOO_MANY: Final = http_answers.error(
    429, "too_many", "Too many beacons.", "Send the next one later.", retry_after=str(WINDOW_S), **_ANYWHERE
)
BUSY: Final = http_answers.error(
    503, "busy", "The beacon could not be stored just now.", "Send it again.", retry_after="5", **_ANYWHERE
)

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Message, Receive, Send], Awaitable[None]]

_LOG = structlog.get_logger(__name__)


class Collect:
    """The ASGI application of PATH; everything else goes to `rest`."""

    def __init__(self, settings: Settings, sites: Sites, writer: "BeaconWriter", rest: Asgi) -> None:
        self._sites, self._writer, self._rest = sites, writer, rest
        self._of_client = Rates(settings.collect_per_client)
        self._of_site = Rates(settings.collect_per_site)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] != "http" or scope["path"] != PATH:
            await self._rest(scope, receive, send)
            return
        answer = await self._answer(scope, receive)
        if answer is not None:
            await send(answer.start)
            await send(answer.body)

    async def _answer(self, scope: Message, receive: Receive) -> Answer | None:
        """None when the browser has gone."""
        if scope["method"] == "OPTIONS":
            return PREFLIGHT
        if scope["method"] != "POST":
            return NOT_POSTED
        if not self._of_client.takes(client_of(scope)):
            return TOO_MANY
        try:
            async with asyncio.timeout(BODY_LIMIT_S):
                body = await _read(receive)
        except TimeoutError:
            return TOO_SLOW
        if not isinstance(body, bytes):
            return body
        sent = beacons.read(body)
        if sent is None:
            return NO_BEACON
        return await self._take(*sent)

    async def _take(self, address: str, beacon: beacons.Beacon) -> Answer:
        """The same answer for a site that is not there, one that was removed, and one that takes it."""
        if not self._of_site.takes(address):
            return TOO_MANY
        try:
            site = await self._site(address)
        except Transient:
            return BUSY
        if site is None or site.is_removed or not beacon.is_of_use:
            return TAKEN
        body = beacons.to_json(beacon)
        return TAKEN if await self._writer.put(_row(site.site_id, body), body) else BUSY

    async def _site(self, address: str) -> Site | None:
        name = by_domain(address) if "." in address else address
        return self._sites.cached(name) or await self._sites.find(name)


async def _read(receive: Receive) -> bytes | Answer | None:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > BODY_LIMIT_BYTES:
            return TOO_LARGE
        if not message.get("more_body"):
            return bytes(body)


def client_of(scope: Mapping[str, Any]) -> str:
    """The network of who asks: an IPv4 address, or the /64 of an IPv6 one; "" where nobody knows."""
    client = scope.get("client")
    host = str(client[0]) if client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:  # as some proxies write IPv4: all of it lies in one /64
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return host


class Rates:
    """At most `limit` things of each name in a window of WINDOW_S. Names are kept as hashes by a key that changes with the window."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._ends = 0.0
        self._key = b""
        self._counts: dict[bytes, int] = {}

    def takes(self, name: str) -> bool:
        """Whether one more of this name has room; if so it is counted."""
        now = time.monotonic()
        if now >= self._ends:
            self._ends, self._key = now + WINDOW_S, secrets.token_bytes(16)
            self._counts.clear()
        digest = hashlib.blake2b(name.encode("utf-8", "replace"), key=self._key, digest_size=8).digest()
        if digest not in self._counts and len(self._counts) >= SITES_COUNTED:
            digest = b""
        count = self._counts.get(digest, 0)
        if count >= self._limit:
            return False
        self._counts[digest] = count + 1
        return True


def _row(site_id: int, body: bytes) -> Delivered:
    return landing_rows.delivered(site_id, Delivery(topic=TOPIC), {MECHANISM: TOPIC}, body)


class BeaconWriter:
    """Commits beacons in groups, on a connection of its own that is opened when the first one comes: deliveries wait for none of them."""

    def __init__(self, connect: Connect, metrics: Metrics) -> None:
        self._connect, self._metrics = connect, metrics
        self._connection: asyncpg.Connection | None = None
        self._waiting: deque[Waiting] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._paused_until = 0.0
        self._log_window = RateWindow(1, WINDOW_S)

    async def put(self, row: Delivered, body: bytes) -> bool:
        """Have it committed; whether it was, now or before. False at once where there is no room."""
        if len(self._waiting) >= WAITING_LIMIT or self._closing or time.monotonic() < self._paused_until:
            return False
        answered: Answered = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(NAME, row, body, on_result_of(answered)))
        self._wake.set()
        return await answered is not None

    def close(self) -> None:
        """Take nothing more; `run` ends when all that waits is committed."""
        self._closing = True
        self._wake.set()

    async def run(self) -> None:
        """Commit group after group until closed."""
        while self._waiting or not self._closing:
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
                continue
            await self._commit([self._waiting.popleft() for _ in range(min(GROUP_LIMIT, len(self._waiting)))])
        if self._connection is not None:
            await self._connection.close()

    async def _commit(self, waiting: list[Waiting]) -> None:
        group = Group(waiting)
        try:
            async with asyncio.timeout(COMMIT_LIMIT_S):
                known = await self._land(group)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, ValueError) as fault:
            if self._log_window.takes(0):
                _LOG.error("beacons_not_committed", size=len(waiting), cause=type(fault).__name__)
            if self._connection is not None:
                self._connection.terminate()
            self._connection, self._paused_until = None, time.monotonic() + RETRY_S
            for item in waiting:
                item.on_result(None)
            return
        group.on_result(known, self._metrics)

    async def _land(self, group: Group) -> set[int]:
        """The places of those that had landed before."""
        if self._connection is None:
            self._connection = await self._connect()
        bodies = await group.bodies()
        deliveries, repeats, _ = group.rows
        async with self._connection.transaction():
            return await landing.land_beside(self._connection, LAND_BEACONS, deliveries, repeats, bodies)
