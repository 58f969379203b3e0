"""A paused site's deliveries are taken, a removed one's are refused; people's requests about their data have a due date.

Revision ID: 0023
Revises: 0022
"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

REASONS = "'no_such_site', 'no_signature', 'malformed_signature', 'wrong_signature', 'too_old', 'too_large', %s"
REFUSALS = """
ALTER TABLE landing.refused_events DROP CONSTRAINT ck_refused_events_reason_known;
ALTER TABLE landing.refused_events ADD CONSTRAINT ck_refused_events_reason_known CHECK (reason IN (%s));
"""
UPGRADE = """
ALTER TABLE app.sites ADD COLUMN removed_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE app.sites ADD CONSTRAINT ck_sites_removed_is_not_active CHECK (removed_at IS NULL OR NOT is_active);
COMMENT ON COLUMN app.sites.removed_at IS 'Since when its deliveries are refused (410); null: they are taken.';
COMMENT ON COLUMN app.sites.is_active IS 'False: deliveries land and are understood, and match nothing.';
COMMENT ON COLUMN app.raw_outcomes.reason IS
  'Stable word, for parked and ignored; site_paused: understood, and its events match nothing.';
CREATE TABLE app.privacy_requests (
    raw_id BIGINT NOT NULL,
    landed_week DATE NOT NULL,
    site_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    done_at TIMESTAMP WITH TIME ZONE,
    done_by TEXT,
    note TEXT,
    CONSTRAINT pk_privacy_requests PRIMARY KEY (raw_id),
    CONSTRAINT ck_privacy_requests_kind_known CHECK (kind IN ('redact_customer', 'redact_shop', 'data_request')),
    CONSTRAINT ck_privacy_requests_done_by_somebody CHECK ((done_at IS NULL) = (done_by IS NULL))
);
CREATE INDEX ix_privacy_requests_due_at ON app.privacy_requests (due_at) WHERE done_at IS NULL;
COMMENT ON TABLE app.privacy_requests IS 'Requests of people about their data that a store passed on. One row per delivery.';
COMMENT ON COLUMN app.privacy_requests.raw_id IS 'raw_events.id of the request.';
COMMENT ON COLUMN app.privacy_requests.landed_week IS 'raw_events.landed_week: finds the partition.';
COMMENT ON COLUMN app.privacy_requests.site_id IS 'The site.';
COMMENT ON COLUMN app.privacy_requests.kind IS 'redact_customer, redact_shop or data_request.';
COMMENT ON COLUMN app.privacy_requests.received_at IS 'When it landed.';
COMMENT ON COLUMN app.privacy_requests.due_at IS 'Until when it must be carried out.';
COMMENT ON COLUMN app.privacy_requests.done_at IS 'When it was carried out; null: it is open.';
COMMENT ON COLUMN app.privacy_requests.done_by IS 'Who said so.';
COMMENT ON COLUMN app.privacy_requests.note IS 'What was done.';
"""

DOWNGRADE = """
DROP TABLE app.privacy_requests;
ALTER TABLE app.sites DROP COLUMN removed_at;
COMMENT ON COLUMN app.sites.is_active IS 'False: deliveries are refused.';
COMMENT ON COLUMN app.raw_outcomes.reason IS 'Stable word, for parked and ignored.';
"""


def upgrade() -> None:
    """A column that may be null and an empty table. A receiver of before refuses a paused site's deliveries as it did: the word stays."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql(UPGRADE)
    connection.exec_driver_sql(REFUSALS % (REASONS % "'site_removed', 'busy', 'site_paused'"))


def downgrade() -> None:
    """A removed site is a paused one again, and what it was refused for is told so. Open requests stay among the parked deliveries."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql("UPDATE landing.refused_events SET reason = 'site_paused' WHERE reason = 'site_removed'")
    connection.exec_driver_sql(REFUSALS % (REASONS % "'site_paused', 'busy'"))
    connection.exec_driver_sql(DOWNGRADE)
