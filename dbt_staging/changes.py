"""Staging's models of what was written: keys of rows, and the transaction that wrote each row last. Kept tables read them (dbt/macros/kept),
nobody else; PostgreSQL alone has them (dbt_project.yml)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from dbt_staging import sources

FOLDER: Final = "changes"
YAML: Final = f"{FOLDER}/_changes.yml"
# Of each table that kept tables follow, the columns by which they find what hangs on a row.
FOLLOWED: Final[Mapping[str, Sequence[str]]] = {
    "clicks": ("site_id", "subject"),
    "conversion_uploads": ("id", "created_at", "custom_event_id", "kind"),
    "custom_events": ("id", "occurred_at"),
    "customers": ("site_id", "customer_key"),
    "duplicate_deliveries": ("site_id", "received_at"),
    "event_keys": (
        "event_id",
        "occurred_at",
    ),  # a change of a commerce event writes its key, too; its being undone its order
    "odd_leaves": ("site_id", "first_seen_at"),
    "orders": ("site_id", "order_id"),
    "privacy_requests": ("raw_id",),  # whose carrying out renames orders, and deletes customers
    "raw_outcomes": ("site_id", "received_at"),
    "refused_events": ("site_id", "received_at"),
}
_WRITTEN_BY: Final = {
    "name": "written_by",
    "description": "Transaction that wrote the row last, as is_new() reads it.",
}


def tables() -> list[sa.Table]:
    """The tables that are followed, in alphabetical order."""
    return [table for table in sources.source_tables() if table.name in FOLLOWED]


def model_name(table: sa.Table) -> str:
    """`stg_changes__<table>`."""
    return f"stg_changes__{table.name}"


def render_sql(table: sa.Table) -> str:
    """A view of the columns that are followed."""
    columns = ", ".join((*FOLLOWED[table.name], "xmin as written_by"))
    return f"select {columns} from {{{{ source('{table.schema}', '{table.name}') }}}}\n"


def described(table: sa.Table) -> dict[str, Any]:
    """The model as its YAML has it."""
    columns = [{"name": name, "description": table.columns[name].comment} for name in FOLLOWED[table.name]]
    return {"name": model_name(table), "description": table.comment, "columns": [*columns, dict(_WRITTEN_BY)]}
