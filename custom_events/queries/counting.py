"""SQL of counted thresholds (over whole sites, and of customers with many events): what counts is kept by day, so that a batch
reads a few rows and never a period.

asyncpg, positional parameters; look-ups are index probes in the same way as those of `understanding.py`.
"""

from typing import Final

from custom_events.queries.stored_facts import facts_of
from custom_events.queries.understanding import given

# Counters of rules, over the whole site or of a customer, and the last event that each has counted. An assignment that was changed
# since (paused, say) may have missed some: its counter is stale.
COUNTERS: Final = f"""
SELECT c.place, k.id, k.is_stale, k.others_until, latest.occurred_at, latest.key
FROM {
    given(
        "place int",
        "assignment_id bigint",
        "definition_revision_id bigint",
        "assignment_revision_id bigint",
        "time_zone text",
        "customer_key text",
    )
}
CROSS JOIN LATERAL (
  SELECT t.id, a.updated_at > t.made_at AS is_stale, t.others_until
  FROM app.threshold_counters t JOIN app.site_custom_events a ON a.id = t.assignment_id
  WHERE t.assignment_id = c.assignment_id AND t.definition_revision_id = c.definition_revision_id
    AND t.assignment_revision_id = c.assignment_revision_id AND t.time_zone = c.time_zone AND t.customer_key = c.customer_key LIMIT 1
) k
LEFT JOIN LATERAL (
  SELECT o.occurred_at, o.key FROM app.counted_events o WHERE o.counter_id = k.id
  ORDER BY o.occurred_at DESC, o.key COLLATE "C" DESC LIMIT 1
) latest ON true
"""

# Which assignments count any single customer.
WITH_CUSTOMERS: Final = f"""
SELECT c.assignment_id FROM {given("assignment_id bigint")}
CROSS JOIN LATERAL (
  SELECT FROM app.threshold_counters t WHERE t.assignment_id = c.assignment_id AND t.customer_key <> '' LIMIT 1
) k
"""

# A counter, to be filled from history.
ADD_COUNTER: Final = """
INSERT INTO app.threshold_counters
  (assignment_id, definition_revision_id, assignment_revision_id, time_zone, customer_key, made_at)
VALUES ($1, $2, $3, $4, $5, clock_timestamp()) RETURNING id
"""

# What of a customer's history was understood under earlier revisions ends here.
OTHERS_UNTIL: Final = "UPDATE app.threshold_counters SET others_until = $2 WHERE id = $1"

# Since when both revisions apply; NULL: always.
PUBLISHED_AT: Final = """
SELECT greatest(
  (SELECT published_at FROM app.definition_revisions WHERE id = $1),
  (SELECT published_at FROM app.assignment_revisions WHERE id = $2))
"""

# Counters of an assignment that nobody needs any more, with what they counted: this customer's (empty: the whole site's), and all of
# other revisions.
DROP_COUNTERS: Final = """
WITH gone AS (
  DELETE FROM app.threshold_counters WHERE assignment_id = $1
    AND (customer_key = $4 OR definition_revision_id <> $2 OR assignment_revision_id <> $3) RETURNING id),
events AS (DELETE FROM app.counted_events o USING gone WHERE o.counter_id = gone.id)
DELETE FROM app.counted_days d USING gone WHERE d.counter_id = gone.id
"""

# Counters of customers whose events have gone to somebody else.
DROP_CUSTOMERS: Final = f"""
WITH gone AS (
  DELETE FROM app.threshold_counters t USING {given("site_id bigint", "customer_key text")}, app.site_custom_events a
  WHERE a.site_id = c.site_id AND t.assignment_id = a.id AND t.customer_key = c.customer_key RETURNING t.id),
events AS (DELETE FROM app.counted_events o USING gone WHERE o.counter_id = gone.id)
DELETE FROM app.counted_days d USING gone WHERE d.counter_id = gone.id
"""

# A site's stored events of some types, to count history.
HISTORY: Final = f"""
SELECT {facts_of("o")}, o.created_at FROM app.commerce_events o WHERE o.site_id = $1 AND o.type = ANY ($2::text[])
  AND NOT o.is_test AND NOT o.is_undone
"""

# The same of one customer, and when each event was understood.
CUSTOMER_HISTORY: Final = f"""
SELECT {facts_of("o")}, o.created_at FROM app.commerce_events o WHERE o.site_id = $1 AND o.customer_key = $3 AND o.type = ANY ($2::text[])
  AND NOT o.is_test AND NOT o.is_undone
"""

# Events that count; those counted before stay as they are. Their days grow with them.
COUNT: Final = f"""
WITH made AS (
  INSERT INTO app.counted_events (counter_id, key, occurred_at, day, amount, currency, customer_key)
  SELECT c.counter_id, c.key, c.occurred_at, c.day, c.amount, c.currency, c.customer_key
  FROM {
    given(
        "counter_id bigint",
        "key text",
        "occurred_at timestamptz",
        "day date",
        "amount numeric",
        "currency text",
        "customer_key text",
    )
}
  ON CONFLICT DO NOTHING RETURNING counter_id, day, currency, amount)
INSERT INTO app.counted_days AS d (counter_id, day, currency, events, amount, falling)
SELECT counter_id, day, currency, count(*), coalesce(sum(amount), 0), count(*) FILTER (WHERE amount < 0) FROM made GROUP BY 1, 2, 3
ON CONFLICT (counter_id, day, currency) DO UPDATE
SET events = d.events + excluded.events, amount = d.amount + excluded.amount, falling = d.falling + excluded.falling
"""

# Events that count no longer, or otherwise.
UNCOUNT: Final = f"""
WITH gone AS (
  DELETE FROM app.counted_events o
  USING {given("counter_id bigint", "key text")}
  WHERE o.counter_id = c.counter_id AND o.key = c.key
  RETURNING o.counter_id, o.day, o.currency, o.amount)
INSERT INTO app.counted_days AS d (counter_id, day, currency, events, amount, falling)
SELECT counter_id, day, currency, -count(*), -coalesce(sum(amount), 0), -count(*) FILTER (WHERE amount < 0) FROM gone GROUP BY 1, 2, 3
ON CONFLICT (counter_id, day, currency) DO UPDATE
SET events = d.events + excluded.events, amount = d.amount + excluded.amount, falling = d.falling + excluded.falling
"""

# What is counted of single events.
COUNTED: Final = f"""
SELECT o.counter_id, o.key, o.occurred_at, o.amount, o.currency, o.customer_key
FROM {given("counter_id bigint", "key text")}
CROSS JOIN LATERAL (
  SELECT e.* FROM app.counted_events e WHERE e.counter_id = c.counter_id AND e.key = c.key LIMIT 1
) o
"""

# Counted events of stretches of time, one by one; `until` is included.
ONE_BY_ONE: Final = f"""
SELECT c.place, o.occurred_at, o.key, o.amount, o.currency, o.customer_key
FROM {given("place int", "counter_id bigint", "since timestamptz", "until timestamptz")}
CROSS JOIN LATERAL (
  SELECT e.occurred_at, e.key, e.amount, e.currency, e.customer_key FROM app.counted_events e
  WHERE e.counter_id = c.counter_id AND e.occurred_at >= coalesce(c.since, '-infinity')
    AND e.occurred_at <= coalesce(c.until, 'infinity') OFFSET 0
) o
"""

# The same together, by currency: whole days from the days, what is left of the first and the last one by one.
TOGETHER: Final = f"""
SELECT c.place, t.currency, sum(t.events)::bigint, sum(t.amount)
FROM {
    given(
        "place int",
        "counter_id bigint",
        "first_day date",
        "end_day date",
        "since timestamptz",
        "since_end timestamptz",
        "until_start timestamptz",
        "until timestamptz",
    )
}
CROSS JOIN LATERAL (
  SELECT d.currency, d.events, d.amount FROM app.counted_days d
  WHERE d.counter_id = c.counter_id AND d.day >= coalesce(c.first_day, '-infinity') AND d.day < c.end_day
  UNION ALL
  SELECT e.currency, 1, coalesce(e.amount, 0) FROM app.counted_events e
  WHERE e.counter_id = c.counter_id AND e.occurred_at >= c.since AND e.occurred_at < c.since_end
  UNION ALL
  SELECT e.currency, 1, coalesce(e.amount, 0) FROM app.counted_events e
  WHERE e.counter_id = c.counter_id AND e.occurred_at >= c.until_start AND e.occurred_at < c.until
) t
GROUP BY c.place, t.currency
"""

# The days of counters.
DAYS: Final = f"""
SELECT c.place, d.day, d.currency, d.events, d.amount, d.falling
FROM {given("place int", "counter_id bigint", "first_day date", "end_day date")}
CROSS JOIN LATERAL (
  SELECT e.day, e.currency, e.events, e.amount, e.falling FROM app.counted_days e
  WHERE e.counter_id = c.counter_id AND e.day >= coalesce(c.first_day, '-infinity') AND e.day < coalesce(c.end_day, 'infinity') OFFSET 0
) d
"""

# Custom events of an assignment that stand, by the natural key of their event.
STANDING_OF_ASSIGNMENT: Final = """
SELECT o.key, e.customer_key FROM app.custom_events e
JOIN app.commerce_events o ON o.occurred_at = e.occurred_at AND o.id = e.commerce_event_id
WHERE e.assignment_id = $1 AND e.withdrawn_at IS NULL AND e.occurred_at >= $2
  AND e.occurred_at <= coalesce($3::timestamptz, 'infinity')
"""
