"""How far back to look for assignments that want the same orders. asyncpg; only reads."""

from typing import Final

# The time of the oldest of a site's newest events of a period, as many as asked for; null when there are fewer.
NEWEST_SINCE: Final = """
SELECT o.occurred_at
FROM unnest($2::text[]) AS t(type)
CROSS JOIN LATERAL (
  SELECT s.occurred_at FROM app.commerce_events s
  WHERE s.site_id = $1 AND s.type = t.type AND s.occurred_at >= $3 AND s.occurred_at < $4
  ORDER BY s.occurred_at DESC LIMIT $5::bigint
) o
ORDER BY o.occurred_at DESC OFFSET $5::bigint - 1 LIMIT 1
"""
