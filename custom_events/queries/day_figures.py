"""SQL of what happens today and what waits now: each statement reads one day, or what is open, whatever there is of history."""

from typing import Final

import sqlalchemy as sa

from custom_events.queries.uploads import OUTCOME

_WEEK: Final = "CAST(date_trunc('week', CAST(:{at} AS timestamptz) AT TIME ZONE 'UTC') AS date)"
_OF_SITE: Final = "(CAST(:site AS bigint) IS NULL OR {row}.site_id = :site)"

# What became of deliveries of a stretch, by when they came; of one site, or (null) of all.
DELIVERIES: Final = sa.text(f"""
SELECT o.outcome, count(*) FROM app.raw_outcomes o
WHERE o.received_at >= :since AND o.received_at < :until AND {_OF_SITE.format(row="o")}
  AND o.landed_week >= {_WEEK.format(at="since")} AND o.landed_week <= {_WEEK.format(at="until")}
GROUP BY 1
""")

# Conversions by what became of them, by when they were made.
CONVERSIONS: Final = sa.text(f"""
SELECT {OUTCOME}, count(*) FROM app.conversion_uploads u
WHERE u.created_at >= :since AND u.created_at < :until AND u.kind = 'conversion' AND {_OF_SITE.format(row="u")}
GROUP BY 1
""")

# What of the ledger waits, by state, and how much of it Google will not take any more at `soon`.
WAITING: Final = sa.text(f"""
SELECT u.state, count(*) AS rows, count(*) FILTER (WHERE u.deadline_at <= :soon) AS expiring
FROM app.conversion_uploads u WHERE u.waits AND {_OF_SITE.format(row="u")} GROUP BY 1
""")

# Sites that are active, of which something had happened and for a while nothing has, by the stores' clocks; the longest silence first.
# Each is one or two looks into an index. `since`: what is silent for longer is no news.
QUIET_SITES: Final = sa.text("""
SELECT s.id AS site_id, s.name, e.occurred_at AS last_at FROM app.sites s
CROSS JOIN LATERAL (
  SELECT c.occurred_at FROM app.commerce_events c
  WHERE c.site_id = s.id AND c.occurred_at >= :since AND c.occurred_at < :quiet_since
  ORDER BY c.occurred_at DESC LIMIT 1) e
WHERE s.is_active AND (CAST(:site AS bigint) IS NULL OR s.id = :site)
  AND NOT EXISTS (SELECT FROM app.commerce_events c WHERE c.site_id = s.id AND c.occurred_at >= :quiet_since)
ORDER BY e.occurred_at, s.id LIMIT :rows
""")

# Ads accounts to which something was sent and for a while nothing has been, with the API of the last call.
QUIET_ACCOUNTS: Final = sa.text("""
SELECT a.customer_id, a.name, r.lane, r.intent_at AS last_at FROM app.ads_accounts a
CROSS JOIN LATERAL (
  SELECT q.lane, q.intent_at FROM app.upload_requests q WHERE q.ads_account_id = a.id ORDER BY q.intent_at DESC LIMIT 1) r
WHERE r.intent_at < :quiet_since AND r.intent_at >= :since
ORDER BY r.intent_at, a.customer_id LIMIT :rows
""")
