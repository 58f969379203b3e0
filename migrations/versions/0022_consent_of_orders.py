"""What was said of an order's consent, wherever its bodies differ; and the policy that stored definitions were published with.

A definition that names no policy for consent meant `not_denied` until now, and means `click_only_in_europe` from now on. What is
stored keeps its meaning: the word is written into it. Where the programs of before and after run beside each other, a definition
that is published meanwhile means to each of them its own default.

Revision ID: 0022
Revises: 0021
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE app.orders ADD COLUMN ad_user_data TEXT, ADD COLUMN ad_personalization TEXT;
COMMENT ON COLUMN app.orders.ad_user_data IS 'Consent by all its bodies: denied, else granted; null: none says.';
COMMENT ON COLUMN app.orders.ad_personalization IS 'Likewise.';
CREATE TABLE app.order_consents (
    site_id BIGINT NOT NULL,
    order_id TEXT NOT NULL,
    ad_user_data TEXT NOT NULL,
    ad_personalization TEXT NOT NULL,
    said_at TIMESTAMP WITH TIME ZONE,
    source TEXT,
    written_by BIGINT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_order_consents PRIMARY KEY (site_id, order_id),
    CONSTRAINT ck_order_consents_ad_user_data_known CHECK (ad_user_data IN ('granted', 'denied', 'unknown')),
    CONSTRAINT ck_order_consents_ad_personalization_known CHECK (ad_personalization IN ('granted', 'denied', 'unknown'))
);
CREATE INDEX ix_order_consents_written_by ON app.order_consents (written_by);
COMMENT ON TABLE app.order_consents IS
  'Consent of orders whose bodies do not all say the same; the others'' stands in the events. One row per such order.';
COMMENT ON COLUMN app.order_consents.site_id IS 'The site.';
COMMENT ON COLUMN app.order_consents.order_id IS 'The order.';
COMMENT ON COLUMN app.order_consents.ad_user_data IS 'By all its bodies: denied, else granted, else unknown.';
COMMENT ON COLUMN app.order_consents.ad_personalization IS 'Likewise.';
COMMENT ON COLUMN app.order_consents.said_at IS 'Store''s clock of the newest body that says so; null: said before this row.';
COMMENT ON COLUMN app.order_consents.source IS 'Who gave that answer, as far as the body says.';
COMMENT ON COLUMN app.order_consents.written_by IS 'Transaction that wrote it last: pg_current_xact_id().';
COMMENT ON COLUMN app.order_consents.updated_at IS 'When it last changed.';
"""

# A revision never changes (0003), but for this: the word says what it meant all along.
NAME_POLICY = """
ALTER TABLE app.definition_revisions DISABLE TRIGGER definition_revision_is_immutable;
UPDATE app.definition_revisions SET config = config || '{"consent_needed": "%s"}' WHERE NOT config ? 'consent_needed';
ALTER TABLE app.definition_revisions ENABLE TRIGGER definition_revision_is_immutable;
"""


def upgrade() -> None:
    """Columns that may be null and an empty table: no row of the history is rewritten. Definitions are few."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql(TABLES)
    connection.exec_driver_sql(NAME_POLICY.replace("%s", "not_denied"))


def downgrade() -> None:
    """Definitions that were published since keep their policy by name. Answers about consent that came late are forgotten, but for
    those that the ledger's rows hold."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql(NAME_POLICY.replace("%s", "click_only_in_europe"))
    connection.exec_driver_sql("DROP TABLE app.order_consents")
    connection.exec_driver_sql("ALTER TABLE app.orders DROP COLUMN ad_user_data, DROP COLUMN ad_personalization")
