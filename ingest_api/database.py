"""The receiver's way to Postgres: a connection for the writer, a small pool for look-ups, both with the receiver's role."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import asyncpg
import structlog

from custom_events import secrets
from custom_events.errors import InvalidConfiguration, NeedsAction
from custom_events.postgres import connect, spans
from custom_events.queries import landing
from custom_events.queries.landing import Site
from custom_events.settings import Settings
from custom_events.tables.base import LANDING
from custom_events.tables.registry import PARTITIONED
from ingest_api.sites import by_domain

READ_LIMIT_S = 2.0  # of a look-up; the store's request waits for it
DECRYPTED_LIMIT = 20_000  # secrets held in memory, by their encrypted form
READERS = 2  # connections for look-ups and readiness, besides the writer's

# Nothing is acknowledged that a crash could take back, whatever the server's default is. The rest is for planning: once, and
# with the index even while a week's partition is still empty.
WRITER_SETTINGS = (
    "SET synchronous_commit = on; SET jit = off; SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off"
)

_LOG = structlog.get_logger(__name__)


class Database:
    """Opened and closed by the application's lifespan. Opening connects to nothing: a receiver starts without its database."""

    def __init__(self, settings: Settings) -> None:
        if settings.database_url is None:
            raise InvalidConfiguration("the receiver needs the address of its database", path="DATABASE_URL")
        url = settings.database_url.get_secret_value()
        self._url = connect.receiver_url(url) if settings.receiver_role else url
        self._settings = settings
        self._key = secrets.key(settings)
        self._pool: asyncpg.Pool | None = None
        self._decrypted: dict[tuple[bytes, int], bytes] = {}

    async def __aenter__(self) -> Self:
        self._pool = asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=READERS,
            command_timeout=READ_LIMIT_S,
            server_settings=connect.SESSION | connect.LOST,
        )
        await self._pool
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.terminate()

    async def connect(self) -> asyncpg.Connection:
        """A connection for the writer."""
        connection = await connect.asyncpg_connect(self._url, name="receiver-writer")
        await connection.execute(WRITER_SETTINGS)
        return connection

    async def sites(self, addresses: Sequence[str]) -> Mapping[str, Site]:
        """Sites by address: site keys, and `@` with a shop domain."""
        keys = [address for address in addresses if not address.startswith("@")]
        domains = [address[1:] for address in addresses if address.startswith("@")]
        sites: dict[str, Site] = {}
        for key, domain, site in await landing.sites(self._readers(), keys, domains, self._decrypt):
            sites[key] = site
            if domain is not None:
                sites[by_domain(domain)] = site
        return sites

    async def missing_tables(self) -> list[str]:
        """Partitions of today that are not there. Raises when the database does not answer."""
        today = datetime.now(UTC).date()
        names = [
            f"{kind.table.fullname}_{spans.suffix(kind.span, spans.span_begin(kind.span, today))}"
            for kind in PARTITIONED
            if kind.table.schema == LANDING
        ]
        return [row["name"] for row in await self._readers().fetch(landing.MISSING_TABLES, names)]

    def _readers(self) -> asyncpg.Pool:
        if self._pool is None:
            raise ConnectionError("the database is not open")
        return self._pool

    def _decrypt(self, token: bytes, site_id: int) -> bytes | None:
        """Decrypting costs 70 us and sites are read again every few seconds: what is in use is remembered."""
        place = token, site_id
        if place not in self._decrypted:
            if len(self._decrypted) >= DECRYPTED_LIMIT:
                self._decrypted.clear()
            try:
                self._decrypted[place] = self._by_the_ring(token, secrets.row_of_site(site_id))
            except NeedsAction as fault:
                _LOG.error("secret_not_decrypted", remedy=str(fault))
                return None
        return self._decrypted[place]

    def _by_the_ring(self, token: bytes, row: str) -> bytes:
        """By the keys that were there when this process began, else by those there now: the key file may have a new one since.

        Raises NeedsAction when none of them fits.
        """
        try:
            return secrets.decrypt(token, self._key, row)
        except NeedsAction:
            self._key = secrets.key(self._settings)
            return secrets.decrypt(token, self._key, row)
