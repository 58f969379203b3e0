"""Rows of the ledger for tests of the API, written as the pipeline and the sender leave them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from custom_events.ledger.single_uploads import reference_of

CUSTOMER_ID = "1234567890"
ACTION_ID = "7001"
CREATED_AT = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)

_ACCOUNT = sa.text("""
INSERT INTO app.ads_accounts (customer_id, name, lane) VALUES (:customer_id, 'Shop', 'google_ads')
ON CONFLICT (customer_id) DO UPDATE SET name = excluded.name RETURNING id
""")
_ACTION = sa.text("""
INSERT INTO app.ads_actions (ads_account_id, action_id, name) VALUES (:account, :action_id, 'Purchase')
ON CONFLICT (ads_account_id, action_id) DO UPDATE SET name = excluded.name RETURNING id
""")
_KEY = sa.text("""
INSERT INTO app.upload_keys (ads_action_id, transaction_id, sequence, upload_id, created_at)
VALUES (:ads_action_id, :transaction_id, :sequence, :upload_id, :created_at) ON CONFLICT DO NOTHING
""")


def upload(connection: sa.Connection, site_id: int, order_id: str, **columns: Any) -> str:
    """The reference of a conversion of an order, queued unless `columns` say otherwise."""
    account = connection.execute(_ACCOUNT, {"customer_id": CUSTOMER_ID}).scalar_one()
    action = connection.execute(_ACTION, {"account": account, "action_id": ACTION_ID}).scalar_one()
    row = {
        "created_at": CREATED_AT,
        "site_id": site_id,
        "assignment_id": 1,
        "custom_event_id": 1,
        "ads_account_id": account,
        "ads_action_id": action,
        "kind": "conversion",
        "transaction_id": order_id,
        "sequence": 0,
        "order_id": order_id,
        "conversion_at": CREATED_AT,
        "value": 49.9,
        "currency": "EUR",
        "ad_user_data": "granted",
        "ad_personalization": "unknown",
        "state": "queued",
        "not_before": CREATED_AT,
        "deadline_at": CREATED_AT + timedelta(days=60),
    } | columns
    names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
    made = sa.text(f"INSERT INTO app.conversion_uploads ({names}) VALUES ({marks}) RETURNING id")
    upload_id = connection.execute(made, row).scalar_one()
    if row["ads_action_id"] is not None:
        connection.execute(_KEY, {**row, "upload_id": upload_id})
    return reference_of(CREATED_AT, upload_id)


def answered(connection: sa.Connection, reference: str, *, verdict: str, code: str) -> None:
    """One call that carried the upload, and Google's answer to it."""
    upload_id = int(reference.partition("-")[2])
    account = connection.execute(_ACCOUNT, {"customer_id": CUSTOMER_ID}).scalar_one()
    request = connection.execute(
        sa.text(
            "INSERT INTO app.upload_requests (ads_account_id, lane, kind, rows, google_request_id, intent_at, answered_at, outcome)"
            " VALUES (:account, 'google_ads', 'conversions', 1, 'g-1', now(), now(), 'answered') RETURNING id"
        ),
        {"account": account},
    ).scalar_one()
    values = {"upload": upload_id, "request": request, "verdict": verdict, "code": code}
    connection.execute(
        sa.text(
            "INSERT INTO app.upload_attempts (at, upload_id, request_id, verdict, code, sentence)"
            " VALUES (now(), :upload, :request, :verdict, :code, 'Google said no.')"
        ),
        values,
    )
    connection.execute(
        sa.text("UPDATE app.conversion_uploads SET request_id = :request WHERE id = :upload"),
        {"request": request, "upload": upload_id},
    )
