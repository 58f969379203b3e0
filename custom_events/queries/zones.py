"""Days of a time zone in SQL, by our own offsets: `AT TIME ZONE` with a name would ask the server's copy (decision 0018)."""

from typing import Final

import sqlalchemy as sa

# Each zone with the beginnings of its offsets and the offsets, in order: to be joined by the zone's name, under an alias.
ZONES: Final = """
SELECT zone, array_agg(starts_at ORDER BY starts_at) AS starts, array_agg(utc_offset ORDER BY starts_at) AS offsets
FROM app.zone_offsets GROUP BY zone
"""


def local_day(moment: str, zones: str) -> str:
    """SQL for the day of a timestamptz in the zone of a row of ZONES (its alias); in UTC where there is no such row. As fast as AT TIME
    ZONE with a name. The same stands in dbt/macros/local_day.sql."""
    offset = f"{zones}.offsets[width_bucket({moment}, {zones}.starts)]"
    return f"({moment} AT TIME ZONE coalesce({offset}, interval '0'))::date"


# Zones of sites and ads accounts, on how many days of a span the server's own copy gives another offset than ours, and the first of
# them; null where the server does not know the name.
SERVER_DIFFERENCES: Final = sa.text("""
WITH used AS (SELECT time_zone AS zone FROM app.sites UNION SELECT time_zone FROM app.ads_accounts),
servers AS MATERIALIZED (SELECT name FROM pg_timezone_names),
named AS (SELECT u.zone, EXISTS (SELECT FROM servers s WHERE s.name = u.zone) AS is_known FROM used u
  WHERE EXISTS (SELECT FROM app.zone_offsets z WHERE z.zone = u.zone)),
days AS (
  SELECT n.zone, n.is_known, d.at,
    (SELECT z.utc_offset FROM app.zone_offsets z WHERE z.zone = n.zone AND z.starts_at <= d.at ORDER BY z.starts_at DESC LIMIT 1) AS ours,
    CASE WHEN n.is_known THEN (d.at AT TIME ZONE n.zone) - (d.at AT TIME ZONE 'UTC') END AS servers
  FROM named n, generate_series(CAST(:since AS timestamptz), CAST(:until AS timestamptz), interval '1 day') AS d(at))
SELECT zone, is_known, min(at) AS first_at, count(*) AS days FROM days WHERE servers IS DISTINCT FROM ours
GROUP BY zone, is_known ORDER BY zone
""")

# Zones of sites and ads accounts of which the table has no offsets: they are taken for UTC.
UNKNOWN_ZONES: Final = sa.text("""
SELECT u.zone FROM (SELECT time_zone AS zone FROM app.sites UNION SELECT time_zone FROM app.ads_accounts) u
WHERE NOT EXISTS (SELECT FROM app.zone_offsets z WHERE z.zone = u.zone) ORDER BY 1
""")
