"""The signing secrets of sites."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

import sqlalchemy as sa

from cli.session import connected, prepared, server
from custom_events import secrets
from custom_events.catalog import signing, sites
from custom_events.catalog.signing import SiteSecret
from custom_events.settings import Settings


class Secrets(Protocol):
    """What verbs ask of secrets. A `name` is a site's id, key or shop domain; unknown ones raise NotFound."""

    def add(self, name: str, value: str, key_id: str | None) -> tuple[int, int]: ...
    def rotate(self, name: str, key_id: str | None) -> tuple[int, str]: ...
    def of(self, name: str) -> list[SiteSecret]: ...
    def revoke(self, name: str, number: int) -> int: ...


class LocalSecrets:
    """By the services, on the database beside us."""

    def __init__(self, engine: sa.Engine, settings: Settings, author: str) -> None:
        self.engine, self.settings, self.author = engine, settings, author

    def add(self, name: str, value: str, key_id: str | None) -> tuple[int, int]:
        """One more secret: the site's id and the secret's."""
        with self.engine.begin() as connection:
            site = sites.called(connection, name)
            key = secrets.key(self.settings)
            secret = signing.add(connection, site.id, value, key=key, actor=self.author, key_id=key_id)
        return site.id, secret.id

    def rotate(self, name: str, key_id: str | None) -> tuple[int, str]:
        """A new secret of ours in the place of the others: the site's id, and its value."""
        value = signing.make()
        with self.engine.begin() as connection:
            site = sites.called(connection, name)
            key = secrets.key(self.settings)
            signing.rotate(connection, site.id, value, key=key, actor=self.author, key_id=key_id)
        return site.id, value

    def of(self, name: str) -> list[SiteSecret]:
        """Those of a site, without what they hold."""
        with self.engine.connect() as connection:
            return signing.of(connection, sites.called(connection, name).id)

    def revoke(self, name: str, number: int) -> int:
        """Remove one at once: the site's id."""
        with self.engine.begin() as connection:
            site = sites.called(connection, name)
            signing.remove(connection, site.id, number, actor=self.author)
        return site.id


@contextmanager
def opened(author: str = "") -> Generator[Secrets]:
    """Where --server says, else beside the database."""
    if (asked := server()) is not None:
        from cli.afar.sites import RemoteSecrets

        yield RemoteSecrets(asked)
        return
    settings = prepared()
    with connected(settings) as engine:
        yield LocalSecrets(engine, settings, author)
