"""API keys: `ce_<8 hexadecimal digits>_<43 characters>`. The beginning is shown in lists, the whole key once, when it is made.

A key acts for whoever it belongs to, and may no more than they may at that moment; without an owner it acts for who made it.
"""

import hashlib
import re
import secrets as tokens
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.access.people import check_grants
from custom_events.access.roles import Caller, Grant, within
from custom_events.catalog import audit
from custom_events.catalog.configurations import refuse
from custom_events.catalog.reading import name_problems
from custom_events.conditions.problems import Problem
from custom_events.errors import NotFound
from custom_events.queries import api_keys as queries
from custom_events.queries import people
from custom_events.queries.keyset import After, Order
from custom_events.queries.sites import database_now
from custom_events.tables.access import role_grants

SECRET_BYTES: Final = 32  # 256 bits, as many as the digest has
PREFIX_BYTES: Final = 4
PAGE: Final = 100  # keys read at once, unless told otherwise
SHAPE: Final = re.compile(r"(ce_[0-9a-f]{8})_[A-Za-z0-9_-]{43}\Z")


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key without its secret. `owner` is the login of whom it belongs to; None: to nobody in particular."""

    id: int
    prefix: str
    name: str
    person_id: int | None
    owner: str | None
    made_by: str
    grants: tuple[Grant, ...]
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime
    updated_at: datetime


class _StoredKey(msgspec.Struct, frozen=True):
    id: int
    prefix: str
    secret_digest: bytes
    person_id: int | None
    name: str
    stale: bool
    grants: tuple[Grant, ...]
    owner_grants: tuple[Grant, ...] | None


def make(
    connection: sa.Connection,
    *,
    name: str,
    grants: Sequence[Grant],
    actor: str,
    person_id: int | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """A new key, and what it is: shown now and never again. Raises InvalidConfiguration for what cannot be used."""
    problems = [*name_problems("name", name, "what the key is for")]
    if expires_at is not None and expires_at <= database_now(connection):
        problems += [Problem(path="expires_at", wrong="it is past", right="a moment to come, or null")]
    if person_id is not None and people.by_id(connection, person_id) is None:
        problems += [Problem(path="person_id", wrong=f"there is no person {person_id}", right="a person's id, or null")]
    if not grants:
        problems += [Problem(path="grants", wrong="it is empty", right="one role at least")]
    refuse(problems)
    check_grants(connection, grants)
    prefix = f"ce_{tokens.token_hex(PREFIX_BYTES)}"
    key = f"{prefix}_{tokens.token_urlsafe(SECRET_BYTES)}"
    made = queries.add(
        connection,
        prefix=prefix,
        digest=_digest(key),
        name=name,
        person_id=person_id,
        made_by=actor,
        expires_at=expires_at,
    )
    rows = [(grant.role.value, grant.site_id) for grant in grants]
    people.set_grants(connection, role_grants.c.api_key_id, made, rows)
    stored = get(connection, made)
    after = {"name": name, "grants": msgspec.to_builtins(stored.grants), "owner": stored.owner}
    audit.record(connection, actor=actor, action="api_key.make", subject=f"api_key:{prefix}", after=after)
    return stored, key


def get(connection: sa.Connection, key_id: int) -> ApiKey:
    """The key of this id. Raises NotFound."""
    return _found(queries.by_id(connection, key_id), key_id)


def called(connection: sa.Connection, prefix: str) -> ApiKey:
    """The key that begins so. Raises NotFound."""
    return _found(queries.by_prefix(connection, prefix), f'"{prefix}"')


def page(
    connection: sa.Connection,
    *,
    good: bool | None = None,
    sort: str = "id",
    descending: bool = False,
    after: After | None = None,
    limit: int = PAGE,
) -> list[ApiKey]:
    """Keys, a page of them; `good`: those that can be used, or the others; `sort`: a name of `queries.api_keys.ORDERS`."""
    rows = queries.page(
        connection, good=good, order=Order(queries.ORDERS[sort], descending=descending), after=after, limit=limit
    )
    return [msgspec.convert(row, ApiKey, from_attributes=True) for row in rows]


def revoke(connection: sa.Connection, key_id: int, *, actor: str) -> ApiKey:
    """The key is good no longer, at once. Raises NotFound."""
    key = get(connection, key_id)
    if queries.revoke(connection, key_id):
        revoked = get(connection, key_id)
        audit.record(
            connection,
            actor=actor,
            action="api_key.revoke",
            subject=f"api_key:{key.prefix}",
            before={"revoked_at": None},
            after=msgspec.to_builtins({"revoked_at": revoked.revoked_at}),
        )
        return revoked
    return key


def caller_of(connection: sa.Connection, key: str) -> Caller | None:
    """Who has this key, while it is good; its use is noted."""
    shape = SHAPE.match(key)
    if shape is None:
        return None
    row = connection.execute(queries.OF_PREFIX, {"prefix": shape[1]}).one_or_none()
    if row is None or not tokens.compare_digest(bytes(row.secret_digest), _digest(key)):
        return None
    stored = msgspec.convert(row, _StoredKey, from_attributes=True)
    if stored.stale:
        connection.execute(queries.TOUCH, {"id": stored.id})
    grants = stored.grants if stored.owner_grants is None else within(stored.grants, stored.owner_grants)
    return Caller(
        kind="api_key",
        name=stored.name,
        id=stored.id,
        person_id=stored.person_id,
        grants=grants,
        via=f"api key {stored.prefix}",
    )


def _found(row: sa.Row[*tuple[Any, ...]] | None, name: object) -> ApiKey:
    if row is None:
        raise NotFound(f"There is no API key {name}.", what="API key")
    return msgspec.convert(row, ApiKey, from_attributes=True)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()
