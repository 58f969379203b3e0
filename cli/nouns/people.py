"""People who sign in, and API keys."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

import sqlalchemy as sa

from cli.roles import grants_of
from cli.session import connected, prepared, server
from custom_events.access import api_keys, openid, people
from custom_events.access.api_keys import ApiKey
from custom_events.access.people import Person
from custom_events.access.roles import Grant
from custom_events.catalog import sites


class People(Protocol):
    """What verbs ask of people and keys. Roles are written `viewer`, or `editor@SITE`; unknown logins and sites raise NotFound."""

    def add(self, login: str, roles: tuple[str, ...], name: str, password: str) -> Person: ...
    def every(self) -> list[Person]: ...
    def give(self, login: str, roles: tuple[str, ...]) -> Person: ...
    def set_password(self, login: str, password: str) -> Person: ...
    def switch(self, login: str, *, enabled: bool) -> Person: ...
    def unlink(self, login: str) -> Person: ...
    def make_key(
        self, name: str, roles: tuple[str, ...], owner: str | None, expires_at: datetime | None
    ) -> tuple[ApiKey, str]: ...
    def keys(self) -> list[ApiKey]: ...
    def revoke_key(self, prefix: str) -> ApiKey: ...


class LocalPeople:
    """By the services, on the database beside us."""

    def __init__(self, engine: sa.Engine, author: str) -> None:
        self.engine, self.author = engine, author

    def add(self, login: str, roles: tuple[str, ...], name: str, password: str) -> Person:
        """Somebody who signs in."""
        with self.engine.begin() as connection:
            grants = _grants(connection, roles)
            return people.add(
                connection, login=login, display_name=name, grants=grants, actor=self.author, password=password
            )

    def every(self) -> list[Person]:
        """Everybody, by login."""
        everybody: list[Person] = []
        with self.engine.connect() as connection:
            while page := people.page(connection, after=(everybody[-1].login, everybody[-1].id) if everybody else None):
                everybody += page
        return everybody

    def give(self, login: str, roles: tuple[str, ...]) -> Person:
        """These roles in the place of all they had."""
        with self.engine.begin() as connection:
            person = people.called(connection, login)
            return people.change(connection, person.id, grants=_grants(connection, roles), actor=self.author)

    def set_password(self, login: str, password: str) -> Person:
        """A new password; ends the sessions."""
        with self.engine.begin() as connection:
            person = people.called(connection, login)
            people.set_password(connection, person.id, password, actor=self.author)
        return person

    def switch(self, login: str, *, enabled: bool) -> Person:
        """Let them sign in, or not."""
        change = people.enable if enabled else people.disable
        with self.engine.begin() as connection:
            return change(connection, people.called(connection, login).id, actor=self.author)

    def unlink(self, login: str) -> Person:
        """No account of the OpenID provider signs in as them."""
        with self.engine.begin() as connection:
            return openid.unlink(connection, people.called(connection, login).id, actor=self.author)

    def make_key(
        self, name: str, roles: tuple[str, ...], owner: str | None, expires_at: datetime | None
    ) -> tuple[ApiKey, str]:
        """A new key, and what it is."""
        with self.engine.begin() as connection:
            return api_keys.make(
                connection,
                name=name,
                grants=_grants(connection, roles),
                actor=self.author,
                person_id=people.called(connection, owner).id if owner is not None else None,
                expires_at=expires_at,
            )

    def keys(self) -> list[ApiKey]:
        """All of them, the oldest first."""
        keys: list[ApiKey] = []
        with self.engine.connect() as connection:
            while page := api_keys.page(connection, after=(keys[-1].id,) if keys else None):
                keys += page
        return keys

    def revoke_key(self, prefix: str) -> ApiKey:
        """The key that begins so is good no longer."""
        with self.engine.begin() as connection:
            return api_keys.revoke(connection, api_keys.called(connection, prefix).id, actor=self.author)


@contextmanager
def opened(author: str = "") -> Generator[People]:
    """Where --server says, else beside the database."""
    if (asked := server()) is not None:
        from cli.afar.people import RemotePeople

        yield RemotePeople(asked)
        return
    with connected(prepared()) as engine:
        yield LocalPeople(engine, author)


def _grants(connection: sa.Connection, roles: tuple[str, ...]) -> tuple[Grant, ...]:
    return grants_of(lambda name: sites.called(connection, name).id, roles)
