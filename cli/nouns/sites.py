"""Sites and their secrets."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import msgspec
import sqlalchemy as sa

from cli.session import connected, prepared, server
from custom_events import secrets
from custom_events.catalog import connecting, signing, sites
from custom_events.catalog.connecting import Arrivals
from custom_events.platforms.registry import PLATFORMS
from custom_events.queries.sites import database_now
from custom_events.settings import Settings
from custom_events.values.platforms import Platform

_LOCAL: Final = {"pause": sites.pause, "resume": sites.resume, "remove": sites.remove}


class SiteRow(msgspec.Struct, frozen=True, kw_only=True):
    """A site as the command line shows it."""

    id: int
    site_key: str
    platform: Platform
    name: str
    shop_domain: str | None
    is_active: bool
    removed_at: datetime | None
    address: str
    last_delivery_at: datetime | None = None


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """A new site: what to enter in its store, line by line, and its secret, where it is ours to make; shown once."""

    site: SiteRow
    lines: tuple[str, ...]
    secret: str | None


class Sites(Protocol):
    """What verbs ask of sites. A `name` is an id, a key or a shop domain; unknown ones raise NotFound."""

    def add(self, fields: dict[str, Any]) -> Added: ...
    def every(self) -> list[SiteRow]: ...
    def called(self, name: str) -> SiteRow: ...
    def switch(self, name: str, verb: str, reason: str) -> SiteRow: ...
    def now(self) -> datetime: ...
    def arrivals(self, site: SiteRow, since: datetime) -> Arrivals: ...


class LocalSites:
    """By the services, on the database beside us."""

    def __init__(self, engine: sa.Engine, settings: Settings, author: str) -> None:
        self.engine, self.settings, self.author = engine, settings, author

    def add(self, fields: dict[str, Any]) -> Added:
        """A new site with its secret."""
        secret: str | None = None
        platform = Platform(fields["platform"])
        others = {name: value for name, value in fields.items() if name != "platform"}
        with self.engine.begin() as connection:
            made = sites.create(connection, platform=platform, actor=self.author, **others)
            if not PLATFORMS[made.platform].makes_secret:
                secret = signing.make()
                signing.add(connection, made.id, secret, key=secrets.key(self.settings), actor=self.author)
        row = self._row(made)
        return Added(site=row, lines=tuple(connecting.instructions(made, row.address)), secret=secret)

    def every(self) -> list[SiteRow]:
        """All of them, with their last deliveries."""
        with self.engine.connect() as connection:
            every: list[sites.Site] = []
            while page := sites.page(connection, after_id=every[-1].id if every else 0):
                every += page
            last = connecting.last_deliveries(connection, datetime.now(UTC))
        return [self._row(site, last.get(site.id)) for site in every]

    def called(self, name: str) -> SiteRow:
        """The site of this name."""
        with self.engine.connect() as connection:
            return self._row(sites.called(connection, name))

    def switch(self, name: str, verb: str, reason: str) -> SiteRow:
        """Pause, resume or remove it."""
        with self.engine.begin() as connection:
            site = sites.called(connection, name)
            _LOCAL[verb](connection, site.id, actor=self.author, reason=reason)
        return self._row(site)

    def now(self) -> datetime:
        """By the database's clock."""
        with self.engine.connect() as connection:
            return database_now(connection)

    def arrivals(self, site: SiteRow, since: datetime) -> Arrivals:
        """What came to it since then."""
        with self.engine.connect() as connection:
            return connecting.arrivals(connection, sites.get(connection, site.id), since)

    def _row(self, site: sites.Site, last: datetime | None = None) -> SiteRow:
        values = {name: getattr(site, name) for name in SiteRow.__struct_fields__ if hasattr(site, name)}
        return SiteRow(**values, address=connecting.address(self.settings, site), last_delivery_at=last)


@contextmanager
def opened(author: str = "") -> Generator[Sites]:
    """Where --server says, else beside the database."""
    if (asked := server()) is not None:
        from cli.afar.sites import RemoteSites

        yield RemoteSites(asked)
        return
    settings = prepared()
    with connected(settings) as engine:
        yield LocalSites(engine, settings, author)
