"""The sites and signing secrets a receiver knows at this moment.

Only what is asked for is kept. A background task looks unknown addresses up, many in one query and at most one query
every `LOOK_UP_SPACING_S`, and reads the addresses in use again every `cache_s` seconds, so a changed secret counts within that
time and a request hardly ever waits. Addresses that nobody has are remembered as such, in bounded room.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from custom_events.errors import Transient
from custom_events.queries.landing import Site

LOOK_UP_SPACING_S = 0.02  # at most 50 look-ups a second, however many keys somebody tries
LOOK_UPS_LIMIT = 256  # addresses in one look-up; above it the answer is 503
UNKNOWN_LIMIT = 10_000  # addresses remembered as nobody's; the oldest goes first
ADDRESS_CHARS = 255  # longest key or host name that is looked up

_LOG = structlog.get_logger(__name__)

Load = Callable[[list[str]], Awaitable[Mapping[str, Site]]]


def by_domain(shop_domain: str) -> str:
    """The address of a site that is found by its shop domain. Site keys never begin with `@`."""
    return f"@{shop_domain.strip().lower()}"


class Sites:
    """`load` reads sites by their addresses: site keys, or `by_domain(...)`."""

    def __init__(self, load: Load, cache_s: float) -> None:
        self._load = load
        self._cache_s = cache_s
        self._known: dict[str, Site] = {}
        self._unknown: dict[str, float] = {}
        self._used: set[str] = set()
        self._asked: dict[str, asyncio.Future[Site | None]] = {}
        self._wake = asyncio.Event()

    def cached(self, address: str) -> Site | None:
        """The site, if it is in memory."""
        site = self._known.get(address)
        if site is not None:
            self._used.add(address)
        return site

    async def find(self, address: str) -> Site | None:
        """The site of an address, None when nobody has it. Transient when that cannot be found out now."""
        site = self.cached(address)
        if site is not None:
            return site
        if len(address) > ADDRESS_CHARS or not address.isprintable():
            return None
        until = self._unknown.get(address)
        if until is not None and until > asyncio.get_running_loop().time():
            return None
        if address not in self._asked:
            if len(self._asked) >= LOOK_UPS_LIMIT:
                raise Transient("too many unknown addresses at once")
            self._asked[address] = asyncio.get_running_loop().create_future()
            self._wake.set()
        return await asyncio.shield(self._asked[address])  # shared: one client that goes away must not cancel it

    async def run(self) -> None:
        """Look up and refresh, until cancelled."""
        loop = asyncio.get_running_loop()
        refresh_at = loop.time() + self._cache_s
        while True:
            try:
                async with asyncio.timeout_at(refresh_at):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            if self._asked:
                await self._look_up()
            if loop.time() >= refresh_at:
                await self._refresh()
                refresh_at = loop.time() + self._cache_s
            await asyncio.sleep(LOOK_UP_SPACING_S)

    async def _look_up(self) -> None:
        asked, self._asked = self._asked, {}
        try:
            loaded = await self._load(list(asked))
        except Exception as fault:  # noqa: BLE001  (whatever it is, the requests that wait must hear of it)
            _LOG.warning("sites_not_read", cause=type(fault).__name__)
            for future in asked.values():
                future.set_exception(Transient("sites cannot be read"))
                future.exception()  # seen: nobody may be waiting any more
            return
        until = asyncio.get_running_loop().time() + self._cache_s
        for address, future in asked.items():
            site = loaded.get(address)
            if site is None:
                if len(self._unknown) >= UNKNOWN_LIMIT:
                    del self._unknown[next(iter(self._unknown))]
                self._unknown.pop(address, None)
                self._unknown[address] = until
            else:
                self._known[address] = site
                self._used.add(address)
                self._unknown.pop(address, None)
            future.set_result(site)

    async def _refresh(self) -> None:
        used = self._used & self._known.keys()
        try:
            known = dict(await self._load(list(used))) if used else {}
        except Exception as fault:  # noqa: BLE001  (the database is away: what is known stays)
            _LOG.warning("sites_not_read", cause=type(fault).__name__)
            return
        self._known = known
        self._used.clear()
