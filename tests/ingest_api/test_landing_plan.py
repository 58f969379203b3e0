"""How Postgres runs the landing statement: one index probe a row and neighbouring week, however full the weeks are."""

import asyncio
import re

from custom_events.postgres import connect
from custom_events.queries.landing import LAND, LAND_AROUND, LAND_NEW, LAND_NEW_AROUND
from ingest_api.database import WRITER_SETTINGS

DELIVERY = (
    '[{"place": 0, "site_id": 1, "dedup_key": "00112233445566778899aabbccddeeff", "headers": {}, "body_bytes": 1, '
    '"body_from": 1, "body_size": 1}]'
)
GIVEN = {
    LAND: f"'{DELIVERY}', '[]', '[]', 'x', 0",
    LAND_AROUND: f"'{DELIVERY}', '[]', '[]', 'x', 0",
    LAND_NEW: f"'{DELIVERY}', 'x', 0",
    LAND_NEW_AROUND: f"'{DELIVERY}', 'x', 0, 1",
}
FULL_WEEK = """
INSERT INTO landing.raw_events (landed_week, site_id, dedup_key, signature, headers, body, body_bytes)
SELECT date_trunc('week', now() AT TIME ZONE 'UTC')::date - 7, n % 50, decode(md5(n::text), 'hex'), 'verified', '{}', '', 0
FROM generate_series(1, 20000) AS n
"""


def test_only_the_neighbouring_weeks_are_probed_and_by_their_index(database: str) -> None:
    async def plan(statement: str) -> list[str]:
        connection = await connect.asyncpg_connect(connect.receiver_url(database))
        await connection.execute(WRITER_SETTINGS)
        await connection.execute(f"PREPARE land AS {statement}")
        begun = connection.transaction()
        await begun.start()
        explained = await connection.fetch(f"EXPLAIN (ANALYZE, COSTS OFF) EXECUTE land({GIVEN[statement]})")
        await begun.rollback()
        await connection.close()
        return [row[0] for row in explained]

    async def fill() -> None:
        connection = await connect.asyncpg_connect(database)
        await connection.execute(FULL_WEEK)
        await connection.execute("ANALYZE landing.raw_events")
        await connection.close()

    for full in (False, True):
        if full:
            asyncio.run(fill())
        for statement in (LAND, LAND_NEW):
            assert not [line for line in asyncio.run(plan(statement)) if "Scan" in line and "raw_events_" in line]
        for statement in (LAND_AROUND, LAND_NEW_AROUND):
            lines = asyncio.run(plan(statement))
            scans = [line for line in lines if re.search(r"Scan.* on raw_events_", line)]
            assert len(scans) == 2, "\n".join(lines)
            assert all("Index" in line for line in scans), scans
            assert not full or "dedup_key" in scans[0], "an empty week may be read by any index, a full one by its key"
