"""What the pipeline and the ledger look like right now, in figures. Every statement reads an index whose size is that of the
open work, or of one day; none reads history. They run for each scrape and each look of the watcher. Times are given, not computed from
`now`: of a given one the planner knows which partitions are too old, and leaves them alone.
"""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from custom_events.queries import keyset
from custom_events.queries.keyset import After
from custom_events.tables.watching import alarms
from custom_events.values.time_order import TimeOrder

# Rows that wait, by account, state and reason: read from the partial index of what is due. What a policy holds until its
# deadline does not expire by anybody's neglect. A row without an answer is tried again and again, and changes each time: how
# long it has been so, its first attempt says.
WAITING: Final = sa.text("""
SELECT a.customer_id, u.state, coalesce(u.reason, '') AS reason, count(*) AS rows,
  count(*) FILTER (WHERE u.deadline_at <= :now + interval '48 hours' AND u.not_before < u.deadline_at) AS expiring,
  count(*) FILTER (WHERE u.deadline_at <= :now + interval '7 days' AND u.not_before < u.deadline_at) AS expiring_in_a_week,
  count(*) FILTER (WHERE u.not_before <= :now) AS due,
  min(u.not_before) FILTER (WHERE u.not_before <= :now) AS due_since,
  count(*) FILTER (WHERE u.state = 'unknown' AND (u.updated_at <= :now - interval '1 hour'
    OR EXISTS (SELECT FROM app.upload_attempts t WHERE t.upload_id = u.id AND t.verdict = 'unknown'
      AND t.at BETWEEN u.created_at AND :now - interval '1 hour'))) AS unknown_for_an_hour
FROM app.conversion_uploads u JOIN app.ads_accounts a ON a.id = u.ads_account_id
WHERE u.waits
GROUP BY 1, 2, 3
""")

# Answers of the last 24 hours, by account, verdict and code: attempts, and what requests keep for their rows. A request is
# answered well within an hour of its intent, which the index has.
ANSWERS: Final = sa.text("""
SELECT customer_id, verdict, code, CAST(sum(rows) AS bigint) AS rows FROM (
  SELECT a.customer_id, t.verdict, coalesce(t.code, '') AS code, count(*) AS rows
  FROM app.upload_attempts t
  JOIN app.upload_requests r ON r.id = t.request_id
  JOIN app.ads_accounts a ON a.id = r.ads_account_id
  WHERE t.at > :day_ago
  GROUP BY 1, 2, 3
  UNION ALL
  SELECT a.customer_id, r.shared_verdict, '', r.rows FROM app.ads_accounts a CROSS JOIN LATERAL (
    SELECT q.shared_verdict, sum(q.shared_rows) AS rows FROM app.upload_requests q
    WHERE q.ads_account_id = a.id AND q.intent_at > :now - interval '25 hours' AND q.answered_at > :now - interval '24 hours'
      AND q.shared_verdict IS NOT NULL
    GROUP BY 1) r) c
GROUP BY 1, 2, 3
""")

# Which accounts and actions are stopped, and until when.
STOPPED: Final = sa.text("""
SELECT a.customer_id, '' AS action_id, a.parked_reason, a.parked_at,
  CASE WHEN a.paused_until > :now THEN a.paused_until END AS paused_until
FROM app.ads_accounts a
UNION ALL
SELECT a.customer_id, x.action_id, x.parked_reason, x.parked_at, NULL
FROM app.ads_actions x JOIN app.ads_accounts a ON a.id = x.ads_account_id
WHERE x.parked_reason IS NOT NULL
""")

# Verdicts that are due and were not asked for, and orders whose conversions need another value.
OVERDUE: Final = sa.text("""
SELECT
  (SELECT count(*) FROM app.upload_requests WHERE next_poll_at <= :now - interval '1 hour') AS verdicts,
  (SELECT count(*) FROM app.upload_requests WHERE next_poll_at IS NOT NULL AND intent_at <= :now - interval '25 hours')
    AS undecided,
  (SELECT count(*) FROM app.value_changes) + (SELECT count(*) FROM app.withdrawn_without_order) AS value_changes,
  least((SELECT min(changed_at) FROM app.value_changes), (SELECT min(changed_at) FROM app.withdrawn_without_order))
    AS value_changes_since
""")

# What landed and is not understood yet. Raw ids rise with time, so the smallest is the oldest.
BACKLOG: Final = sa.text("""
SELECT (SELECT count(*) FROM landing.raw_queue) AS rows,
  (SELECT e.received_at FROM (SELECT raw_id, landed_week FROM landing.raw_queue ORDER BY raw_id LIMIT 1) q
   JOIN landing.raw_events e ON e.landed_week = q.landed_week AND e.id = q.raw_id) AS since
""")

# Deliveries of the last 24 hours that nobody understands, by site and reason.
PARKED: Final = sa.text("""
SELECT s.site_key, coalesce(o.reason, '') AS reason, count(*) AS rows
FROM app.raw_outcomes o JOIN app.sites s ON s.id = o.site_id
WHERE o.outcome = 'parked' AND o.received_at > :day_ago AND o.landed_week >= CAST(:week AS date)
GROUP BY 1, 2
""")

# Deliveries refused in the last hour, by reason.
REFUSED: Final = sa.text("""
SELECT q.reason, count(*) AS rows FROM landing.refused_events q
WHERE q.received_at > :hour_ago
GROUP BY 1
""")

# Days on which Google counts fewer events than it answered, two days later still; and when it was read last: `wanted_since` is
# the first day of an account whose summaries were never read, where the lane has some (reconcile.py).
RECONCILED: Final = sa.text("""
SELECT a.customer_id,
  greatest(max(d.google_read_at),
    (SELECT max(s.read_at) FROM app.google_upload_status s WHERE s.ads_account_id = a.id)) AS read_at,
  CASE WHEN a.lane = 'google_ads' THEN min(d.day) END AS wanted_since,
  count(*) FILTER (WHERE d.day < CAST(:complete_before AS date)
    AND d.google_successful + d.google_failed + d.google_pending < d.events) AS short_days
FROM app.reconciliation_days d JOIN app.ads_accounts a ON a.id = d.ads_account_id
WHERE d.day >= CAST(:first_day AS date)
GROUP BY a.id
""")

# When each job that runs by the clock ended well last.
SCHEDULED_JOBS: Final = sa.text("SELECT name, ended_at FROM app.scheduled_jobs ORDER BY name")

# One of them has ended well.
JOB_ENDED: Final = sa.text("""
INSERT INTO app.scheduled_jobs AS j (name, ended_at) VALUES (:name, :now)
ON CONFLICT (name) DO UPDATE SET ended_at = greatest(j.ended_at, excluded.ended_at)
""")

# Open alarms of one name, by what they are about.
OPEN_PLACES: Final = sa.text("SELECT place FROM app.alarms WHERE closed_at IS NULL AND name = :name")

# Key of the advisory lock of watchers: one at a time, or two would tell the same.
WATCHERS: Final = 7_105_004

# One watcher at a time, until the connection ends or gives it back.
TAKE_TURN: Final = sa.text("SELECT pg_try_advisory_lock(:key)")
END_TURN: Final = sa.text("SELECT pg_advisory_unlock(:key)")

# What was seen: a new episode, or another look at one that is open.
SEE: Final = sa.text("""
INSERT INTO app.alarms AS a (key, name, severity, place, sentence, remedy, opened_at, seen_at)
SELECT g.key, g.name, g.severity, CAST(g.place AS jsonb), g.sentence, g.remedy, :now, :now
FROM unnest(CAST(:key AS text[]), CAST(:name AS text[]), CAST(:severity AS text[]), CAST(:place AS text[]),
  CAST(:sentence AS text[]), CAST(:remedy AS text[])) AS g(key, name, severity, place, sentence, remedy)
ON CONFLICT (key) WHERE closed_at IS NULL DO UPDATE
SET seen_at = excluded.seen_at, sentence = excluded.sentence, severity = excluded.severity, remedy = excluded.remedy
""")

# Open alarms that were looked for and have been gone for a while.
CLOSE: Final = sa.text("""
UPDATE app.alarms SET closed_at = :now
WHERE closed_at IS NULL AND seen_at <= :gone_since AND name = ANY(CAST(:looked_for AS text[]))
""")

# Open alarms, and those closed so lately that somebody may have to be told.
TO_TELL: Final = sa.text("""
SELECT id, key, name, severity, place, sentence, remedy, opened_at, seen_at, closed_at, told, told_closed FROM app.alarms
WHERE closed_at IS NULL OR closed_at > :closed_after
ORDER BY severity, opened_at, id
""")

# A channel has told of these.
TOLD: Final = sa.text("""
UPDATE app.alarms
SET told = CASE WHEN closed_at IS NULL THEN told || jsonb_build_object(CAST(:channel AS text), CAST(:now AS timestamptz)) ELSE told END,
  told_closed = CASE WHEN closed_at IS NULL THEN told_closed
    ELSE told_closed || jsonb_build_object(CAST(:channel AS text), CAST(:now AS timestamptz)) END
WHERE id = ANY(CAST(:ids AS bigint[]))
""")


def page(
    connection: sa.Connection,
    *,
    is_open: bool | None,
    name: str | None,
    order: TimeOrder,
    after: After | None,
    limit: int,
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Alarms: open or past ones (None: both), of this name (None: of every), a page of them."""
    c = alarms.c
    statement = sa.select(alarms)
    if is_open is not None:
        statement = statement.where(c.closed_at.is_(None) if is_open else c.closed_at.is_not(None))
    if name is not None:
        statement = statement.where(c.name == name)
    return connection.execute(keyset.page(statement, keyset.by_number(c.id, order), after, limit)).all()
