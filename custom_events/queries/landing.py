"""What the receiver asks of Postgres: the sites and secrets it verifies with, and one statement that lands a group.

`LAND` does everything a group of deliveries needs in one round trip: new ones into raw_events and the queue, known ones into
duplicate_deliveries, refused ones into quarantine, and the receipt that the sums check against (decision 0002).
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import msgspec

from custom_events.platforms.base import Secret
from custom_events.values.deliveries import Platform, Refusal

BOUNDARY_LOCK = 0x6C616E64  # "land": key of the advisory lock around the change of week

# Sites and their valid secrets by site key or shop domain ($1, $2: text arrays); a site without secrets has one row.
SITES = """
SELECT site.id, site.site_key, site.shop_domain, site.platform, site.is_active, secret.key_id, secret.secret_encrypted
FROM app.sites AS site
LEFT JOIN app.site_secrets AS secret
    ON secret.site_id = site.id AND (secret.valid_until IS NULL OR secret.valid_until > now())
WHERE site.site_key = ANY($1) OR site.shop_domain = ANY($2)
ORDER BY site.id, secret.id
"""

# Land one group: deliveries ($1-$10), repeats inside the group ($11-$13), refusals ($14-$20), refusals only counted ($21).
# Returns the positions (from 1) of deliveries that had landed before. The unique key of the week decides, between
# processes too; the neighbouring weeks are looked at because a store may try again across midnight of Sunday.
LAND = """
WITH this AS (
    SELECT date_trunc('week', now() AT TIME ZONE 'UTC')::date AS week
), delivery AS MATERIALIZED (
    SELECT * FROM unnest(
        $1::bigint[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::text[],
        $9::bytea[], $10::integer[]
    ) WITH ORDINALITY AS given (
        site_id, topic, dedup_key, delivery_id, event_id, triggered_at, api_version, headers, body, body_bytes, position
    )
), landed AS (
    INSERT INTO landing.raw_events (
        landed_week, site_id, topic, dedup_key, delivery_id, event_id, triggered_at, api_version, signature, headers,
        body, body_bytes
    )
    SELECT
        this.week, site_id, topic, dedup_key, delivery_id, event_id, triggered_at, api_version, 'verified', headers::json,
        body, body_bytes
    FROM delivery CROSS JOIN this
    WHERE NOT EXISTS (
        SELECT FROM landing.raw_events AS before
        WHERE before.landed_week IN (
                date_trunc('week', now() AT TIME ZONE 'UTC')::date - 7,
                date_trunc('week', now() AT TIME ZONE 'UTC')::date + 7
            )
            AND before.site_id = delivery.site_id AND before.dedup_key = delivery.dedup_key
    )
    ON CONFLICT DO NOTHING
    RETURNING landed_week, id, site_id, dedup_key
), queued AS (
    INSERT INTO landing.raw_queue (raw_id, landed_week, site_id) SELECT id, landed_week, site_id FROM landed
), known AS MATERIALIZED (
    SELECT position, site_id, topic, dedup_key FROM delivery
    WHERE NOT EXISTS (
        SELECT FROM landed WHERE landed.site_id = delivery.site_id AND landed.dedup_key = delivery.dedup_key
    )
), repeated AS (
    INSERT INTO landing.duplicate_deliveries (received_at, site_id, topic, dedup_key)
    SELECT now(), site_id, topic, dedup_key FROM known
    UNION ALL
    SELECT now(), * FROM unnest($11::bigint[], $12::text[], $13::bytea[])
), quarantined AS (
    INSERT INTO landing.refused_events (received_at, site_id, platform, reason, topic, headers, body, body_bytes)
    SELECT now(), site_id, platform, reason, topic, headers::json, body, body_bytes
    FROM unnest($14::bigint[], $15::text[], $16::text[], $17::text[], $18::text[], $19::bytea[], $20::integer[])
        AS given (site_id, platform, reason, topic, headers, body, body_bytes)
), receipt AS (
    INSERT INTO landing.receipts (at, received, landed, duplicates, refused)
    SELECT
        now(),
        cardinality($1::bigint[]) + cardinality($11::bigint[]) + cardinality($14::bigint[]) + $21::integer,
        cardinality($1::bigint[]) - count(*),
        cardinality($11::bigint[]) + count(*),
        cardinality($14::bigint[]) + $21::integer
    FROM known
)
SELECT position FROM known
"""

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
    is_active: bool = True
    secrets: tuple[Secret, ...] = ()
    unreadable: bool = False


class Delivered(NamedTuple):
    """One verified delivery, in the order of LAND's first ten parameters. `body` is compressed, `body_bytes` counts before."""

    site_id: int
    topic: str | None
    dedup_key: bytes
    delivery_id: str | None
    event_id: str | None
    triggered_at: datetime | None
    api_version: str | None
    headers: str
    body: bytes
    body_bytes: int


class Refused(NamedTuple):
    """One refused delivery, in the order of LAND's parameters 14 to 20."""

    site_id: int | None
    platform: str
    reason: Refusal
    topic: str | None
    headers: str
    body: bytes | None
    body_bytes: int | None


class Fetches(Protocol):
    """An asyncpg connection or pool, as far as it is needed here."""

    async def fetch(self, query: str, *args: Any, timeout: float | None = None) -> list[Any]:  # noqa: ASYNC109  (asyncpg's name)
        """Rows of a query."""
        ...


async def land(
    connection: Fetches,
    deliveries: Sequence[Delivered],
    repeats: Sequence[Delivered] = (),
    refusals: Sequence[Refused] = (),
    *,
    only_counted: int = 0,
    timeout_s: float | None = None,
) -> set[int]:
    """Land one group in one statement; the indexes (from 0) in `deliveries` of those that had landed before.

    `deliveries` have distinct (site_id, dedup_key), sorted alike by every process so that two never wait for each other;
    `repeats` are the group's further deliveries with the same keys. Raises what asyncpg raises.
    """
    columns = [*zip(*deliveries, strict=True)] if deliveries else [()] * len(Delivered._fields)
    again = [[getattr(row, name) for row in repeats] for name in ("site_id", "topic", "dedup_key")]
    refused = [*zip(*refusals, strict=True)] if refusals else [()] * len(Refused._fields)
    known = await connection.fetch(LAND, *columns, *again, *refused, only_counted, timeout=timeout_s)
    return {row["position"] - 1 for row in known}


async def sites(
    connection: Fetches,
    keys: Sequence[str],
    domains: Sequence[str],
    decrypt: Callable[[bytes], bytes | None],
    timeout_s: float | None = None,
) -> list[tuple[str, str | None, Site]]:
    """(site key, shop domain, site) for each site found. `decrypt` gives None for a secret that it cannot read."""
    found: dict[str, tuple[str, str | None, Site]] = {}
    for row in await connection.fetch(SITES, keys, domains, timeout=timeout_s):
        key = row["site_key"]
        if key not in found:
            site = Site(site_id=row["id"], platform=Platform(row["platform"]), is_active=row["is_active"])
            found[key] = (key, row["shop_domain"], site)
        if row["secret_encrypted"] is not None:
            domain, site = found[key][1:]
            value = decrypt(row["secret_encrypted"])
            if value is None:
                site = msgspec.structs.replace(site, unreadable=True)
            else:
                secret = Secret(value=value, key_id=row["key_id"])
                site = msgspec.structs.replace(site, secrets=(*site.secrets, secret))
            found[key] = (key, domain, site)
    return list(found.values())
