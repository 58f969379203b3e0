"""People and what they may."""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from custom_events.queries import keyset
from custom_events.queries.keyset import After, Order
from custom_events.tables.access import people, role_grants

ADMINISTRATORS: Final = 7_105_026  # key of the advisory lock; any number that nobody else uses

Row = sa.Row[*tuple[Any, ...]]

ORDERS: Final = {
    "login": (people.c.login, people.c.id),
    "created_at": (people.c.created_at, people.c.id),
}


def grants(owner: str) -> sa.TextClause:
    """What somebody may, as a JSON list of objects with role and site_id. `owner`: `person_id = p.id`, for example."""
    return sa.text(
        "(SELECT coalesce(json_agg(json_build_object('role', g.role, 'site_id', g.site_id) ORDER BY g.site_id NULLS FIRST), '[]')"
        f" FROM app.role_grants g WHERE g.{owner}) AS grants"
    )


def _people() -> sa.Select[*tuple[Any, ...]]:
    c = people.c
    return sa.select(
        *(c.id, c.login, c.display_name, c.disabled_at, c.created_at, c.updated_at),
        c.password_hash.is_not(None).label("has_password"),
        grants("person_id = people.id"),
    )


def add(connection: sa.Connection, *, login: str, display_name: str) -> int | None:
    """Id of a new person, None when the login is taken."""
    statement = insert(people).values(login=login, display_name=display_name)
    made = statement.on_conflict_do_nothing(index_elements=["login"]).returning(people.c.id)
    return connection.execute(made).scalar_one_or_none()


def by_id(connection: sa.Connection, person_id: int, *, lock: bool = False) -> Row | None:
    """One person; `lock` holds them until the end of the transaction."""
    statement = _people().where(people.c.id == person_id)
    return connection.execute(statement.with_for_update(of=people) if lock else statement).one_or_none()


def by_login(connection: sa.Connection, login: str) -> Row | None:
    """The person of this login (lower case)."""
    return connection.execute(_people().where(people.c.login == login)).one_or_none()


def password_hash(connection: sa.Connection, login: str) -> Row | None:
    """Id and password hash of whoever may sign in with a password under this login."""
    c = people.c
    statement = sa.select(c.id, c.password_hash).where(
        c.login == login, c.disabled_at.is_(None), c.password_hash.is_not(None)
    )
    return connection.execute(statement).one_or_none()


def page(
    connection: sa.Connection, *, text: str | None, disabled: bool | None, order: Order, after: After | None, limit: int
) -> Sequence[Row]:
    """People whose login or name holds `text`."""
    c = people.c
    statement = _people()
    if text:
        statement = statement.where(
            sa.or_(c.login.icontains(text, autoescape=True), c.display_name.icontains(text, autoescape=True))
        )
    if disabled is not None:
        statement = statement.where(c.disabled_at.is_not(None) if disabled else c.disabled_at.is_(None))
    return connection.execute(keyset.page(statement, order, after, limit)).all()


def update(connection: sa.Connection, person_id: int, values: dict[str, Any]) -> None:
    """Change some columns of a person."""
    changed = {**values, "updated_at": sa.func.now()}
    connection.execute(sa.update(people).where(people.c.id == person_id).values(changed))


def set_grants(
    connection: sa.Connection, owner: sa.Column[Any], owner_id: int, wanted: Sequence[tuple[str, int | None]]
) -> None:
    """What a person or a key (`owner`: the column that names it) may from now on: roles by site, None for all sites."""
    connection.execute(sa.delete(role_grants).where(owner == owner_id))
    if wanted:
        rows = [{owner.name: owner_id, "role": role, "site_id": site_id} for role, site_id in wanted]
        connection.execute(sa.insert(role_grants), rows)


def take_turns(connection: sa.Connection) -> None:
    """Until the end of the transaction nobody else takes rights away: of two administrators who disable each other one remains."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ADMINISTRATORS)))


def has_administrator(connection: sa.Connection, *, but: int | None = None) -> bool:
    """Whether anybody who may sign in, `but` apart, is an administrator of all sites."""
    c = role_grants.c
    statement = (
        sa.select(people.c.id)
        .join(role_grants, c.person_id == people.c.id)
        .where(c.role == "administrator", c.site_id.is_(None), people.c.disabled_at.is_(None))
    )
    if but is not None:
        statement = statement.where(people.c.id != but)
    return bool(connection.execute(sa.select(statement.exists())).scalar_one())
