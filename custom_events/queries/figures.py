"""Figures for people: how much there is of what. Each counts whole tables, so for demos and status, not for hot paths."""

from collections.abc import Mapping
from decimal import Decimal

import sqlalchemy as sa

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

# Conversions by state.
UPLOADS_BY_STATE = (
    "SELECT state, count(*) FROM app.conversion_uploads WHERE kind = 'conversion' GROUP BY 1 ORDER BY 2 DESC"
)

# Restatements and retractions by state.
ADJUSTMENTS_BY_STATE = (
    "SELECT state, count(*) FROM app.conversion_uploads WHERE kind <> 'conversion' GROUP BY 1 ORDER BY 2 DESC"
)

# Why conversions and adjustments are not sent, or were refused, or wait.
REASONS = """
SELECT state || ': ' || coalesce(reason, '-'), count(*) FROM app.conversion_uploads
WHERE state IN ('held', 'withheld', 'rejected', 'expired', 'unknown') GROUP BY 1 ORDER BY 2 DESC, 1
"""

# What is wrong now, by name: as the watcher's last look left it.
OPEN_ALARMS = "SELECT name, count(*) FROM app.alarms WHERE closed_at IS NULL GROUP BY name"

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
VALUE_SENT_BY_SITE = """
SELECT s.name || coalesce(', ' || u.currency, ''), sum(CASE WHEN u.kind = 'retraction' THEN 0 ELSE u.value END)
FROM (
  SELECT DISTINCT ON (ads_action_id, transaction_id) site_id, kind, value, currency
  FROM app.conversion_uploads WHERE state = 'accepted'
  ORDER BY ads_action_id, transaction_id, sequence DESC
) u JOIN app.sites s ON s.id = u.site_id
GROUP BY s.name, u.currency ORDER BY 1
"""

# What is still to be done: raw events, value changes, and rows of the ledger that will move by themselves soon.
OPEN_WORK = """
SELECT
  (SELECT count(*) FROM landing.raw_queue) AS raw_events,
  (SELECT count(*) FROM app.value_changes) + (SELECT count(*) FROM app.standing_changes) AS value_changes,
  (SELECT count(*) FROM app.conversion_uploads
   WHERE state IN ('new', 'queued', 'claimed', 'sent', 'unknown')
      OR (state = 'held' AND not_before < now() + make_interval(secs => :soon_s))) AS uploads
"""


def counted(connection: sa.Connection, statement: str) -> dict[str, int]:
    """A statement that gives (name, count), as a dict."""
    return {str(name): int(count) for name, count in connection.execute(sa.text(statement)).all()}


def value_sent_by_site(connection: sa.Connection) -> dict[str, Decimal]:
    """Value at Google by "site, currency"."""
    rows = connection.execute(sa.text(VALUE_SENT_BY_SITE)).all()
    return {str(name): Decimal(value or 0) for name, value in rows}


def open_work(connection: sa.Connection, soon_s: float) -> Mapping[str, int]:
    """Rows that will move within `soon_s` seconds without anybody's doing, by kind."""
    return dict(connection.execute(sa.text(OPEN_WORK), {"soon_s": soon_s}).mappings().one())
