"""Signing in by password, and the sessions that come of it, or of another way to sign in. The cookie's token is shown once and kept as a digest."""

import hashlib
import secrets as tokens
from datetime import datetime, timedelta
from typing import Final

import msgspec
import sqlalchemy as sa

from custom_events.access import passwords
from custom_events.access.roles import Caller, Grant
from custom_events.catalog import audit
from custom_events.errors import NotAdmitted, NotFound, Throttled
from custom_events.queries import people
from custom_events.queries import sessions as queries
from custom_events.settings import Settings

TOKEN_BYTES: Final = 32  # 256 bits, as many as the digest has
KEPT_OF_USER_AGENT: Final = 200  # characters


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session without its token. `is_current`: it is the one that asks."""

    id: int
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    idle_until: datetime
    revoked_at: datetime | None
    client_address: str
    user_agent: str
    is_current: bool = False


class _StoredSession(msgspec.Struct, frozen=True):
    session_id: int
    id: int
    login: str
    stale: bool
    grants: tuple[Grant, ...]


def sign_in(
    engine: sa.Engine, *, login: str, password: str, client_address: str, user_agent: str, settings: Settings
) -> str:
    """The token of a new session.

    An attempt counts from its beginning, in a transaction of its own, so that many at once do not slip past the limits; one that
    succeeds counts no longer. Raises Throttled after too many of a login or an address, NotAdmitted for a wrong login or password:
    the same words, after the same work.
    """
    login = login.strip().lower()
    digest = hashlib.sha256(login.encode("utf-8", "replace")).digest()[:16]
    with engine.begin() as connection:
        _count(connection, digest, client_address, settings)
        row = people.password_hash(connection, login)
    if not passwords.fits(None if row is None else row.password_hash, password) or row is None:
        raise NotAdmitted("The login or the password is wrong.")
    with engine.begin() as connection:
        if passwords.is_outdated(row.password_hash):
            people.update(connection, row.id, {"password_hash": passwords.hashed(password)})
        queries.forget_attempts(connection, digest, client_address)
        return begin(
            connection,
            row.id,
            login,
            by="password",
            client_address=client_address,
            user_agent=user_agent,
            settings=settings,
        )


def begin(
    connection: sa.Connection,
    person_id: int,
    login: str,
    *,
    by: str,
    client_address: str,
    user_agent: str,
    settings: Settings,
) -> str:
    """The token of a new session of somebody who has proven who they are; `by` what (password, openid) stands in the audit trail."""
    token = tokens.token_urlsafe(TOKEN_BYTES)
    queries.add(
        connection,
        person_id,
        digest=_digest(token),
        lifetime=timedelta(hours=settings.session_lifetime_h),
        idle=timedelta(hours=settings.session_idle_h),
        client_address=client_address,
        user_agent=user_agent[:KEPT_OF_USER_AGENT],
    )
    audit.record(connection, actor=login, action="session.begin", subject=f"person:{login}", detail={"by": by})
    return token


def caller_of(connection: sa.Connection, token: str, settings: Settings) -> Caller | None:
    """Who has this session, while it is good; its use is noted."""
    row = connection.execute(queries.OF_TOKEN, {"digest": _digest(token)}).one_or_none()
    if row is None:
        return None
    stored = msgspec.convert(row, _StoredSession, from_attributes=True)
    if stored.stale:
        idle = timedelta(hours=settings.session_idle_h)
        connection.execute(queries.TOUCH, {"id": stored.session_id, "idle": idle})
    return Caller(
        kind="person",
        name=stored.login,
        id=stored.id,
        person_id=stored.id,
        session_id=stored.session_id,
        grants=stored.grants,
        via=f"session {stored.session_id}",
    )


def of_person(connection: sa.Connection, person_id: int, *, current: int | None = None) -> list[Session]:
    """The sessions of a person, the newest first, ended ones too for a week."""
    sessions = [msgspec.convert(row, Session, from_attributes=True) for row in queries.of_person(connection, person_id)]
    return [msgspec.structs.replace(session, is_current=session.id == current) for session in sessions]


def revoke(connection: sa.Connection, person_id: int, session_id: int, *, actor: str) -> None:
    """End a session of a person at once. Raises NotFound when they have none of this id that is good."""
    if not queries.revoke(connection, person_id, session_id):
        raise NotFound(f"There is no session {session_id}.", what="session")
    audit.record(connection, actor=actor, action="session.end", subject=f"session:{session_id}")


def _count(connection: sa.Connection, digest: bytes, client_address: str, settings: Settings) -> None:
    """One more attempt, unless there were too many of the login or from the address within the window."""
    window = timedelta(seconds=settings.login_window_s)
    for name in (digest.hex(), client_address):
        connection.execute(queries.TURN, {"name": name})
    values = {"login": digest, "address": client_address, "window": window}
    row = connection.execute(queries.ATTEMPTS, values).one()
    if row.of_login >= settings.login_attempts_per_login or row.of_address >= settings.login_attempts_per_address:
        raise Throttled(
            f"Too many attempts to sign in. Try again in {settings.login_window_s} seconds.",
            retry_after_s=settings.login_window_s,
        )
    queries.add_attempt(connection, login_digest=digest, client_address=client_address)
    queries.forget_old(connection, window=window)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
