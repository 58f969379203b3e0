"""Signing in by password, and the sessions that come of it, or of another way to sign in. The cookie's token is shown once and kept as a digest."""

import hashlib
import secrets as tokens
from datetime import datetime, timedelta
from typing import Final

import msgspec
import sqlalchemy as sa
import structlog

from custom_events.access import passwords
from custom_events.access.credentials import Credential
from custom_events.access.roles import Caller, Grant
from custom_events.catalog import audit
from custom_events.errors import NotAdmitted, NotFound, Throttled
from custom_events.queries import lookups, people
from custom_events.queries import sessions as queries
from custom_events.settings import Settings

TOKEN_BYTES: Final = 32  # 256 bits, as many as the digest has
KEPT_OF_USER_AGENT: Final = 200  # characters

_LOG = structlog.get_logger(__name__)


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


class GoodSession(msgspec.Struct, frozen=True):
    """A session that may be used, as it is looked up at each request."""

    session_id: int
    id: int
    login: str
    stale: bool
    grants: tuple[Grant, ...]


_GOOD: Final = lookups.of_text(queries.GOOD_OF_DIGEST, lambda row: msgspec.convert(row, GoodSession))


def sign_in(
    engine: sa.Engine, *, login: str, password: str, client_address: str, user_agent: str, settings: Settings
) -> str:
    """The token of a new session.

    An attempt counts from its beginning, in a transaction of its own, so that many at once do not slip past the limits; one that
    succeeds counts no longer. Raises Throttled after too many of a login or an address, NotAdmitted for a wrong login or password:
    the same words, after the same work. Where passwords are not taken, NotAdmitted for everybody.
    """
    if not settings.password_sign_in:
        raise NotAdmitted("Passwords are not taken here: sign in by your organisation.")
    login = login.strip().lower()
    digest = _login_digest(login)
    with engine.begin() as connection:
        _count(connection, digest, client_address, settings)
        row = people.password_hash(connection, login)
    if not passwords.fits(None if row is None else row.password_hash, password) or row is None:
        _LOG.warning("sign_in_refused", person_id=None if row is None else row.id)
        raise NotAdmitted("The login or the password is wrong.")
    with engine.begin() as connection:
        if passwords.is_outdated(row.password_hash):
            people.update(connection, row.id, {"password_hash": passwords.rehashed(password)})
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


class SessionCredential(Credential[GoodSession]):
    """A session's token that was sent."""

    def __init__(self, token: str, settings: Settings) -> None:
        super().__init__(_GOOD, {"digest": _digest(token)})
        self._idle = timedelta(hours=settings.session_idle_h)

    def caller(self, good: GoodSession) -> Caller:
        """Whose session it is."""
        return _caller(good)

    def note_use(self, connection: sa.Connection, good: GoodSession) -> None:
        """When it was used last, and until when it stays good without another use."""
        connection.execute(queries.TOUCH, {"id": good.session_id, "idle": self._idle})


def count_attempt(engine: sa.Engine, *, login: str, client_address: str, settings: Settings) -> None:
    """One more password that somebody typed for a login, as signing in counts them. Raises Throttled after too many."""
    with engine.begin() as connection:
        _count(connection, _login_digest(login), client_address, settings)


def caller_of(connection: sa.Connection, token: str, settings: Settings) -> Caller | None:
    """Who has this session, while it is good; its use is noted."""
    return SessionCredential(token, settings).caller_by(connection)


def caller_now(connection: sa.Connection, session_id: int) -> Caller | None:
    """What whoever had this session may at this moment; None: it was revoked, or they are disabled. It may have ended by itself."""
    row = connection.execute(queries.OF_ID, {"id": session_id}).one_or_none()
    return None if row is None else _caller(msgspec.convert(row, GoodSession, from_attributes=True))


def of_person(connection: sa.Connection, person_id: int, *, current: int | None = None) -> list[Session]:
    """The sessions of a person, the newest first, ended ones too for a week."""
    sessions = [msgspec.convert(row, Session, from_attributes=True) for row in queries.of_person(connection, person_id)]
    return [msgspec.structs.replace(session, is_current=session.id == current) for session in sessions]


def revoke(connection: sa.Connection, person_id: int, session_id: int, *, actor: str) -> None:
    """End a session of a person at once, and what was asked by it and has not ended. Raises NotFound when they have none of this id that is good."""
    if not queries.revoke(connection, person_id, session_id):
        raise NotFound(f"There is no session {session_id}.", what="session")
    audit.record(connection, actor=actor, action="session.end", subject=f"session:{session_id}")


def sign_out(connection: sa.Connection, person_id: int, session_id: int, *, actor: str) -> None:
    """Its owner ends the session by which they ask: it is over, and what was asked by it goes on. Raises NotFound when it is not good."""
    if not queries.sign_out(connection, person_id, session_id):
        raise NotFound(f"There is no session {session_id}.", what="session")
    audit.record(connection, actor=actor, action="session.end", subject=f"session:{session_id}")


def _caller(good: GoodSession) -> Caller:
    return Caller(
        kind="person",
        name=good.login,
        id=good.id,
        person_id=good.id,
        session_id=good.session_id,
        grants=good.grants,
        via=f"session {good.session_id}",
    )


def _count(connection: sa.Connection, digest: bytes, client_address: str, settings: Settings) -> None:
    """One more attempt, unless there were too many of the login or from the address within the window."""
    window = timedelta(seconds=settings.login_window_s)
    for name in (digest.hex(), client_address):
        connection.execute(queries.TURN, {"name": name})
    values = {"login": digest, "address": client_address, "window": window}
    row = connection.execute(queries.ATTEMPTS, values).one()
    if row.of_login >= settings.login_attempts_per_login or row.of_address >= settings.login_attempts_per_address:
        _LOG.warning("sign_in_throttled", of_login=row.of_login, of_client=row.of_address)
        raise Throttled(
            f"Too many attempts to sign in. Try again in {settings.login_window_s} seconds.",
            retry_after_s=settings.login_window_s,
        )
    queries.add_attempt(connection, login_digest=digest, client_address=client_address)
    queries.forget_old(connection, window=window)


def _login_digest(login: str) -> bytes:
    return hashlib.sha256(login.encode("utf-8", "replace")).digest()[:16]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
