"""What each role of ours may: its tables and columns. A table that is new is the console's and the pipeline's, never the receiver's; reporting reads it
without bodies and what is encrypted, unless it is hidden."""

from collections.abc import Iterable, Iterator
from typing import Final

import sqlalchemy as sa

from custom_events.tables.base import LANDING
from custom_events.tables.registry import PARTITIONED, TABLES

RECEIVER: Final = "custom_events_receiver"
PIPELINE: Final = "custom_events_pipeline"
CONSOLE: Final = "custom_events_console"
REPORTING: Final = "custom_events_reporting"
ROLES: Final = (RECEIVER, PIPELINE, CONSOLE, REPORTING)

# ---------------------------------------------------------------- the receiver
_RECEIVER_INSERTS: Final = ("raw_events", "raw_queue", "duplicate_deliveries", "refused_events", "receipts")
# Columns it may read of what it writes: those that ON CONFLICT, the look at last week and RETURNING need. Never a body.
_RECEIVER_READS: Final = {
    "landing.raw_events": ("landed_week", "id", "site_id", "dedup_key", "received_at"),
    "landing.refused_events": ("received_at",),
    "app.sites": ("id", "site_key", "shop_domain", "platform", "removed_at"),
    "app.site_secrets": ("id", "site_id", "key_id", "secret_encrypted", "valid_until"),
    "app.key_ring_checks": ("token",),
}
# ---------------------------------------------------------------- the others
# Of people who use the console: nothing of it concerns what runs by itself.
_ACCESS: Final = frozenset(
    (
        *("people", "role_grants", "sessions", "api_keys", "login_attempts", "idempotent_answers", "openid_links"),
        *("saved_views", "bulk_changes", "bulk_change_rows", "operations", "operation_parts"),
    )
)
# What people configure: the pipeline reads it. Of the accounts it notes what Google says of them.
_CONFIGURED: Final = frozenset(
    ("sites", "custom_event_definitions", "definition_revisions", "site_custom_events", "assignment_revisions")
)
_AUDIT: Final = "audit_entries"  # whoever may write it may add to it, and nobody may do more
_PIPELINE_HIDDEN: Final = _ACCESS | {"site_secrets"}
_REPORTING_HIDDEN: Final = _PIPELINE_HIDDEN | {
    *("forgotten_subjects", "forgetting_keys", "key_ring_checks"),
    *("shopify_installations", "store_api_keys", "report_specifications", "report_schedules", "report_runs", "beacons"),
}
# Bodies, headers, tokens, and what people had before: no report reads them.
_SECRET_COLUMNS: Final = frozenset({"body", "headers", "client_address", "before", "after", "content"})
_SEQUENCES: Final = "GRANT USAGE ON ALL SEQUENCES IN SCHEMA app, landing TO {role}"  # many ids are taken at once
_FUNCTIONS: Final = (
    "app.make_partition(TEXT, TEXT, TEXT, TEXT, TEXT, INTEGER, INTEGER)",
    "app.drop_partition(TEXT, TEXT, TEXT, BOOLEAN)",
    "app.analyze_partitioned(TEXT, TEXT)",
    "app.opens_dagster(BIGINT)",
)


def grants(role: str) -> Iterator[str]:
    """The statements that give a role its rights, and take away any others that it had on our tables."""
    yield f"REVOKE ALL ON {_listed(TABLES)} FROM {role}"
    yield f"GRANT USAGE ON SCHEMA landing, app TO {role}"
    yield from {RECEIVER: _receiver, PIPELINE: _pipeline, CONSOLE: _console, REPORTING: _reporting}[role]()


def readable(table: sa.Table) -> list[str]:
    """The columns of a table that reports may read; none of a table that is hidden from them."""
    if table.name in _REPORTING_HIDDEN:
        return []
    return [
        column.name
        for column in table.columns
        if column.name not in _SECRET_COLUMNS and not column.name.endswith("_encrypted")
    ]


def _receiver() -> Iterator[str]:
    yield f"GRANT INSERT ON {', '.join(f'{LANDING}.{name}' for name in _RECEIVER_INSERTS)} TO {RECEIVER}"
    for table, columns in _RECEIVER_READS.items():
        yield f"GRANT SELECT ({', '.join(columns)}) ON {table} TO {RECEIVER}"


def _pipeline() -> Iterator[str]:
    read_tables = [table for table in TABLES if table.name not in _PIPELINE_HIDDEN]
    written_tables = [
        table
        for table in read_tables
        if table.schema != LANDING and table.name not in _CONFIGURED and table.name != _AUDIT
    ]
    yield f"GRANT SELECT ON {_listed(read_tables)}, public.alembic_version TO {PIPELINE}"
    yield f"GRANT INSERT, UPDATE, DELETE ON {_listed(written_tables)} TO {PIPELINE}"
    yield f"GRANT INSERT ON app.{_AUDIT} TO {PIPELINE}"
    # What expired goes, what is understood again waits again, and whoever is forgotten is blanked.
    expiring = [kind.table for kind in PARTITIONED if kind.table.schema == LANDING and kind.retention is not None]
    yield f"GRANT DELETE ON {_listed(expiring)}, {LANDING}.raw_queue TO {PIPELINE}"
    yield f"GRANT UPDATE ON {LANDING}.raw_events, {LANDING}.refused_events, {LANDING}.raw_queue TO {PIPELINE}"
    # What is put back, and orders that it reads from the stores' APIs, which land as deliveries do (queries/recovery.py, LAND_FETCHED).
    landing = ", ".join(f"{LANDING}.{name}" for name in _RECEIVER_INSERTS)
    yield f"GRANT INSERT ON {landing} TO {PIPELINE}"
    yield _SEQUENCES.format(role=PIPELINE)
    yield f"GRANT EXECUTE ON FUNCTION {', '.join(_FUNCTIONS)} TO {PIPELINE}"


def _console() -> Iterator[str]:
    """Its runner replays the past: it writes what the pipeline writes, and understands again what was parked."""
    own = [table for table in TABLES if table.schema != LANDING and table.name != _AUDIT]
    yield f"GRANT SELECT ON {_listed(TABLES)}, public.alembic_version TO {CONSOLE}"
    yield f"GRANT INSERT, UPDATE, DELETE ON {_listed(own)} TO {CONSOLE}"
    yield f"GRANT INSERT ON app.{_AUDIT} TO {CONSOLE}"
    yield f"GRANT INSERT, UPDATE, DELETE ON {LANDING}.raw_queue TO {CONSOLE}"
    yield _SEQUENCES.format(role=CONSOLE)


def _reporting() -> Iterator[str]:
    for table in TABLES:
        if columns := readable(
            table
        ):  # and which transaction wrote a row, by which builds see what changed (decision 0050)
            yield f"GRANT SELECT ({', '.join((*columns, 'xmin'))}) ON {table.fullname} TO {REPORTING}"


def _listed(tables: Iterable[sa.Table]) -> str:
    return ", ".join(table.fullname for table in tables)
