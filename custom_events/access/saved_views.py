"""Views of the console's lists that people keep: filters and sorting under a name. Each sees their own."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

import msgspec
import sqlalchemy as sa

from custom_events.catalog.configurations import refuse
from custom_events.catalog.reading import name_problems, quoted
from custom_events.conditions.problems import Problem
from custom_events.errors import NeedsAction, NotFound
from custom_events.queries import saved_views as queries

MOST: Final = 100  # views of a person: a bar of more is no help
LONGEST_QUERY: Final = 2_000  # characters: what browsers and proxies take in an address
LISTS: Final = ("assignments", "sites")
_QUERY: Final = re.compile(r"[A-Za-z0-9_.~=&%:+*-]*\Z")  # as `urlencode` writes it


class SavedView(msgspec.Struct, frozen=True, kw_only=True):
    """A view. `list`: which list; `query`: its filters and sorting, as the query of an address (`active=yes&sort=label`)."""

    id: int
    list: str
    name: str
    query: str
    created_at: datetime


def keep(connection: sa.Connection, person_id: int, *, list_name: str, name: str, query: str) -> SavedView:
    """A new view. Raises InvalidConfiguration for what cannot be used, NeedsAction for a name that is taken and for too many."""
    name = name.strip()
    refuse([*_problems(list_name, query), *name_problems("name", name, "a name for the view")])
    known = queries.of_person(connection, person_id, None)
    if len(known) >= MOST:
        raise NeedsAction(f"There are {MOST} saved views already: remove one of them first.")
    made = queries.add(connection, person_id=person_id, list_name=list_name, name=name, query=query)
    if made is None:
        raise NeedsAction(f'There is a saved view "{name}" already: choose another name, or remove it first.')
    return next(view for view in of_person(connection, person_id, list_name) if view.id == made)


def of_person(connection: sa.Connection, person_id: int, list_name: str | None = None) -> list[SavedView]:
    """The views of a person, of one list where it is named, by name."""
    rows = queries.of_person(connection, person_id, list_name)
    return [msgspec.convert(row, SavedView, from_attributes=True) for row in rows]


def remove(connection: sa.Connection, person_id: int, view_id: int) -> None:
    """Remove a view. Raises NotFound, also for somebody else's."""
    if not queries.remove(connection, person_id, view_id):
        raise NotFound(f"There is no saved view {view_id}.", what="saved view")


def _problems(list_name: str, query: str) -> Iterator[Problem]:
    if list_name not in LISTS:
        wrong = f"{quoted(list_name)} is no list with saved views"
        yield Problem(path="list", wrong=wrong, right=f"one of {', '.join(LISTS)}")
    if len(query) > LONGEST_QUERY or not _QUERY.match(query):
        right = f"at most {LONGEST_QUERY} characters, as an address has them: active=yes&sort=label"
        yield Problem(path="query", wrong="it is no query of an address", right=right)
