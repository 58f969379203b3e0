"""SQL of lists for people: pages of a table, newest or oldest first, after a place in it. psycopg through SQLAlchemy.

A page reads one stretch of time, whose partitions the planner knows, and at most `:scan` rows of it: those that an index finds (`lead`),
of which the other conditions (`rest`) keep some. Names of parameters: `since` and `at` (both inclusive) bound the stretch, `id` is the
number of the place after which the page begins, whose time is `at`, or `since` where the oldest come first; `rows` is how many it has.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import sqlalchemy as sa

from custom_events.queries.places import rows_of
from custom_events.queries.uploads import UNMATCHED
from custom_events.values.time_order import TimeOrder


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A table that is listed, as `t`: `time` and `id` name a row's place, `columns` are shown. `bounds`: the stretch of time in terms of
    the partition key, where that is another column."""

    table: str
    time: str
    id: str
    columns: str
    bounds: str = "true"


_DIRECTIONS: Final = {TimeOrder.NEWEST: "DESC", TimeOrder.OLDEST: "ASC"}
_AFTER: Final = {TimeOrder.NEWEST: "({time}, {id}) < (:at, :id)", TimeOrder.OLDEST: "({time}, {id}) > (:since, :id)"}
_WEEK: Final = "CAST(date_trunc('week', CAST(:{at} AS timestamptz) AT TIME ZONE 'UTC') AS date)"

# What became of raw events. The week in which one landed is that of `received_at`, by the same clock.
RAW_OUTCOMES: Final = Listed(
    table="app.raw_outcomes",
    time="received_at",
    id="raw_id",
    columns="t.received_at, t.raw_id, t.landed_week, t.site_id, t.outcome, t.reason, t.detail, t.new_events, t.processed_at",
    bounds=f"t.landed_week >= {_WEEK.format(at='since')} AND t.landed_week <= {_WEEK.format(at='at')}",
)
COMMERCE_EVENTS: Final = Listed(
    table="app.commerce_events",
    time="occurred_at",
    id="id",
    columns="t.occurred_at, t.id, t.site_id, t.type, t.key, t.order_id, t.customer_key, t.amount, t.currency, t.is_test, t.is_undone,"
    " t.raw_id, t.raw_landed_week, t.created_at",
)
CUSTOM_EVENTS: Final = Listed(
    table="app.custom_events",
    time="occurred_at",
    id="id",
    columns="t.occurred_at, t.id, t.site_id, t.assignment_id, t.definition_revision_id, t.assignment_revision_id, t.commerce_event_id,"
    " t.dedup_key, t.order_id, t.customer_key, t.value, t.currency, t.withheld_reason, t.withdrawn_at, t.withdrawn_reason, t.withdrawn_by,"
    " t.created_at, t.upload_id",
)
_UPLOAD_COLUMNS: Final = (
    "t.created_at, t.id, t.site_id, t.assignment_id, t.custom_event_id, t.ads_account_id, t.ads_action_id, t.kind, t.transaction_id,"
    " t.sequence, t.order_id, t.conversion_at, t.adjusted_at, t.value, t.currency, t.click_kind, t.state, t.reason, t.sentence, t.not_before,"
    " t.deadline_at, t.attempts, t.request_id, t.settled_at, t.updated_at"
)
UPLOADS: Final = Listed(table="app.conversion_uploads", time="created_at", id="id", columns=_UPLOAD_COLUMNS)

# The ledger's rows of an order (:site, :order).
UPLOADS_OF_ORDER: Final = Listed(
    table=f"""(SELECT r.* FROM app.custom_events m CROSS JOIN LATERAL ({rows_of("m", "v.*")}) r
    WHERE m.site_id = :site AND m.order_id = :order OFFSET 0)""",
    time="created_at",
    id="id",
    columns=_UPLOAD_COLUMNS,
)
REFUSED_EVENTS: Final = Listed(
    table="landing.refused_events",
    time="received_at",
    id="id",
    columns="t.received_at, t.id, t.site_id, t.platform, t.reason, t.topic, t.body_bytes, t.body IS NOT NULL AS has_body",
)


def page(listed: Listed, lead: Sequence[str], rest: Sequence[str], order: TimeOrder) -> sa.TextClause:
    """A page of a table."""
    kept = " AND ".join(rest) or "true"
    return sa.text(f"""
SELECT {listed.columns} FROM (
  SELECT t.* FROM ({_read(listed, lead, order)} LIMIT :scan) t WHERE {kept} ORDER BY {_ordered(listed, order)} LIMIT :rows) t
ORDER BY {_ordered(listed, order)}
""")


def end(listed: Listed, lead: Sequence[str], order: TimeOrder) -> sa.TextClause:
    """The last place that such a page has read, when it has read as many rows as it may."""
    read = _read(listed, lead, order)
    return sa.text(f"SELECT t.{listed.time} AS at, t.{listed.id} AS id FROM ({read} OFFSET :scan - 1 LIMIT 1) t")


def few(listed: Listed, lead: Sequence[str], rest: Sequence[str], order: TimeOrder) -> sa.TextClause:
    """A page of rows of which there are few: all are read, and sorted."""
    chosen = " AND ".join(lead) or "true"
    kept = " AND ".join([*rest, _bounded(listed, order)])
    return sa.text(f"""
SELECT {listed.columns} FROM (SELECT t.* FROM {listed.table} t WHERE {chosen} OFFSET 0) t
WHERE {kept} ORDER BY {_ordered(listed, order)} LIMIT :rows
""")


def _read(listed: Listed, lead: Sequence[str], order: TimeOrder) -> str:
    condition = " AND ".join([*lead, listed.bounds, _bounded(listed, order)])
    return f"SELECT t.* FROM {listed.table} t WHERE {condition} ORDER BY {_ordered(listed, order)}"


def _bounded(listed: Listed, order: TimeOrder) -> str:
    after = _AFTER[order].format(time=f"t.{listed.time}", id=f"t.{listed.id}")
    return f"t.{listed.time} >= :since AND t.{listed.time} <= :at AND {after}"


def _ordered(listed: Listed, order: TimeOrder) -> str:
    return f"t.{listed.time} {_DIRECTIONS[order]}, t.{listed.id} {_DIRECTIONS[order]}"


# What people see of an upload's state (queries/uploads.py, OUTCOME).
IS_UNMATCHED: Final = UNMATCHED.format(row="t")
IS_MATCHED: Final = f"({IS_UNMATCHED}) IS NOT TRUE"

# Uploads that may still be claimed, and that Google takes until a moment at most.
IS_LATE: Final = "t.waits AND t.deadline_at <= :deadline"

# Custom events of every assignment of a definition; why one does not go, or stands no longer.
OF_DEFINITION: Final = (
    "t.assignment_id = ANY(ARRAY(SELECT a.id FROM app.site_custom_events a WHERE a.definition_id = :definition))"
)
CUSTOM_EVENT_REASON: Final = (
    "CASE WHEN t.withdrawn_at IS NULL THEN t.withheld_reason ELSE t.withdrawn_reason END = :reason"
)

# Uploads that say why they are as they are, as their index has them.
HAS_REASON: Final = "t.reason <> 'split'"

# The topic of the raw event of an outcome.
TOPIC: Final = f"""(SELECT r.topic FROM landing.raw_events r WHERE r.landed_week = t.landed_week AND r.id = t.raw_id
  AND r.landed_week >= {_WEEK.format(at="since")} AND r.landed_week <= {_WEEK.format(at="at")})"""

# What of the queue a page reads. Numbers follow the time of arrival but for groups that are committed side by side, so that the place of a
# page is found in the queue's own order (`from_id`: a little before it).
_QUEUED: Final = {
    TimeOrder.NEWEST: "raw_id < :from_id ORDER BY raw_id DESC",
    TimeOrder.OLDEST: "raw_id > :from_id ORDER BY raw_id",
}

# Raw events that wait to be understood. {rest}: more conditions.
_WAITING: Final = """
SELECT t.received_at, t.raw_id, t.landed_week, t.site_id FROM (
  SELECT r.received_at, q.raw_id, q.landed_week, q.site_id, r.topic
  FROM (SELECT raw_id, landed_week, site_id FROM landing.raw_queue WHERE {queued} LIMIT :scan) q
  CROSS JOIN LATERAL (
    SELECT e.received_at, e.topic FROM landing.raw_events e WHERE e.landed_week = q.landed_week AND e.id = q.raw_id LIMIT 1) r
  WHERE {after} AND r.received_at >= :since AND r.received_at <= :at {rest}
  LIMIT :rows) t
ORDER BY t.received_at {direction}, t.raw_id {direction}
"""

# The last of them that such a page has read, when it has read as many as it may.
_WAITING_END: Final = """
SELECT r.received_at AS at, q.raw_id AS id
FROM (SELECT raw_id, landed_week FROM landing.raw_queue WHERE {queued} OFFSET :scan - 1 LIMIT 1) q
CROSS JOIN LATERAL (SELECT e.received_at FROM landing.raw_events e WHERE e.landed_week = q.landed_week AND e.id = q.raw_id LIMIT 1) r
"""


def waiting(rest: Sequence[str], order: TimeOrder) -> sa.TextClause:
    """A page of raw events that nobody has understood yet."""
    after = _AFTER[order].format(time="r.received_at", id="q.raw_id")
    conditions = "".join(f" AND {part}" for part in rest)
    return sa.text(_WAITING.format(queued=_QUEUED[order], after=after, rest=conditions, direction=_DIRECTIONS[order]))


def waiting_end(order: TimeOrder) -> sa.TextClause:
    """The last place that such a page has read, when it has read as many rows as it may."""
    return sa.text(_WAITING_END.format(queued=_QUEUED[order]))


# What was delivered, of raw events by (week, number); those whose bodies were dropped have no row.
DELIVERIES: Final = sa.text("""
SELECT g.raw_id, r.topic, r.delivery_id, r.triggered_at, r.signature, r.body_bytes
FROM unnest(CAST(:weeks AS date[]), CAST(:ids AS bigint[])) AS g(landed_week, raw_id)
CROSS JOIN LATERAL (
  SELECT e.topic, e.delivery_id, e.triggered_at, e.signature, e.body_bytes FROM landing.raw_events e
  WHERE e.landed_week = g.landed_week AND e.id = g.raw_id AND e.landed_week >= :first AND e.landed_week <= :last LIMIT 1) r
""")

# How the conversions of custom events stand, by (made at, number).
CONVERSIONS: Final = sa.text(f"""
SELECT g.id, u.state, u.reason, u.sentence
FROM unnest(CAST(:times AS timestamptz[]), CAST(:ids AS bigint[])) AS g(created_at, id)
CROSS JOIN LATERAL (
  SELECT CASE WHEN {UNMATCHED.format(row="v")} THEN 'unmatched' ELSE v.state END AS state, v.reason, v.sentence
  FROM app.conversion_uploads v
  WHERE v.created_at = g.created_at AND v.id = g.id AND v.created_at >= :first AND v.created_at <= :last LIMIT 1) u
""")

# How many rows of the ledger may be claimed, and from which week on there are any that are not settled; null: none.
OPEN: Final = sa.text("""
SELECT CAST(coalesce(sum(rows) FILTER (WHERE state = 'open'), 0) AS bigint) AS rows, min(week) AS since FROM (
  SELECT week, state, sum(count) AS rows FROM (
    SELECT week, state, count FROM app.tallies WHERE what = 'uploads' AND state IN ('open', 'sent')
    UNION ALL SELECT week, state, change FROM app.tally_changes WHERE what = 'uploads' AND state IN ('open', 'sent')) t
  GROUP BY week, state HAVING sum(count) <> 0) w
""")
