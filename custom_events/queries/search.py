"""SQL of the search: from what somebody has in hand to orders, customers and deliveries, by index. psycopg through SQLAlchemy.

A site that is null means every site: one look into an index for each. What has several partitions is asked for in all of them at once.
"""

from typing import Final

import sqlalchemy as sa

_SITES: Final = "(SELECT s.id FROM app.sites s WHERE CAST(:site AS bigint) IS NULL OR s.id = :site) s"
_ORDER: Final = "o.site_id, o.order_id, o.number, o.customer_key, o.ordered_at"

# Orders by id, and by number with or without its sign.
ORDERS: Final = sa.text(f"""
SELECT 'order id' AS matched, o.* FROM {_SITES}
CROSS JOIN LATERAL (SELECT {_ORDER} FROM app.orders o WHERE o.site_id = s.id AND o.order_id = :text LIMIT 1) o
UNION ALL
SELECT 'order number', o.* FROM (
  SELECT {_ORDER} FROM app.orders o WHERE o.number = ANY(CAST(:numbers AS text[])) AND (CAST(:site AS bigint) IS NULL OR o.site_id = :site)
  LIMIT :rows) o
LIMIT :rows
""")

# Customers by the hash of an address or a number.
BY_EMAIL: Final = sa.text("""
SELECT c.site_id, c.customer_key, c.first_seen_at FROM app.customers c
WHERE c.email_sha256 = :digest AND (CAST(:site AS bigint) IS NULL OR c.site_id = :site) LIMIT :rows
""")
BY_PHONE: Final = sa.text("""
SELECT c.site_id, c.customer_key, c.first_seen_at FROM app.customers c
WHERE c.phone_sha256 = :digest AND (CAST(:site AS bigint) IS NULL OR c.site_id = :site) LIMIT :rows
""")

# Customers by their key.
BY_KEY: Final = sa.text(f"""
SELECT c.* FROM {_SITES}
CROSS JOIN LATERAL (
  SELECT c.site_id, c.customer_key, c.first_seen_at FROM app.customers c WHERE c.site_id = s.id AND c.customer_key = :key LIMIT 1) c
LIMIT :rows
""")

# What carried a click.
CLICKS: Final = sa.text("""
SELECT c.site_id, c.subject, c.kind, c.seen_at FROM app.clicks c
WHERE c.click_id = :text AND (CAST(:site AS bigint) IS NULL OR c.site_id = :site) ORDER BY c.seen_at DESC LIMIT :rows
""")

# The weeks of which deliveries are kept, newest first.
WEEKS: Final = sa.text("""
SELECT w.week FROM unnest(CAST(:weeks AS date[])) AS w(week)
WHERE EXISTS (SELECT FROM landing.raw_events e WHERE e.landed_week = w.week) ORDER BY w.week DESC
""")

# Deliveries of a week by the digest of the sender's id: the first half of their key, or the whole of it. An id has one body; a sender
# that uses it for others is shown a few.
DELIVERIES: Final = sa.text(f"""
SELECT r.* FROM {_SITES}
CROSS JOIN LATERAL (
  SELECT e.site_id, e.landed_week, e.id, e.received_at, e.topic, e.delivery_id FROM landing.raw_events e
  WHERE e.landed_week = :week AND e.site_id = s.id AND e.dedup_key BETWEEN :first AND :last LIMIT 8) r
WHERE r.delivery_id = :text
""")
