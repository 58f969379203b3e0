"""SQL of the leaves that had another type than theirs: counted by the batch that met them, shown by status and metrics."""

from typing import Final

import sqlalchemy as sa

from custom_events.queries.understanding import given

MAX_PATHS_OF_SITE: Final = 500  # the structs have 300 leaves together; what comes beyond is counted under one path
OTHER_PATHS: Final = "$.*"
SHOWN: Final = 200  # paths that status and metrics name, those met last first

# asyncpg, positional parameters: what a batch met. A path beyond the limit of its site is counted with the others.
COUNT: Final = f"""
INSERT INTO app.odd_leaves AS o (site_id, path, bodies, first_seen_at, last_seen_at, raw_id, landed_week)
SELECT c.site_id, p.path, sum(c.bodies), now(), now(), max(c.raw_id), max(c.landed_week)
FROM {given("site_id bigint", "path text", "bodies bigint", "raw_id bigint", "landed_week date")}
CROSS JOIN LATERAL (
  SELECT CASE WHEN EXISTS (SELECT FROM app.odd_leaves k WHERE k.site_id = c.site_id AND k.path = c.path)
      OR (SELECT count(*) FROM app.odd_leaves k WHERE k.site_id = c.site_id) < {MAX_PATHS_OF_SITE}
    THEN c.path ELSE '{OTHER_PATHS}' END AS path
) p
GROUP BY c.site_id, p.path ORDER BY c.site_id, p.path
ON CONFLICT (site_id, path) DO UPDATE
SET bodies = o.bodies + excluded.bodies, last_seen_at = excluded.last_seen_at, raw_id = excluded.raw_id,
  landed_week = excluded.landed_week
"""

# The same for people and for the scrape, with the site's key.
MET: Final = f"""
SELECT s.site_key, o.path, o.bodies FROM app.odd_leaves o JOIN app.sites s ON s.id = o.site_id
ORDER BY o.last_seen_at DESC, o.site_id, o.path LIMIT {SHOWN}
"""
ODD_LEAVES: Final = sa.text(MET)
BY_NAME: Final = f"SELECT m.site_key || ' ' || m.path, m.bodies FROM ({MET}) m"
