"""Requests that come again under the same key get the same answer, and nothing happens twice.

The answer is kept in the transaction of what it tells of. It may hold a secret that is shown once, so it is encrypted at rest.
"""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import msgspec
import sqlalchemy as sa

from custom_events import secrets
from custom_events.errors import NeedsAction
from custom_events.queries import idempotency as queries

KEPT: Final = timedelta(days=1)  # long enough for whoever tries again after a night's outage


class KeyReusedError(NeedsAction):
    """The key came with another request before."""


class KeptAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered."""

    status: int
    headers: dict[str, str]
    content: bytes


def digest_of(*parts: bytes) -> bytes:
    """What tells requests apart."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.digest()


def begin(connection: sa.Connection, caller: str, key: str, digest: bytes, *, secret_key: bytes) -> KeptAnswer | None:
    """The answer that was given before; None: the request is to be served. Raises KeyReusedError.

    Of two at once the second waits until the first has answered, or failed. A failed one leaves nothing behind.
    """
    queries.forget_old(connection, KEPT)
    if queries.begin(connection, caller, key, digest):
        return None
    row = queries.stored(connection, caller, key)
    if bytes(row.request_digest) != digest:
        raise KeyReusedError("This Idempotency-Key was sent with another request: use a new one for each.")
    return KeptAnswer(
        status=row.status, headers=row.headers, content=secrets.decrypt(bytes(row.content_encrypted), secret_key)
    )


def finish(
    connection: sa.Connection,
    caller: str,
    key: str,
    *,
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    secret_key: bytes,
) -> None:
    """Keep the answer."""
    token = secrets.encrypt(content, secret_key)
    queries.finish(connection, caller, key, status=status, headers=dict(headers), token=token)
