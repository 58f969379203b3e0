"""Sessions of signed-in people, and attempts to sign in. Digests are SHA-256; what they are of is not kept."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa

from custom_events.tables.access import login_attempts, sessions

FORGOTTEN_AFTER: Final = timedelta(
    days=7
)  # after its end a session can be looked at for a week: where was I signed in?
FORGET_AT_ONCE: Final = 100  # rows, so that nobody who signs in waits for long

Row = sa.Row[*tuple[Any, ...]]

# Who has the cookie of this digest, while the session is good: one row, with what they may. `stale`: its last use is to be noted.
GOOD_OF_DIGEST: Final = """
SELECT s.id AS session_id, p.id, p.login, s.last_used_at < now() - interval '1 minute' AS stale,
  (SELECT coalesce(json_agg(json_build_object('role', g.role, 'site_id', g.site_id)), '[]')
   FROM app.role_grants g WHERE g.person_id = p.id) AS grants
FROM app.sessions s JOIN app.people p ON p.id = s.person_id
WHERE s.token_digest = %(digest)s AND s.revoked_at IS NULL AND s.expires_at > now() AND s.idle_until > now()
  AND p.disabled_at IS NULL
"""
# Whose this session is and what they may, unless it was revoked: whether it has ended by itself says nothing.
OF_ID: Final = sa.text("""
SELECT s.id AS session_id, p.id, p.login, false AS stale,
  (SELECT coalesce(json_agg(json_build_object('role', g.role, 'site_id', g.site_id)), '[]')
   FROM app.role_grants g WHERE g.person_id = p.id) AS grants
FROM app.sessions s JOIN app.people p ON p.id = s.person_id
WHERE s.id = :id AND s.revoked_at IS NULL AND p.disabled_at IS NULL
""")
# By a function of the owner: whoever serves Dagster's page learns this of sessions and people, and no more (migration 0050).
OPENS_DAGSTER: Final = sa.text("SELECT app.opens_dagster(CAST(:id AS BIGINT))")
# Noted at most once a minute, and by one request at a time: the others do not wait for it.
TOUCH: Final = sa.text("""
UPDATE app.sessions SET last_used_at = now(), idle_until = now() + :idle
WHERE id = (SELECT id FROM app.sessions WHERE id = :id FOR UPDATE SKIP LOCKED)
""")
TURN: Final = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('login ' || :name, 0))")
ATTEMPTS: Final = sa.text("""
SELECT (SELECT count(*) FROM app.login_attempts WHERE login_digest = :login AND at > now() - :window) AS of_login,
  (SELECT count(*) FROM app.login_attempts WHERE client_address = :address AND at > now() - :window) AS of_address
""")
_ENDED: Final = sa.text("""
DELETE FROM app.sessions WHERE id IN (SELECT id FROM app.sessions
  WHERE expires_at < now() - :age LIMIT :rows FOR UPDATE SKIP LOCKED)
""")
_OLD_ATTEMPTS: Final = sa.text("""
DELETE FROM app.login_attempts WHERE id IN (SELECT id FROM app.login_attempts
  WHERE at < now() - :window LIMIT :rows FOR UPDATE SKIP LOCKED)
""")


def add(
    connection: sa.Connection,
    person_id: int,
    *,
    digest: bytes,
    lifetime: timedelta,
    idle: timedelta,
    client_address: str,
    user_agent: str,
) -> int:
    """Id of a new session."""
    values = {
        "token_digest": digest,
        "person_id": person_id,
        "expires_at": sa.func.now() + lifetime,
        "idle_until": sa.func.now() + idle,
        "last_used_at": sa.func.now(),
        "client_address": client_address,
        "user_agent": user_agent,
    }
    return connection.execute(sa.insert(sessions).values(values).returning(sessions.c.id)).scalar_one()


def of_person(connection: sa.Connection, person_id: int) -> Sequence[Row]:
    """The sessions of a person, the newest first, without their digests."""
    c = sessions.c
    columns = (
        *(c.id, c.created_at, c.last_used_at, c.expires_at, c.idle_until, c.revoked_at),
        *(c.client_address, c.user_agent),
    )
    return connection.execute(sa.select(*columns).where(c.person_id == person_id).order_by(c.id.desc())).all()


def revoke(connection: sa.Connection, person_id: int, session_id: int | None = None) -> int:
    """End a session of a person, or all of them (None); how many were good until now."""
    c = sessions.c
    statement = sa.update(sessions).where(
        c.person_id == person_id, c.revoked_at.is_(None), c.expires_at > sa.func.now()
    )
    if session_id is not None:
        statement = statement.where(c.id == session_id)
    return connection.execute(statement.values(revoked_at=sa.func.now())).rowcount


def revoke_others(connection: sa.Connection, person_id: int, session_id: int) -> int:
    """End all sessions of a person but this one; how many were good until now."""
    c = sessions.c
    others = (c.person_id == person_id, c.id != session_id, c.revoked_at.is_(None), c.expires_at > sa.func.now())
    return connection.execute(sa.update(sessions).where(*others).values(revoked_at=sa.func.now())).rowcount


def sign_out(connection: sa.Connection, person_id: int, session_id: int) -> int:
    """Its owner ends a session: it is over, and not revoked. How many were good until now."""
    c = sessions.c
    statement = sa.update(sessions).where(
        c.id == session_id, c.person_id == person_id, c.revoked_at.is_(None), c.expires_at > sa.func.now()
    )
    return connection.execute(statement.values(expires_at=sa.func.now())).rowcount


def add_attempt(connection: sa.Connection, *, login_digest: bytes, client_address: str) -> None:
    """One more attempt to sign in."""
    connection.execute(sa.insert(login_attempts).values(login_digest=login_digest, client_address=client_address))


def forget_attempts(connection: sa.Connection, login_digest: bytes, client_address: str) -> None:
    """Attempts under this login from there count no longer: it was its owner."""
    c = login_attempts.c
    connection.execute(
        sa.delete(login_attempts).where(c.login_digest == login_digest, c.client_address == client_address)
    )


def forget_old(connection: sa.Connection, *, window: timedelta) -> None:
    """Remove some of what ended long ago."""
    connection.execute(_ENDED, {"age": FORGOTTEN_AFTER, "rows": FORGET_AT_ONCE})
    connection.execute(_OLD_ATTEMPTS, {"window": window, "rows": FORGET_AT_ONCE})
