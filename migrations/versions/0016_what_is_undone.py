"""What a later body undoes: clocks of what an order's bodies say, what it is worth now, refunds that can go, events that are undone.

Revision ID: 0016
Revises: 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# Table, column, type, comment. None has a default that would write a row anew.
ADDED = (
    ("orders", "current_total", "NUMERIC(20, 6)",
     "What it is worth now by the store's own count; null: it does not say."),
    ("orders", "payment_lost_at", "TIMESTAMPTZ", "Paid, then failed, voided, charged back or disputed."),
    ("orders", "payment_state_at", "TIMESTAMPTZ", "Clock of the newest body that says whether it is paid."),
    ("orders", "cancellation_state_at", "TIMESTAMPTZ", "Clock of the newest body that says whether it is cancelled."),
    ("orders", "refunds_listed_at", "TIMESTAMPTZ", "Clock of the newest body that lists all refunds."),
    ("orders", "shown_at", "TIMESTAMPTZ", "When the newest body was sent, where bodies are built as they are sent."),
    ("orders", "has_undone", "BOOLEAN NOT NULL DEFAULT false", "Events of it are stored that are undone."),
    ("order_refunds", "seen_at", "TIMESTAMPTZ",
     "Clock of the newest body that tells of it; older than orders.refunds_listed_at: it is gone."),
    ("order_refunds", "items", "JSON", "Its lines (values/events.py, LineItem), where a body names them."),
    ("commerce_events", "is_undone", "BOOLEAN NOT NULL DEFAULT false",
     "A later body took it back: it matches nothing and counts nowhere."),
    ("conversion_uploads", "held_reason", "TEXT",
     "Why it was held when it was withheld: should it go after all, it is held again."),
    ("conversion_uploads", "held_sentence", "TEXT", "The same for people."),
    ("conversion_uploads", "held_until", "TIMESTAMPTZ", "Its not_before at that time."),
)  # fmt: skip

# Table, column, comment before and after.
COMMENTS = (
    ("orders", "paid_at", "Paid, by the store's clock.",
     "Paid, by the store's clock; null when the newest body that says so undid it."),
    ("orders", "cancelled_at", "Cancelled, by the store's clock.",
     "Cancelled, by the store's clock; null when it is not, or not any more."),
    ("orders", "deleted_at", "Deleted in the store.",
     "Deleted in the store, and not shown since; a WooCommerce order in the trash has that status."),
    ("orders", "refunded", "Sum of its refunds.",
     "Given back: the sum of its refunds that count, or all of it where the store says so."),
    ("order_refunds", "amount", "Positive amount.",
     "By the newest body that tells of it; 0: nothing was given back."),
)  # fmt: skip


def upgrade() -> None:
    """No row is written anew. Rows of the code before this have no clocks: a state that says paid or cancelled has the order's."""
    run = op.get_bind().execution_options(no_parameters=True).exec_driver_sql
    for table, column, kind, comment in ADDED:
        run(f"ALTER TABLE app.{table} ADD COLUMN {column} {kind}")
        run(f"COMMENT ON COLUMN app.{table}.{column} IS {_quoted(comment)}")
    for table, column, _, after in COMMENTS:
        run(f"COMMENT ON COLUMN app.{table}.{column} IS {_quoted(after)}")


def downgrade() -> None:
    """What was taken back stays so where it was written already; later bodies take nothing back."""
    run = op.get_bind().execution_options(no_parameters=True).exec_driver_sql
    for table, column, before, _ in COMMENTS:
        run(f"COMMENT ON COLUMN app.{table}.{column} IS {_quoted(before)}")
    for table, column, _, _ in reversed(ADDED):
        run(f"ALTER TABLE app.{table} DROP COLUMN {column}")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
