"""Long operations with their results, and bulk changes with what became of each row."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from custom_events.tables.access import ROLES
from custom_events.tables.base import APP, METADATA, Json, JsonText, Time, a_word, created_at, identity, one_of

STATES = ("waiting", "running", "succeeded", "failed", "cancelled")  # custom_events/operations/operation.py
OUTCOMES = ("made", "changed", "unchanged", "failed")  # custom_events/catalog/bulk/outcomes.py
_SITES = pg.ARRAY(sa.BigInteger)
_OPEN = sa.text("state IN ('waiting', 'running')")

operations = sa.Table(
    "operations",
    METADATA,
    identity(),
    sa.Column(
        "kind", sa.Text, nullable=False, comment="What is done: backtest, replay, export, bulk_change, replay_parked."
    ),
    sa.Column("state", sa.Text, nullable=False, server_default="waiting", comment="Where it stands."),
    sa.Column("role", sa.Text, nullable=False, comment="Who has this role on its sites may see it and cancel it."),
    sa.Column("site_ids", _SITES, comment="The sites that it is about; null: all of them."),
    sa.Column("request", JsonText, nullable=False, comment="What was asked, as its kind reads it."),
    sa.Column("asked_by", sa.Text, nullable=False, comment="Who asked; stands in the audit trail for what it changes."),
    sa.Column("source", sa.Text, nullable=False, comment="From where it was asked: api or console."),
    sa.Column("via", sa.Text, comment="The session or API key by which it was asked."),
    sa.Column("client_address", sa.Text, comment="The network address from which it was asked."),
    sa.Column("request_id", sa.Text, comment="The request that asked for it."),
    sa.Column("unit", sa.Text, nullable=False, server_default="", comment="What is counted: days, rows."),
    sa.Column("done", sa.BigInteger, nullable=False, server_default="0", comment="How many of them are done."),
    sa.Column("total", sa.BigInteger, comment="Of how many; null: not known."),
    sa.Column("worker", sa.Text, comment="The process that has it, or had it last."),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="0", comment="How often it was begun."),
    sa.Column("lease_until", Time, comment="Until when the worker has it unless it says again that it works on it."),
    sa.Column("cancel_asked_at", Time, comment="When somebody asked for its end."),
    sa.Column("problem", Json, comment="Why it failed: kind, detail and errors."),
    sa.Column("result_type", sa.Text, comment="Media type of its result; null: it has none."),
    sa.Column("started_at", Time, comment="When it was begun last."),
    sa.Column("ended_at", Time, comment="When it ended."),
    sa.Column("expires_at", Time, nullable=False, comment="When it is forgotten, with its result, once it has ended."),
    created_at(),
    sa.Column(
        "asker", Json, comment="By which session or API key, and what they might; null: nobody asked by the API."
    ),
    a_word("kind"),
    one_of("state", STATES),
    one_of("role", ROLES),
    sa.Index("ix_operations_open", "id", postgresql_where=_OPEN),
    sa.Index(None, "expires_at"),
    schema=APP,
    comment="Work that outlives the request that asked for it; kept for a day. One row per operation.",
)

operation_parts = sa.Table(
    "operation_parts",
    METADATA,
    sa.Column(
        "operation_id",
        sa.BigInteger,
        sa.ForeignKey("app.operations.id", ondelete="CASCADE"),
        primary_key=True,
        comment="Of which operation.",
    ),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False, comment="Its place in the result, from 0."),
    sa.Column("content", sa.LargeBinary, nullable=False, comment="The bytes."),
    schema=APP,
    comment="Results of long operations, in parts that follow each other. One row per part.",
)

bulk_changes = sa.Table(
    "bulk_changes",
    METADATA,
    identity(),
    sa.Column("undoes", sa.BigInteger, comment="The bulk change that it undoes."),
    sa.Column("all_or_nothing", sa.Boolean, nullable=False, comment="Whether one row that fails undid all of them."),
    sa.Column("asked_by", sa.Text, nullable=False, comment="Who asked for it."),
    sa.Column("reason", sa.Text, nullable=False, server_default="", comment="Why."),
    sa.Column("site_ids", _SITES, nullable=False, comment="The sites that it is about."),
    sa.Column("rows", sa.Integer, nullable=False, comment="How many rows it has."),
    sa.Column(
        "operation_id",
        sa.BigInteger,
        sa.ForeignKey("app.operations.id", ondelete="SET NULL"),
        comment="The operation that does it; null: it was done at once, or is forgotten.",
    ),
    sa.Column("ended_at", Time, comment="When its last row was done; null: it is under way, or was ended before."),
    created_at(),
    sa.Index(None, "created_at"),
    sa.Index(None, "undoes"),
    sa.Index(None, "operation_id"),
    schema=APP,
    comment="Changes of many assignments at once, kept so that they can be undone. One row per bulk change.",
)

bulk_change_rows = sa.Table(
    "bulk_change_rows",
    METADATA,
    sa.Column(
        "bulk_change_id",
        sa.BigInteger,
        sa.ForeignKey("app.bulk_changes.id", ondelete="CASCADE"),
        primary_key=True,
        comment="Of which bulk change.",
    ),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False, comment="Its place, from 0."),
    sa.Column("outcome", sa.Text, nullable=False, comment="What became of it: made, changed, unchanged or failed."),
    sa.Column("detail", JsonText, nullable=False, comment="The outcome as it is shown."),
    sa.Column(
        "touched", JsonText, nullable=False, comment="The assignments that it touched: as they were, and became."
    ),
    one_of("outcome", OUTCOMES),
    schema=APP,
    comment="What became of the rows of a bulk change, written with what they changed. One row per row.",
)
