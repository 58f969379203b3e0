"""What the receiver asks of Postgres: the sites and secrets it verifies with, and one statement that lands a group.

`LAND` does everything a group of deliveries needs in one round trip: new ones into raw_events and the queue, known ones into
duplicate_deliveries, refused ones into quarantine, and the receipt that the sums check against (decision 0002).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import asyncpg
import msgspec

from custom_events.platforms.base import Secret
from custom_events.values.deliveries import Platform, Refusal

_TO_JSON = msgspec.json.Encoder()
BOUNDARY_LOCK = 0x6C616E64  # "land": key of the advisory lock around the change of week

# Sites and their valid secrets by site key or shop domain ($1, $2: text arrays); a site without secrets has one row.
SITES = """
SELECT site.id, site.site_key, site.shop_domain, site.platform, site.removed_at IS NOT NULL AS is_removed, secret.key_id, secret.secret_encrypted
FROM app.sites AS site
LEFT JOIN app.site_secrets AS secret
    ON secret.site_id = site.id AND (secret.valid_until IS NULL OR secret.valid_until > now())
WHERE site.site_key = ANY($1) OR site.shop_domain = ANY($2)
ORDER BY site.id, secret.id
"""

# Land one group. $1 to $3: deliveries, repeats inside the group and refusals as JSON arrays (Delivered, Refused); $4: their
# compressed bodies, one after the other; $5: refusals that are only counted. Returns the places (from 0) of deliveries that had
# landed before. The unique key of the week decides, between processes too. JSON, because asyncpg's arrays of ten columns cost the
# event loop twice as much (decision 0002).
LAND = """
WITH delivery AS MATERIALIZED (
    SELECT place - 1 AS place, site_id, topic, decode(dedup_key, 'hex') AS dedup_key, delivery_id, event_id, triggered_at,
        api_version, headers, body_from, body_size, body_bytes
    FROM ROWS FROM (json_to_recordset($1::json) AS (
        site_id bigint, topic text, dedup_key text, delivery_id text, event_id text, triggered_at timestamptz,
        api_version text, headers json, body_from integer, body_size integer, body_bytes integer
    )) WITH ORDINALITY AS given (
        site_id, topic, dedup_key, delivery_id, event_id, triggered_at, api_version, headers, body_from, body_size, body_bytes,
        place
    )
), landed AS (
    INSERT INTO landing.raw_events (
        landed_week, site_id, topic, dedup_key, delivery_id, event_id, triggered_at, api_version, signature, headers,
        body, body_bytes
    )
    SELECT
        date_trunc('week', now() AT TIME ZONE 'UTC')::date, site_id, topic, dedup_key, delivery_id, event_id, triggered_at,
        api_version, 'verified', headers, substring($4::bytea FROM body_from FOR body_size), body_bytes
    FROM delivery
    ON CONFLICT DO NOTHING
    RETURNING landed_week, id, site_id, dedup_key
), queued AS (
    INSERT INTO landing.raw_queue (raw_id, landed_week, site_id) SELECT id, landed_week, site_id FROM landed
), known AS MATERIALIZED (
    SELECT place, site_id, topic, dedup_key FROM delivery
    WHERE (site_id, dedup_key) NOT IN (SELECT site_id, dedup_key FROM landed)
), again AS MATERIALIZED (
    SELECT site_id, topic, decode(dedup_key, 'hex') AS dedup_key
    FROM json_to_recordset($2::json) AS given (site_id bigint, topic text, dedup_key text)
), repeated AS (
    INSERT INTO landing.duplicate_deliveries (received_at, site_id, topic, dedup_key)
    SELECT now(), site_id, topic, dedup_key FROM known
    UNION ALL
    SELECT now(), site_id, topic, dedup_key FROM again
), refusal AS MATERIALIZED (
    SELECT * FROM json_to_recordset($3::json) AS given (
        site_id bigint, platform text, reason text, topic text, headers json, body_from integer, body_size integer,
        body_bytes integer
    )
), quarantined AS (
    INSERT INTO landing.refused_events (received_at, site_id, platform, reason, topic, headers, body, body_bytes)
    SELECT now(), site_id, platform, reason, topic, headers, substring($4::bytea FROM body_from FOR body_size), body_bytes
    FROM refusal
), figures AS (
    SELECT
        (SELECT count(*) FROM delivery)::integer AS deliveries,
        (SELECT count(*) FROM known)::integer AS known,
        (SELECT count(*) FROM again)::integer AS again,
        (SELECT count(*) FROM refusal)::integer + $5::integer AS refused
), receipt AS (
    INSERT INTO landing.receipts (at, received, landed, duplicates, refused)
    SELECT now(), deliveries + again + refused, deliveries - known, known + again, refused FROM figures
)
SELECT place FROM known
"""

# LAND for what is mostly so: no repeats inside the group, no refusals, and no delivery that had landed before, or it raises
# UniqueViolationError and has done nothing. $1 as in LAND; $2: bodies; $3: refusals that are only counted. Postgres spends a quarter less
# on it: no look-up before each row and no second record in its log for each, and five parts fewer to start and end (decision 0002).
LAND_NEW = """
WITH landed AS (
    INSERT INTO landing.raw_events (
        landed_week, site_id, topic, dedup_key, delivery_id, event_id, triggered_at, api_version, signature, headers,
        body, body_bytes
    )
    SELECT
        date_trunc('week', now() AT TIME ZONE 'UTC')::date, site_id, topic, decode(dedup_key, 'hex'), delivery_id, event_id,
        triggered_at, api_version, 'verified', headers, substring($2::bytea FROM body_from FOR body_size), body_bytes
    FROM json_to_recordset($1::json) AS given (
        site_id bigint, topic text, dedup_key text, delivery_id text, event_id text, triggered_at timestamptz,
        api_version text, headers json, body_from integer, body_size integer, body_bytes integer
    )
    RETURNING landed_week, id, site_id
), queued AS (
    INSERT INTO landing.raw_queue (raw_id, landed_week, site_id) SELECT id, landed_week, site_id FROM landed
)
INSERT INTO landing.receipts (at, received, landed, duplicates, refused)
SELECT now(), count(*) + $3::integer, count(*), 0, $3::integer FROM landed
"""

# LAND that also looks into the weeks around this one, since a store may try again across midnight of Sunday: by a subquery for
# each row, because a join would read the whole week. A statement of its own, because a week's look costs a fifth of it (decision 0006).
_LANDS = "    ON CONFLICT DO NOTHING\n    RETURNING landed_week"
_NOT_AROUND = """    WHERE (
        SELECT true FROM landing.raw_events AS before
        WHERE before.landed_week IN (
                date_trunc('week', now() AT TIME ZONE 'UTC')::date - 7,
                date_trunc('week', now() AT TIME ZONE 'UTC')::date + 7
            )
            AND before.site_id = {delivery}.site_id AND before.dedup_key = {key}
        LIMIT 1
    ) IS NULL
"""
LAND_AROUND = LAND.replace(_LANDS, _NOT_AROUND.format(delivery="delivery", key="delivery.dedup_key") + _LANDS)

# LAND_NEW with the same look. $4: how many deliveries there are; where some had landed in a week around, it raises
# InvalidTextRepresentationError with a text that says so, and has done nothing.
_LANDS_NEW = "    RETURNING landed_week"
_COUNTED = "count(*) + $3::integer, count(*), 0"
_COUNTED_ALL = (
    "$4::integer + $3::integer, CASE WHEN count(*) = $4::integer THEN count(*)::integer"
    " ELSE ($4::integer - count(*) || ' deliveries had landed before')::integer END, 0"
)
LAND_NEW_AROUND = LAND_NEW.replace(
    _LANDS_NEW, _NOT_AROUND.format(delivery="given", key="decode(given.dedup_key, 'hex')") + _LANDS_NEW
).replace(_COUNTED, _COUNTED_ALL)


def land_as(signature: str) -> str:
    """LAND_AROUND of what is landed with this verdict in place of a store's good signature."""
    return LAND_AROUND.replace("'verified'", f"'{signature}'")


# One landing at a time while the week changes: a key that two processes land at once, one on each side, is seen by the second.
LOCK_BOUNDARY = "SELECT pg_advisory_xact_lock($1)"

# The database's clock, so that the writer knows when its week changes.
CLOCK = "SELECT clock_timestamp()"

# Whether these tables exist ($1: names with schema), which also says that the database answers.
MISSING_TABLES = "SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL"


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """What the receiver must know of a site. `unreadable`: a secret of it could not be decrypted here."""

    site_id: int
    platform: Platform
    is_removed: bool = False
    secrets: tuple[Secret, ...] = ()
    unreadable: bool = False


class Delivered(msgspec.Struct, kw_only=True):
    """One verified delivery. The body travels beside it; `body_bytes` is its length before compression."""

    site_id: int
    topic: str | None
    dedup_key: str  # hex
    delivery_id: str | None
    event_id: str | None
    triggered_at: datetime | None
    api_version: str | None
    headers: Mapping[str, str]
    body_bytes: int
    body_from: int = 0  # where its compressed body begins among all of the group's, from 1
    body_size: int = 0


class Refused(msgspec.Struct, kw_only=True):
    """One refused delivery. Without a body `body_from` and `body_size` are None, and so is the column."""

    site_id: int | None
    platform: str
    reason: Refusal
    topic: str | None
    headers: Mapping[str, str]
    body_bytes: int | None
    body_from: int | None = None
    body_size: int | None = None


class Fetches(Protocol):
    """An asyncpg connection or pool, as far as it is needed here."""

    async def fetch(self, query: str, *args: Any, timeout: float | None = None) -> list[Any]:  # noqa: ASYNC109  (asyncpg's name)
        """Rows of a query."""
        ...


async def land(
    connection: Fetches,
    deliveries: Sequence[Delivered],
    repeats: Sequence[Delivered],
    refusals: Sequence[Refused],
    bodies: bytes,
    *,
    only_counted: int = 0,
    around: bool = True,
    all_new: bool = False,
    timeout_s: float | None = None,
) -> set[int]:
    """Land one group in one statement; the places in `deliveries` of those that had landed before.

    `deliveries` have distinct (site_id, dedup_key), sorted alike by every process so that two never wait for each other in a
    circle; `repeats` are the group's further deliveries with the same keys. `around`: look for the same keys in the
    neighbouring weeks too. `all_new`: begin with LAND_NEW or LAND_NEW_AROUND where they serve; outside of a transaction only. Raises what asyncpg raises.
    """
    documents = _TO_JSON.encode(deliveries).decode()
    if all_new and not (repeats or refusals):
        started = time.monotonic()
        number = (len(deliveries),) if around else ()
        statement = LAND_NEW_AROUND if around else LAND_NEW
        try:
            await connection.fetch(statement, documents, bodies, only_counted, *number, timeout=timeout_s)
        except (asyncpg.UniqueViolationError, asyncpg.InvalidTextRepresentationError):
            if timeout_s is not None:
                timeout_s -= time.monotonic() - started
        else:
            return set()
    others = [_TO_JSON.encode(part).decode() for part in (repeats, refusals)]
    statement = LAND_AROUND if around else LAND
    known = await connection.fetch(statement, documents, *others, bodies, only_counted, timeout=timeout_s)
    return {row["place"] for row in known}


async def land_beside(
    connection: Fetches, statement: str, deliveries: Sequence[Delivered], repeats: Sequence[Delivered], bodies: bytes
) -> set[int]:
    """Land what did not come as a delivery, by a statement of `land_as`; in a transaction of the caller's. Arguments and answer are those of
    `land`."""
    await connection.fetch(LOCK_BOUNDARY, BOUNDARY_LOCK)
    documents = [_TO_JSON.encode(part).decode() for part in (deliveries, repeats, ())]
    rows = await connection.fetch(statement, *documents, bodies, 0)
    return {row["place"] for row in rows}


async def sites(
    connection: Fetches,
    keys: Sequence[str],
    domains: Sequence[str],
    decrypt: Callable[[bytes, int], bytes | None],
    timeout_s: float | None = None,
) -> list[tuple[str, str | None, Site]]:
    """(site key, shop domain, site) for each site found. `decrypt` takes a secret and its site, and gives None for one that it cannot read."""
    by_key: dict[str, tuple[str, str | None, Site]] = {}
    for row in await connection.fetch(SITES, keys, domains, timeout=timeout_s):
        key = row["site_key"]
        if key not in by_key:
            site = Site(site_id=row["id"], platform=Platform(row["platform"]), is_removed=row["is_removed"])
            by_key[key] = (key, row["shop_domain"], site)
        if row["secret_encrypted"] is not None:
            domain, site = by_key[key][1:]
            value = decrypt(row["secret_encrypted"], row["id"])
            if value is None:
                site = msgspec.structs.replace(site, unreadable=True)
            else:
                secret = Secret(value=value, key_id=row["key_id"])
                site = msgspec.structs.replace(site, secrets=(*site.secrets, secret))
            by_key[key] = (key, domain, site)
    return list(by_key.values())
