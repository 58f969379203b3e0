"""Definitions and assignments with their revisions: what differs, publish, roll back."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from types import ModuleType
from typing import Any, Final, Literal, Protocol

import msgspec
import sqlalchemy as sa

from cli.session import connected, prepared, server
from custom_events.catalog import assignment_lists, assignments, definition_lists, definitions, revisions, sites
from custom_events.catalog.assignments import SiteAssignment
from custom_events.catalog.definitions import Definition
from custom_events.queries.revisions import ASSIGNMENTS, DEFINITIONS, RevisionTable

Noun = Literal["definition", "assignment"]
_SERVICES: Final[dict[str, tuple[ModuleType, RevisionTable]]] = {
    "definition": (definitions, DEFINITIONS),
    "assignment": (assignments, ASSIGNMENTS),
}


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A definition or an assignment in a list. `name` is its key or id, `about` its name for people, or what is assigned where."""

    name: str
    about: str
    state: str
    published_number: int | None
    newest_number: int


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """One revision, without its settings."""

    number: int
    state: str
    author: str
    reason: str
    published_by: str | None
    published_at: datetime | None
    created_at: datetime


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between two revisions, in the words of `config plan`. `old` None: nothing applies."""

    old: int | None
    new: int | None
    lines: tuple[str, ...]


class Rules(Protocol):
    """What verbs ask of definitions, or of assignments. A `name` is a key or an id; unknown ones raise NotFound."""

    def every(self, site: str | None) -> list[Rule]: ...
    def revisions(self, name: str) -> list[Revision]: ...
    def difference(self, name: str, old: int | None, new: int | None) -> Difference: ...
    def publish(self, name: str, number: int | None) -> Revision: ...
    def roll_back(self, name: str, number: int, reason: str) -> Revision: ...


class LocalRules:
    """By the services, on the database beside us."""

    def __init__(self, noun: Noun, engine: sa.Engine, author: str) -> None:
        self.noun, self.engine, self.author = noun, engine, author
        self.services, self.table = _SERVICES[noun]

    def every(self, site: str | None) -> list[Rule]:
        """All of them, or those of a site."""
        with self.engine.connect() as connection:
            of_site = None if site is None else sites.called(connection, site).id
            if self.noun == "definition":
                return [definition_row(definition) for definition in _definitions(connection, of_site)]
            return [assignment_row(assignment) for assignment in _assignments(connection, of_site)]

    def revisions(self, name: str) -> list[Revision]:
        """Its revisions, the newest first."""
        with self.engine.connect() as connection:
            return [_revision(revision) for revision in reversed(self.services.history(connection, self._key(name)))]

    def difference(self, name: str, old: int | None, new: int | None) -> Difference:
        """Between two revisions; None: what applies, and the newest."""
        with self.engine.connect() as connection:
            compared = self.services.difference(connection, self._key(name), old=old, new=new)
        return Difference(old=compared.old, new=compared.new, lines=tuple(str(change) for change in compared.changes))

    def publish(self, name: str, number: int | None) -> Revision:
        """Let a draft apply; None: the newest revision."""
        with self.engine.begin() as connection:
            key = self._key(name)
            chosen = number if number is not None else self.services.get(connection, key).newest_number
            return _revision(self.services.publish(connection, key, chosen, by=self.author))

    def roll_back(self, name: str, number: int, reason: str) -> Revision:
        """Publish this revision's settings again, as a new revision."""
        with self.engine.begin() as connection:
            made = self.services.rollback(connection, self._key(name), number, by=self.author, reason=reason)
        return _revision(made)

    def _key(self, name: str) -> Any:
        return int(name) if self.noun == "assignment" else name


@contextmanager
def opened(noun: Noun, author: str = "") -> Generator[Rules]:
    """Where --server says, else beside the database."""
    if (asked := server()) is not None:
        from cli.afar.rules import RemoteRules

        yield RemoteRules(noun, asked)
        return
    with connected(prepared()) as engine:
        yield LocalRules(noun, engine, author)


def definition_row(definition: Any) -> Rule:
    """A definition, the domain's or the API's, in a list."""
    return Rule(
        name=definition.key,
        about=definition.name,
        state=definition.state,
        published_number=definition.published_number,
        newest_number=definition.newest_number,
    )


def assignment_row(assignment: Any) -> Rule:
    """An assignment, the domain's or the API's, in a list."""
    return Rule(
        name=str(assignment.id),
        about=f"{assignment.definition_key}, {assignment.label or 'no label'}, on site {assignment.site_id}",
        state="active" if assignment.is_active else "paused",
        published_number=assignment.published_number,
        newest_number=assignment.newest_number,
    )


def _definitions(connection: sa.Connection, site_id: int | None) -> list[Definition]:
    definitions: list[Definition] = []
    while page := definition_lists.search(
        connection, assigned_to=site_id, after=definition_lists.keys(definitions[-1], "key") if definitions else None
    ):
        definitions += page
    return definitions


def _assignments(connection: sa.Connection, site_id: int | None) -> list[SiteAssignment]:
    assignments: list[SiteAssignment] = []
    while page := assignment_lists.search(
        connection, site_id=site_id, after=assignment_lists.keys(assignments[-1], "id") if assignments else None
    ):
        assignments += page
    return assignments


def _revision(revision: revisions.Revision) -> Revision:
    return msgspec.convert(revision, Revision, from_attributes=True)
