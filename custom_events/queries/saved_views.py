"""Views of lists that people keep."""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from custom_events.tables.access import saved_views

Row = sa.Row[*tuple[Any, ...]]

_TABLE: Final = saved_views


def add(connection: sa.Connection, *, person_id: int, list_name: str, name: str, query: str) -> int | None:
    """Id of a new view, None when the person has one of this name for the list already."""
    values = {"person_id": person_id, "list": list_name, "name": name, "query": query}
    statement = insert(_TABLE).values(values).on_conflict_do_nothing().returning(_TABLE.c.id)
    return connection.execute(statement).scalar_one_or_none()


def of_person(connection: sa.Connection, person_id: int, list_name: str | None) -> Sequence[Row]:
    """The views of a person, of one list where it is named, by name."""
    c = _TABLE.c
    statement = sa.select(_TABLE).where(c.person_id == person_id)
    if list_name is not None:
        statement = statement.where(c.list == list_name)
    return connection.execute(statement.order_by(c.list, c.name)).all()


def remove(connection: sa.Connection, person_id: int, view_id: int) -> bool:
    """Remove a view of this person. Whether there was one."""
    c = _TABLE.c
    return connection.execute(sa.delete(_TABLE).where(c.id == view_id, c.person_id == person_id)).rowcount > 0
