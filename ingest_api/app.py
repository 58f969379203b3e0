"""The receiver as an ASGI application: webhooks on a plain callable, everything else on the FastAPI app behind it.

FastAPI's own handling of one request costs more than verifying and storing a delivery, and mounting inside it gives half the
gain away (docs/reference/performance.md 2). `create_app` puts the parts together; `Receiver` is the hot path.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from custom_events.errors import Transient
from custom_events.platforms.base import StorePlatform
from custom_events.platforms.headers import BLANKS
from custom_events.queries.landing import Refused
from custom_events.settings import Settings
from custom_events.values.deliveries import Platform, Refusal
from ingest_api import health, http_answers, landing_rows
from ingest_api.collect import BeaconWriter, Collect
from ingest_api.database import Database
from ingest_api.groups import Answered, OnResult, Verified, Waiting, on_result_of
from ingest_api.http_answers import Answer
from ingest_api.landing_rows import RateWindow
from ingest_api.metrics import LIVING, Metrics
from ingest_api.sites import Site, Sites, by_domain
from ingest_api.writer import READING_LIMIT_BYTES, Writer

PREFIX = "/webhooks/"
BODY_LIMIT_S = 30.0  # for a body that does not come in one piece; Shopify gives up after 5 s, WooCommerce after 60
REFUSED_BY_SHOP_S = (
    0.1  # until a refusal by a shop's domain is answered: a look-up of one that is not in memory takes 20 to 50 ms
)
_ALIKE = (HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
LOG_LINES_PER_S = 100  # of refusals; the figures count them all

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Message, Receive, Send], Awaitable[None]]

_LOG = structlog.get_logger(__name__)


def _site_key(path: str) -> str:
    """The site key of a webhook's address; "" where a header names the shop."""
    return path[len(PREFIX) :].partition("/")[2]


def _by_shop(platform: StorePlatform, headers: Mapping[str, str]) -> str:
    """The address of a site whose shop the headers name."""
    named = platform.shop_domain
    return by_domain("" if named is None else headers.get(named.header) or headers.get(named.other_header, ""))


class Receiver:
    """The hot path: verify over the raw bytes, have it committed, answer. Nothing else happens in the request."""

    def __init__(
        self,
        settings: Settings,
        platforms: Mapping[Platform, StorePlatform],
        parts: tuple[Sites, Writer],
        rest: Asgi,
    ) -> None:
        self._body_limit = settings.body_limit_bytes
        self._replay_window_s = settings.replay_window_s
        self._platforms: dict[str, StorePlatform] = {str(name): platform for name, platform in platforms.items()}
        self._refusals = http_answers.refusals(settings)
        self._sites, self._writer = parts
        self._log_window = RateWindow(LOG_LINES_PER_S, 1)
        self.connection_limit = settings.receiver_connections
        self._rest = rest

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._rest(scope, receive, send)
            return
        began = asyncio.get_running_loop().time()
        answer = await self._webhook(scope, receive)
        if answer is not None:
            if answer.status in _ALIKE and not _site_key(scope["path"]):
                await asyncio.sleep(began + REFUSED_BY_SHOP_S - asyncio.get_running_loop().time())
            await send(answer.start)
            await send(answer.body)

    async def _webhook(self, scope: Message, receive: Receive) -> Answer | None:
        """The answer to one delivery; None when the client has gone."""
        name, _, key = scope["path"][len(PREFIX) :].partition("/")
        platform = self._platforms.get(name)
        if platform is None or "/" in key or not (key or platform.shop_domain):
            return http_answers.NO_SUCH_ADDRESS
        if scope["method"] != "POST":
            return http_answers.METHOD_NOT_ALLOWED
        if self._writer.is_full:  # before the body is read: a refusal after it costs nearly as much as an acceptance
            return self._busy(name)
        headers = {line[0].decode("latin-1"): line[1].decode("latin-1") for line in scope["headers"]}
        address = key or _by_shop(platform, headers)
        try:  # before the body is read: for nobody's address no more is read than came with the head
            site = self._sites.cached(address) or await self._sites.find(address)
        except Transient:
            return self._busy(name)
        if site is not None and site.platform != name:
            site = None
        is_read = site is not None or not key  # a shop's domain is no secret: known or not, it takes as long
        body = await self._read(receive, headers.get("content-length", "").strip(BLANKS), in_pieces=is_read)
        if body is None or isinstance(body, Answer):
            return body
        if body is Refusal.BUSY:
            return self._busy(name)
        if isinstance(body, Refusal):
            return await self._refuse(body, platform, site, headers, None)
        if site is None:
            refused = await self._refuse(Refusal.NO_SUCH_SITE, platform, None, headers, body)
            return refused if key else self._as_for_a_shop(platform, headers, body)
        return await self._judge(platform, site, headers, body)

    def _as_for_a_shop(self, platform: StorePlatform, headers: Mapping[str, str], body: bytes) -> Answer:
        """The answer that a shop with another secret would be given: nobody learns from it which shops are here."""
        refusal = platform.check(headers, body, (), datetime.now(UTC), self._replay_window_s)
        return self._refusals[refusal or Refusal.WRONG_SIGNATURE]

    async def _judge(self, platform: StorePlatform, site: Site, headers: Mapping[str, str], body: bytes) -> Answer:
        if platform.is_handshake(headers, body):
            return http_answers.HANDSHAKE
        refusal = self._check(platform, site, headers, body)
        if refusal is Refusal.BUSY:
            return self._busy(platform.name)
        if refusal is not None:
            return await self._refuse(refusal, platform, site, headers, body)
        answered: Answered = asyncio.get_running_loop().create_future()
        self.store(platform, site, headers, body, on_result_of(answered))
        return self.stored(await answered)

    def take(self, path: str, headers: Mapping[str, str], body: bytes, on_result: OnResult) -> bool:
        """Put a rightly signed delivery of a site in memory to the writer, without waiting for anything; `on_result` hears what
        became of it (`stored` has the answer). False: it is anything else, and nothing has happened: `__call__` is to take it.
        """
        name, _, key = path[len(PREFIX) :].partition("/")
        platform = self._platforms.get(name)
        if platform is None or not (key or platform.shop_domain):
            return False
        if len(body) > self._body_limit or self._writer.is_full:
            return False
        site = self._sites.cached(key or _by_shop(platform, headers))
        if (
            site is None
            or site.platform != name
            or platform.is_handshake(headers, body)
            or self._check(platform, site, headers, body) is not None
        ):
            return False
        self.store(platform, site, headers, body, on_result)
        return True

    def store(
        self, platform: StorePlatform, site: Site, headers: Mapping[str, str], body: bytes, on_result: OnResult
    ) -> None:
        """Have a verified delivery committed. `on_result` hears True: it landed, False: it had before, None: it could not be."""
        self._writer.put(Waiting(platform.name, Verified(site.site_id, platform, headers), body, on_result))

    def count_closed(self, reason: str) -> None:
        """A connection was closed before it said what it wants."""
        self._writer.count_closed(reason)

    def stored(self, landed: bool | None) -> Answer:
        """The answer to a verified delivery."""
        if landed is None:
            return self._refusals[Refusal.BUSY]
        return http_answers.LANDED if landed else http_answers.DUPLICATE

    def _check(self, platform: StorePlatform, site: Site, headers: Mapping[str, str], body: bytes) -> Refusal | None:
        refusal = platform.check(headers, body, site.secrets, datetime.now(UTC), self._replay_window_s)
        if refusal is Refusal.WRONG_SIGNATURE and site.unreadable:
            return Refusal.BUSY  # it may be signed with the secret that we cannot decrypt: our fault, not the store's
        if refusal is None and site.is_removed:
            return Refusal.SITE_REMOVED
        return refusal

    async def _read(self, receive: Receive, content_length: str, *, in_pieces: bool) -> bytes | Refusal | Answer | None:
        """The whole body; TOO_LARGE as soon as that is known; an answer when it takes too long; None when the client goes. Not `in_pieces`:
        NO_SUCH_SITE for a body that is not there at once."""
        if content_length.isdecimal() and int(content_length[:20]) > self._body_limit:
            return Refusal.TOO_LARGE
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            body = message.get("body", b"")
            return body if len(body) <= self._body_limit else Refusal.TOO_LARGE
        if not in_pieces and message["type"] == "http.request":
            body = message.get("body", b"")
            return body if content_length == str(len(body)) else Refusal.NO_SUCH_SITE
        try:
            async with asyncio.timeout(BODY_LIMIT_S):
                return await self._read_pieces(receive, message)
        except TimeoutError:
            return http_answers.TOO_SLOW

    async def _read_pieces(self, receive: Receive, message: Message) -> bytes | Refusal | None:
        body = bytearray()
        try:
            while message["type"] == "http.request":
                piece = message.get("body", b"")
                body += piece
                self._writer.reading_bytes += len(piece)
                if len(body) > self._body_limit:
                    return Refusal.TOO_LARGE
                if not message.get("more_body"):
                    return bytes(body)
                if self._writer.reading_bytes > READING_LIMIT_BYTES:
                    return Refusal.BUSY
                message = await receive()
            return None
        finally:
            self._writer.reading_bytes -= len(body)

    async def _refuse(
        self,
        refusal: Refusal,
        platform: StorePlatform,
        site: Site | None,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> Answer:
        """Log it, keep it where there is room, and answer when it is committed. The answer is the same if it cannot be."""
        name, size = str(platform.name), len(body or b"")
        topic = platform.describe(headers, body or b"").topic
        site_id = site.site_id if site is not None else None
        if self._log_window.takes(0):
            _LOG.warning("delivery_refused", reason=refusal, platform=name, site_id=site_id, topic=topic, bytes=size)
        kept = landing_rows.kept_headers(headers, platform.kept_headers)
        if self._writer.may_keep_refusal(name, refusal, size + sum(map(len, kept.values()))):
            row = Refused(
                site_id=site_id,
                platform=name,
                reason=refusal,
                topic=topic,
                headers=kept,
                body_bytes=None if body is None else size,
            )
            await self._writer.quarantine(row, body)
        return self._refusals[refusal]

    def _busy(self, platform: str) -> Answer:
        self._writer.count_refused(platform, Refusal.BUSY)
        return self._refusals[Refusal.BUSY]


def create_app(
    settings: Settings,
    platforms: Mapping[Platform, StorePlatform] | None = None,
    kind: type[Receiver] = Receiver,
) -> Receiver:
    """The application on `settings.database_url`, which must be set. `platforms` is the registry unless a test gives others."""
    if platforms is None:
        from custom_events.platforms.registry import PLATFORMS as platforms  # noqa: N811
    metrics = Metrics()
    database = Database(settings)
    sites = Sites(database.sites, settings.site_cache_s)
    writer = Writer(settings, metrics, database.connect)
    beacon_writer = BeaconWriter(database.connect, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with database:
            background = asyncio.create_task(sites.run())
            writing = asyncio.gather(writer.run(), beacon_writer.run())
            try:
                yield
            finally:
                writer.close()
                beacon_writer.close()
                await writing  # what was accepted is committed first
                background.cancel()

    rest: Any = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    health.add_routes(rest, database, writer)
    LIVING.registry = metrics.registry
    collect: Any = Collect(settings, sites, beacon_writer, rest)
    trusted = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")  # as uvicorn reads it for the console
    collect = ProxyHeadersMiddleware(collect, trusted_hosts=trusted)
    return kind(settings, platforms, (sites, writer), collect)
