"""SQL of what is kept for its time and no longer, where no partition goes with its table: identifiers in the ledger, customers, quarantine."""

from typing import Final

import sqlalchemy as sa

# Settled rows of the ledger, made within a span, for which Google takes nothing any more: who it was is blanked, the row stays.
BLANK_IDENTIFIERS: Final = sa.text("""
UPDATE app.conversion_uploads SET click_id = NULL, clicked_at = NULL, email_sha256 = NULL, phone_sha256 = NULL, other_clicks = NULL, cart = NULL
WHERE created_at >= :since AND created_at < :until AND conversion_at < :cutoff AND deadline_at < :now
  AND state IN ('accepted', 'rejected', 'expired', 'withheld')
  AND (click_id IS NOT NULL OR email_sha256 IS NOT NULL OR phone_sha256 IS NOT NULL OR other_clicks IS NOT NULL OR cart IS NOT NULL)
""")
FIRST_UPLOAD: Final = sa.text("SELECT min(created_at) FROM app.conversion_uploads")

# Customers of whom nothing was heard since; their orders and subscriptions stay, and no longer say whose they are. `:rows` at a time.
FORGET_CUSTOMERS: Final = sa.text("""
WITH unseen AS (
  SELECT c.site_id, c.customer_key FROM app.customers c
  WHERE c.first_seen_at < :cutoff AND c.updated_at < :cutoff
    AND NOT EXISTS (SELECT FROM app.orders o
      WHERE o.site_id = c.site_id AND o.customer_key = c.customer_key AND o.ordered_at >= :cutoff)
    AND NOT EXISTS (SELECT FROM app.commerce_events e
      WHERE e.site_id = c.site_id AND e.customer_key = c.customer_key AND e.occurred_at >= :cutoff)
  LIMIT :rows
), nameless AS (
  UPDATE app.orders o SET customer_key = NULL, number = NULL, said_digest = NULL FROM unseen u WHERE o.site_id = u.site_id AND o.customer_key = u.customer_key
), ended AS (
  UPDATE app.subscriptions s SET customer_key = NULL FROM unseen u WHERE s.site_id = u.site_id AND s.customer_key = u.customer_key
)
DELETE FROM app.customers c USING unseen u WHERE c.site_id = u.site_id AND c.customer_key = u.customer_key
""")

DELETE_QUARANTINE: Final = sa.text("DELETE FROM landing.refused_events WHERE received_at < :cutoff")

# The oldest of what expires, by what it is; weeks that were restored from the archive have a time of their own.
OLDEST: Final = sa.text("""
SELECT 'bodies' AS what, (SELECT min(landed_week)::timestamp AT TIME ZONE 'UTC' FROM landing.raw_events
  WHERE landed_week <> ALL (ARRAY(SELECT a.landed_week FROM app.raw_archives a WHERE a.restored_until > :now))) AS since
UNION ALL SELECT 'quarantine', (SELECT min(received_at) FROM landing.refused_events)
""")
