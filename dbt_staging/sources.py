"""The dbt sources file, written from the tables, so that a column cannot exist in one and not in the other.

`make docs` writes it (dbt_staging/models.py); a test holds the file equal to `render()`.
"""

from pathlib import Path

import sqlalchemy as sa
import yaml
from sqlalchemy.dialects import postgresql

from custom_events.tables.registry import TABLES

SOURCES_FILE = Path(__file__).parents[1] / "dbt" / "models" / "staging" / "_sources.yml"

# Never read for reports: secrets, what is only there to spare counting, when jobs ended, what people asked for, reports themselves, and the bytes of bodies and headers (personal data in clear).
HIDDEN_TABLES = frozenset(
    {
        *("site_secrets", "tallies", "tally_changes", "tally_checks", "scheduled_jobs"),
        *("people", "role_grants", "sessions", "api_keys", "login_attempts", "idempotent_answers", "openid_links"),
        *("saved_views", "shopify_installations"),
        *("report_specifications", "report_schedules", "report_runs"),
        *("operations", "operation_parts", "bulk_changes", "bulk_change_rows"),
        *("forgotten_subjects", "forgetting_keys", "key_ring_checks"),
        "raw_archives",
        *("store_api_keys", "order_recoveries", "traffic_hours", "traffic_counted", "quiet_traffic", "beacons"),
    }
)
HIDDEN_COLUMNS = frozenset(
    {"body", "headers", "packed", "said_digest", "client_address", "before", "after", "person_encrypted"}
)

HEADER = "# Written by `make docs` (dbt_staging/models.py) from custom_events/tables; do not edit.\n"


def visible_columns(table: sa.Table) -> list[sa.Column[object]]:
    """The columns of a table that reports may read."""
    return [column for column in table.columns if column.name not in HIDDEN_COLUMNS]


def source_tables() -> list[sa.Table]:
    """The tables that have a staging model, in alphabetical order."""
    return sorted((t for t in TABLES if t.name not in HIDDEN_TABLES), key=lambda t: (t.schema or "", t.name))


def render() -> str:
    """The text of `_sources.yml`."""
    sources = [
        {
            "name": schema,
            "schema": schema,
            "description": f"Tables in the Postgres schema {schema}, made by Alembic.",
            "tables": [_described(table) for table in source_tables() if table.schema == schema],
        }
        for schema in ("app", "landing")
    ]
    return HEADER + yaml.safe_dump({"version": 2, "sources": sources}, sort_keys=False, allow_unicode=True, width=150)


def _described(table: sa.Table) -> dict[str, object]:
    return {
        "name": str(table.name),
        "description": table.comment,
        "meta": {"dagster": {"asset_key": [ASSET_OF_TABLE[table.name]]}},
        **({"config": _fresh(column)} if (column := NEWEST.get(table.name)) else {}),
        "columns": [_described_column(column) for column in visible_columns(table)],
    }


def _described_column(column: sa.Column[object]) -> dict[str, object]:
    kind = column.type.compile(dialect=postgresql.dialect()).lower()
    return {"name": str(column.name), "description": column.comment, "data_type": kind}


def _fresh(column: str) -> dict[str, object]:
    """`dbt source freshness` looks at this column, which an index has in its order."""
    limits = {f"{name}_after": {"count": hours, "period": "hour"} for name, hours in STALE_AFTER_H.items()}
    return {"loaded_at_field": column, "freshness": limits}


# Of tables that are filled all the while, the column that says how new they are. Shops sleep; who goes quiet is an alarm of ours.
NEWEST = {"raw_outcomes": "received_at", "commerce_events": "occurred_at", "conversion_uploads": "created_at"}
STALE_AFTER_H = {"warn": 24, "error": 72}

# Which asset of the pipeline a table is part of; tables that are configured belong to `configuration`.
ASSET_OF_TABLE = {
    "raw_events": "raw_events",
    "raw_queue": "raw_events",
    "duplicate_deliveries": "raw_events",
    "refused_events": "raw_events",
    "receipts": "raw_events",
    "raw_outcomes": "commerce_events",
    "odd_leaves": "commerce_events",
    "privacy_requests": "commerce_events",
    "commerce_events": "commerce_events",
    "event_keys": "commerce_events",
    "orders": "commerce_events",
    "order_consents": "commerce_events",
    "order_refunds": "commerce_events",
    "subscriptions": "commerce_events",
    "customers": "commerce_events",
    "clicks": "commerce_events",
    "custom_events": "custom_events",
    "custom_event_keys": "custom_events",
    "value_changes": "custom_events",
    "withdrawn_without_order": "custom_events",
    "threshold_counters": "custom_events",
    "counted_events": "custom_events",
    "counted_days": "custom_events",
    "conversion_uploads": "conversion_uploads",
    "upload_keys": "conversion_uploads",
    "upload_requests": "conversion_uploads",
    "upload_attempts": "conversion_uploads",
    "quota_buckets": "conversion_uploads",
    "upload_stops": "conversion_uploads",
    "order_recovery_runs": "commerce_events",
    "missing_orders": "commerce_events",
    "google_upload_status": "reconciliation",
    "reconciliation_days": "reconciliation",
    "alarms": "configuration",
    "sites": "configuration",
    "ads_accounts": "configuration",
    "ads_actions": "configuration",
    "custom_event_definitions": "configuration",
    "definition_revisions": "configuration",
    "site_custom_events": "configuration",
    "assignment_revisions": "configuration",
    "audit_entries": "configuration",
    "zone_offsets": "configuration",
    "exchange_rates": "configuration",
}
