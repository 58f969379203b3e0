"""How somebody who is signed in to the console opens Dagster's page without another login: by signed texts that name their session. A ticket
stands in the address that the console leads to, once and for a minute; a mark stands in the cookie of that page, for as long as the session is
good. Both are signed by the key that the console and the guard of the page share (`dagster_token`)."""

import hashlib
import hmac
import secrets
from typing import Final

import sqlalchemy as sa

from custom_events.queries import sessions as queries

TICKET_S: Final = 60  # from the console's answer to the browser's next request, on a slow line
NONCE_BYTES: Final = 8  # two tickets of one session and second differ
_TICKET: Final = "ticket"
_MARK: Final = "mark"


def ticket(session_id: int, key: bytes, *, now: float) -> str:
    """What opens the page once for a session. `now`: seconds since 1970."""
    return _signed(_TICKET, f"{session_id}.{int(now) + TICKET_S}.{secrets.token_hex(NONCE_BYTES)}", key)


def session_of_ticket(text: str, key: bytes, *, now: float) -> int | None:
    """Whose ticket it is; None: it is none of ours, or too old."""
    payload = _payload(_TICKET, text, key)
    if payload is None:
        return None
    session_id, until, _ = payload.split(".")
    return int(session_id) if now <= int(until) else None


def mark(session_id: int, key: bytes) -> str:
    """What the page's cookie holds."""
    return _signed(_MARK, str(session_id), key)


def session_of_mark(text: str, key: bytes) -> int | None:
    """Whose cookie it is; None: it is none of ours."""
    payload = _payload(_MARK, text, key)
    return None if payload is None else int(payload)


def may_open(connection: sa.Connection, session_id: int) -> bool:
    """Whether a session is good at this moment, and its person administers all sites."""
    return bool(connection.execute(queries.OPENS_DAGSTER, {"id": session_id}).scalar_one())


def _signed(purpose: str, payload: str, key: bytes) -> str:
    return f"{payload}.{_signature(purpose, payload, key)}"


def _payload(purpose: str, text: str, key: bytes) -> str | None:
    payload, _, signature = text.rpartition(".")
    fits = hmac.compare_digest(signature.encode("utf-8", "replace"), _signature(purpose, payload, key).encode())
    return payload if fits else None


def _signature(purpose: str, payload: str, key: bytes) -> str:
    return hmac.new(key, f"dagster {purpose} {payload}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()
