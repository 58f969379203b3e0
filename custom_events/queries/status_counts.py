"""Figures for people: how much there is of what. Those that count whole tables are for demos and exact answers; `Ledger` and what
begins with TALLIED cost the same whatever there is of history."""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

import sqlalchemy as sa

from custom_events.destinations.traits import sql_list
from custom_events.queries import tallies
from custom_events.queries.uploads import OUTCOME, UNMATCHED
from custom_events.values.conversions import UNMATCHED_REASONS, UploadKind

# Commerce events by type.
EVENTS_BY_TYPE = "SELECT type, count(*) FROM app.commerce_events GROUP BY type ORDER BY 2 DESC, 1"

# Custom events by the key of their definition.
CUSTOM_EVENTS_BY_DEFINITION = """
SELECT d.key, count(*)
FROM app.custom_events e
JOIN app.site_custom_events a ON a.id = e.assignment_id
JOIN app.custom_event_definitions d ON d.id = a.definition_id
GROUP BY d.key ORDER BY 2 DESC, 1
"""

# Conversions that Google has accepted, by the key of their definition.
ACCEPTED_BY_DEFINITION = """
SELECT d.key, count(*)
FROM app.conversion_uploads u
JOIN app.site_custom_events a ON a.id = u.assignment_id
JOIN app.custom_event_definitions d ON d.id = a.definition_id
WHERE u.kind = 'conversion' AND u.state = 'accepted'
GROUP BY d.key ORDER BY 2 DESC, 1
"""

# Conversions by state; those of which Google has no click stand apart.
UPLOADS_BY_STATE = (
    f"SELECT {OUTCOME}, count(*) FROM app.conversion_uploads u WHERE kind = 'conversion' GROUP BY 1 ORDER BY 2 DESC"
)

# What Google said of rows that it did not name, in later verdicts on requests whose other rows it took: by reason, as many as
# no row says of itself.
UNNAMED = f"""
SELECT t.reason, sum(t.count) - coalesce((
    SELECT count(*) FROM app.conversion_uploads u WHERE u.state = 'accepted' AND u.reason = t.reason), 0)
FROM (
  SELECT r.key AS reason, r.value::text::bigint AS count
  FROM app.upload_requests q
  CROSS JOIN LATERAL jsonb_each(CASE WHEN q.lane IN ({sql_list(lambda traits: not traits.keeps_summaries)}) THEN q.counts::jsonb END) c
  CROSS JOIN LATERAL jsonb_each(CASE WHEN jsonb_typeof(c.value -> 'reasons') = 'object' THEN c.value -> 'reasons' END) r
  WHERE r.key = 'ProcessingErrorReason.CLICK_NOT_FOUND') t
GROUP BY t.reason HAVING sum(t.count) > (
    SELECT count(*) FROM app.conversion_uploads u WHERE u.state = 'accepted' AND u.reason = t.reason)
"""

# Restatements and retractions by state.
ADJUSTMENTS_BY_STATE = (
    "SELECT state, count(*) FROM app.conversion_uploads WHERE kind <> 'conversion' GROUP BY 1 ORDER BY 2 DESC"
)

# Why conversions and adjustments are not sent, or were refused, or wait.
REASONS = f"""
SELECT {OUTCOME} || ': ' || coalesce(reason, '-'), count(*) FROM app.conversion_uploads u
WHERE state IN ('held', 'withheld', 'rejected', 'expired', 'unknown') OR {UNMATCHED.format(row="u")} GROUP BY 1 ORDER BY 2 DESC, 1
"""

# Conversions that go with hashed e-mail or phone alone because their click id is none, by what they became.
WITHOUT_CLICK_ID = """
SELECT state, count(*) FROM app.conversion_uploads WHERE click_dropped IS NOT NULL AND kind = 'conversion' GROUP BY state
"""

# Our ledger beside Google's counts over the days of the last four weeks that Google has told of; what lies on others stands apart.
RECONCILED = """
SELECT w.name, w.count FROM (
  SELECT sum(sent) FILTER (WHERE told) AS sent, sum(accepted) FILTER (WHERE told) AS accepted,
    sum(refused) FILTER (WHERE told) AS refused, sum(events) FILTER (WHERE told) AS events,
    sum(google_successful) AS taken, sum(google_failed) AS not_taken, sum(google_pending) AS undecided,
    sum(sent) FILTER (WHERE NOT told) AS untold
  FROM (SELECT r.*, r.google_successful IS NOT NULL AS told FROM app.reconciliation_days r WHERE r.day >= current_date - 28) t
) d
CROSS JOIN LATERAL (VALUES ('sent', d.sent), ('sent, and Google has not told of it yet', d.untold), ('accepted by our ledger', d.accepted), ('refused by our ledger', d.refused),
  ('carried by answered calls', d.events), ('taken, as Google counts', d.taken), ('not taken, as Google counts', d.not_taken),
  ('undecided, as Google counts', d.undecided)) AS w(name, count)
WHERE w.count > 0
"""

# Value that stands at Google by site and currency: the newest accepted row of each conversion (a retraction leaves nothing).
VALUE_SENT_BY_SITE = f"""
SELECT s.name || coalesce(', ' || u.currency, ''), sum(CASE WHEN u.kind = 'retraction' THEN 0 ELSE u.value END)
FROM (
  SELECT DISTINCT ON (ads_action_id, transaction_id) site_id, kind, value, currency
  FROM app.conversion_uploads u WHERE state = 'accepted' AND {UNMATCHED.format(row="u")} IS NOT TRUE
  ORDER BY ads_action_id, transaction_id, sequence DESC
) u JOIN app.sites s ON s.id = u.site_id
GROUP BY s.name, u.currency ORDER BY 1
"""

# What is still to be done: raw events, value changes, and rows of the ledger that will move by themselves soon.
OPEN_WORK = """
SELECT
  (SELECT count(*) FROM landing.raw_queue) AS raw_events,
  (SELECT count(*) FROM app.value_changes) + (SELECT count(*) FROM app.withdrawn_without_order) AS value_changes,
  (SELECT count(*) FROM app.conversion_uploads
   WHERE state IN ('new', 'queued', 'claimed', 'sent', 'unknown')
      OR (state = 'held' AND not_before < now() + make_interval(secs => :soon_s))) AS uploads
"""


# Commerce events by type, and custom events by the key of their definition.
TALLIED_EVENTS = """
SELECT t.state, CAST(sum(t.count) AS bigint) FROM (
  SELECT state, count FROM app.tallies WHERE what = 'commerce_events'
  UNION ALL SELECT state, change FROM app.tally_changes WHERE what = 'commerce_events') t
GROUP BY t.state HAVING sum(t.count) <> 0 ORDER BY 2 DESC, 1
"""
TALLIED_CUSTOM_EVENTS = """
SELECT d.key, CAST(sum(t.count) AS bigint) FROM (
  SELECT subject, count FROM app.tallies WHERE what = 'custom_events_of_assignment'
  UNION ALL SELECT subject, change FROM app.tally_changes WHERE what = 'custom_events_of_assignment') t
JOIN app.site_custom_events a ON a.id = t.subject
JOIN app.custom_event_definitions d ON d.id = a.definition_id
GROUP BY d.key HAVING sum(t.count) <> 0 ORDER BY 2 DESC, 1
"""

# The ledger of all time from its tallies, and what of it waits from the index of that: one statement, and so of one moment.
_LEDGER = """
SELECT t.what, t.kind, t.state, t.reason, CAST(sum(t.count) AS bigint) AS rows, 0 AS dropped, 0 AS soon FROM (
  SELECT what, kind, state, reason, count FROM app.tallies WHERE what IN ('uploads', 'uploads_without_click', 'unnamed')
  UNION ALL
  SELECT what, kind, state, reason, change FROM app.tally_changes WHERE what IN ('uploads', 'uploads_without_click', 'unnamed')) t
GROUP BY 1, 2, 3, 4 HAVING sum(t.count) <> 0
UNION ALL
SELECT 'waiting', u.kind, u.state, coalesce(u.reason, ''), count(*), count(*) FILTER (WHERE u.click_dropped IS NOT NULL),
  count(*) FILTER (WHERE u.state <> 'held' OR u.not_before < now() + make_interval(secs => :soon_s))
FROM app.conversion_uploads u WHERE u.waits GROUP BY 2, 3, 4
"""
_REASONED = frozenset({"held", "withheld", "rejected", "expired", "unknown", "unmatched"})
_CLAIMED = "claimed"


class Ledger(NamedTuple):
    """The ledger by state, without counting it. `uploads`: conversions, those of which Google has no click apart; `reasons`:
    `state: reason`; `without_click_id`: conversions that go with hashes alone; `unnamed`: as many as Google counted without naming
    rows; `soon`: rows that will move by themselves."""

    uploads: dict[str, int]
    adjustments: dict[str, int]
    reasons: dict[str, int]
    without_click_id: dict[str, int]
    unnamed: dict[str, int]
    soon: int


def ledger(connection: sa.Connection, soon_s: float) -> Ledger:
    """How many rows stand where. What is open and does not wait is claimed."""
    uploads, adjustments, reasons = Counter[str](), Counter[str](), Counter[str]()
    without_click, unnamed, unmatched = Counter[str](), Counter[str](), Counter[str]()
    soon = 0
    for what, kind, state, reason, rows, dropped, due in connection.execute(sa.text(_LEDGER), {"soon_s": soon_s}):
        of_kind = uploads if kind == UploadKind.CONVERSION else adjustments
        is_open = state == tallies.OPEN
        if what == "unnamed":
            unnamed[reason] += rows
        elif what == "uploads_without_click":
            without_click[_CLAIMED if is_open else state] += rows
        elif what == "waiting":
            of_kind[state] += rows
            of_kind[_CLAIMED] -= rows
            soon += due - rows
            if state in _REASONED:
                reasons[f"{state}: {reason or '-'}"] += rows
            if kind == UploadKind.CONVERSION and dropped:
                without_click[state] += dropped
                without_click[_CLAIMED] -= dropped
        else:
            outcome = _CLAIMED if is_open else state
            if state in ("accepted", "rejected") and reason in UNMATCHED_REASONS:
                outcome = "unmatched"
                if state == "accepted":
                    unmatched[reason] += rows
            of_kind[outcome if kind == UploadKind.CONVERSION or is_open else state] += rows
            if is_open or state == "sent":
                soon += rows
            if outcome in _REASONED:
                reasons[f"{outcome}: {reason or '-'}"] += rows
    unnamed.subtract({reason: rows for reason, rows in unmatched.items() if reason in unnamed})
    return Ledger(dict(+uploads), dict(+adjustments), dict(+reasons), dict(+without_click), dict(+unnamed), soon)


def counted(connection: sa.Connection, statement: str) -> dict[str, int]:
    """A statement that gives (name, count), as a dict."""
    return {str(name): int(count) for name, count in connection.execute(sa.text(statement)).all()}


def value_sent_by_site(connection: sa.Connection) -> dict[str, Decimal]:
    """Value at Google by "site, currency"."""
    rows = connection.execute(sa.text(VALUE_SENT_BY_SITE)).all()
    return {str(name): Decimal(value or 0) for name, value in rows}


# What waits elsewhere.
_OPEN_ELSEWHERE = """
SELECT (SELECT count(*) FROM landing.raw_queue) AS raw_events,
  (SELECT count(*) FROM app.value_changes) + (SELECT count(*) FROM app.withdrawn_without_order) AS value_changes
"""


def open_elsewhere(connection: sa.Connection) -> dict[str, int]:
    """Raw events and value changes that nobody has taken yet."""
    return dict(connection.execute(sa.text(_OPEN_ELSEWHERE)).mappings().one())


_HAS_DAGSTER = "SELECT to_regclass('dagster.runs') IS NOT NULL"
_DAGSTER = """
SELECT (SELECT count(*) FROM dagster.runs) AS runs,
  CAST(sum(pg_total_relation_size(c.oid)) / 1048576 AS bigint) AS mebibytes
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'dagster' AND c.relkind = 'r'
"""


def of_dagster(connection: sa.Connection) -> dict[str, int]:
    """How many runs Dagster keeps, and how much it has stored in all; empty before its first start."""
    if not connection.execute(sa.text(_HAS_DAGSTER)).scalar_one():
        return {}
    return dict(connection.execute(sa.text(_DAGSTER)).mappings().one())


def open_work(connection: sa.Connection, soon_s: float) -> Mapping[str, int]:
    """Rows that will move within `soon_s` seconds without anybody's doing, by kind."""
    return dict(connection.execute(sa.text(OPEN_WORK), {"soon_s": soon_s}).mappings().one())
