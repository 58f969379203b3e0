"""Buckets of calls to Google: taken with a lock, so that all workers share them."""

from typing import Final

import sqlalchemy as sa

# The buckets of these names, locked until the transaction ends, made where there is none; in one order, so that nobody deadlocks.
LOCK: Final = sa.text("""
INSERT INTO app.quota_buckets AS b (name, tokens, pace, hours, refilled_at)
SELECT g.name, g.tokens, g.pace, '{}', :now
FROM unnest(CAST(:names AS text[]), CAST(:tokens AS float8[]), CAST(:paces AS float8[])) AS g(name, tokens, pace)
ORDER BY g.name
ON CONFLICT (name) DO UPDATE SET name = excluded.name
RETURNING b.name, b.tokens, b.pace, b.hours, b.refilled_at
""")

# What is left in them.
KEEP: Final = sa.text("""
UPDATE app.quota_buckets b SET tokens = g.tokens, pace = g.pace, hours = CAST(g.hours AS jsonb), refilled_at = g.at
FROM unnest(CAST(:names AS text[]), CAST(:tokens AS float8[]), CAST(:paces AS float8[]), CAST(:hours AS text[]),
  CAST(:ats AS timestamptz[])) AS g(name, tokens, pace, hours, at)
WHERE b.name = g.name
""")

# Conversions of the past wait; a longer wait stays.
HOLD_HISTORY: Final = sa.text("""
UPDATE app.quota_buckets SET history_until = greatest(history_until, :until) WHERE name = :name
""")

# All buckets, for people and for metrics.
BUCKETS: Final = sa.text(
    "SELECT name, tokens, pace, hours, refilled_at, history_until FROM app.quota_buckets ORDER BY name"
)
