"""Deliveries for tests of the API, as the receiver and the pipeline leave them."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import zstandard

_LANDED = sa.text("""
INSERT INTO landing.raw_events (landed_week, site_id, topic, dedup_key, signature, headers, body, body_bytes)
VALUES (:week, :site, 'customers/redact', :dedup_key, 'verified', '{"x-topic": "customers/redact"}', :body, :size) RETURNING id
""")
_PARKED = sa.text("""
INSERT INTO app.raw_outcomes (landed_week, raw_id, received_at, site_id, outcome, reason, new_events)
VALUES (:week, :id, now(), :site, 'parked', 'redact_customer', 0)
""")
_ASKED = sa.text("""
INSERT INTO app.privacy_requests (raw_id, landed_week, site_id, kind, received_at, due_at)
VALUES (:id, :week, :site, 'redact_customer', now(), now() + interval '30 days')
""")


def privacy_delivery(connection: sa.Connection, site_id: int, body: bytes) -> int:
    """The number of a parked delivery of this body, by which a person asks to be forgotten."""
    today = datetime.now(UTC).date()
    week = today - timedelta(days=today.weekday())
    values = {"week": week, "site": site_id, "dedup_key": body[:16].ljust(16, b"-"), "size": len(body)}
    number: int = connection.execute(_LANDED, values | {"body": zstandard.compress(body)}).scalar_one()
    for statement in (_PARKED, _ASKED):
        connection.execute(statement, {"week": week, "id": number, "site": site_id})
    return number


_PARKED_FOR = sa.text("""
INSERT INTO app.raw_outcomes (landed_week, raw_id, received_at, site_id, outcome, reason, new_events)
VALUES (:week, :id, now(), :site, 'parked', :reason, 0)
""")


def parked_delivery(connection: sa.Connection, site_id: int, body: bytes, reason: str) -> int:
    """The number of a delivery of this body that nobody understands, for this reason."""
    today = datetime.now(UTC).date()
    week = today - timedelta(days=today.weekday())
    values = {"week": week, "site": site_id, "dedup_key": body[:16].ljust(16, b"-"), "size": len(body)}
    number: int = connection.execute(_LANDED, values | {"body": zstandard.compress(body)}).scalar_one()
    connection.execute(_PARKED_FOR, {"week": week, "id": number, "site": site_id, "reason": reason})
    return number
