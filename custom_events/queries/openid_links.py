"""Who signs in by an OpenID provider."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from custom_events.tables.access import openid_links

_C = openid_links.c


def person_of(connection: sa.Connection, issuer: str, subject: str) -> int | None:
    """Id of the person whom the provider calls so; None: nobody yet."""
    statement = sa.select(_C.person_id).where(_C.issuer == issuer, _C.subject == subject)
    return connection.execute(statement).scalar_one_or_none()


def add(connection: sa.Connection, *, issuer: str, subject: str, person_id: int) -> bool:
    """Link a person; False when the provider has another name for them already, or calls somebody else so."""
    values = {"issuer": issuer, "subject": subject, "person_id": person_id}
    statement = insert(openid_links).values(values).on_conflict_do_nothing().returning(_C.id)
    return connection.execute(statement).one_or_none() is not None


def remove(connection: sa.Connection, person_id: int) -> list[tuple[str, str]]:
    """Remove a person's links; issuer and subject of each."""
    statement = sa.delete(openid_links).where(_C.person_id == person_id).returning(_C.issuer, _C.subject)
    return [(row.issuer, row.subject) for row in connection.execute(statement)]
