"""Lists for people read pages by index, and search finds customers and clicks by one look into each partition.

Revision ID: 0027
Revises: 0026
"""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

# Who uses each: custom_events/browse, by list and filter. No row of the ledger that is queued, claimed and accepted without a word enters
# an index more (decision 17).
INDEXES = {
    # raw events: of a site; of all; those that are parked
    "ix_raw_outcomes_site_id_received_at_raw_id": "app.raw_outcomes (site_id, received_at, raw_id)",
    "ix_raw_outcomes_received_at_raw_id": "app.raw_outcomes (received_at, raw_id)",
    "ix_raw_outcomes_parked_newest": "app.raw_outcomes (received_at, raw_id) WHERE outcome = 'parked'",
    # commerce events of a site
    "ix_commerce_events_site_id_occurred_at_id": "app.commerce_events (site_id, occurred_at, id)",
    # custom events of a site
    "ix_custom_events_site_id_occurred_at_id": "app.custom_events (site_id, occurred_at, id)",
    # uploads that are held, withheld, refused, expired, unknown or unmatched: of an account; of a site. Parts of refused requests have an
    # index of their own, which claims are to go on using.
    "ix_conversion_uploads_account_reason": "app.conversion_uploads (ads_account_id, created_at, id, reason) WHERE reason <> 'split'",
    "ix_conversion_uploads_site_reason": "app.conversion_uploads (site_id, created_at, id, reason) WHERE reason <> 'split'",
    # reconciliation: what a call carried and no call names any more
    "ix_conversion_uploads_no_request": "app.conversion_uploads (created_at) WHERE request_id IS NULL AND attempts > 0",
    # search: by e-mail, by phone, by click id; hashes of 4 bytes, as the values are long and asked for whole
    "ix_customers_email": "app.customers USING hash (email_sha256)",
    "ix_customers_phone": "app.customers USING hash (phone_sha256)",
    "ix_clicks_click_id": "app.clicks USING hash (click_id)",
}


def upgrade() -> None:
    """The pipeline and the sender wait while the indexes are made: some ten seconds for a million orders. The receiver goes on."""
    for name, columns in INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON {columns}")


def downgrade() -> None:
    """No row changes."""
    for name in INDEXES:
        op.execute(f"DROP INDEX app.{name}")
