"""Google's own counts beside the ledger: its judgement as last read, and each day laid beside ours.

`upload_requests.counts` now holds what Google counted by conversion action, for both lanes; rows from before hold reasons alone.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE app.google_upload_status (
    ads_account_id BIGINT NOT NULL,
    action_id TEXT NOT NULL,
    client TEXT NOT NULL,
    status TEXT NOT NULL,
    successful BIGINT DEFAULT '0' NOT NULL,
    failed BIGINT DEFAULT '0' NOT NULL,
    pending BIGINT DEFAULT '0' NOT NULL,
    last_upload_at TEXT,
    alerts JSONB DEFAULT '[]' NOT NULL,
    read_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_google_upload_status PRIMARY KEY (ads_account_id, action_id, client),
    CONSTRAINT fk_google_upload_status_ads_account_id FOREIGN KEY(ads_account_id) REFERENCES app.ads_accounts (id)
);
COMMENT ON TABLE app.google_upload_status IS 'Google''s own judgement of the uploads, as last read. One row per account, conversion action and client.';
COMMENT ON COLUMN app.google_upload_status.ads_account_id IS 'Whose uploads.';
COMMENT ON COLUMN app.google_upload_status.action_id IS 'Google''s id of the conversion action; empty: all.';
COMMENT ON COLUMN app.google_upload_status.client IS 'Google''s name for the way in: GOOGLE_ADS_API ...';
COMMENT ON COLUMN app.google_upload_status.status IS 'EXCELLENT, GOOD, NEEDS_ATTENTION or NO_RECENT_UPLOAD.';
COMMENT ON COLUMN app.google_upload_status.successful IS 'Events that Google took, over all that it still knows.';
COMMENT ON COLUMN app.google_upload_status.failed IS 'Events that Google did not take.';
COMMENT ON COLUMN app.google_upload_status.pending IS 'Events that Google has not decided.';
COMMENT ON COLUMN app.google_upload_status.last_upload_at IS 'Google''s text, in the account''s time zone.';
COMMENT ON COLUMN app.google_upload_status.alerts IS 'Errors with their share of the events.';
COMMENT ON COLUMN app.google_upload_status.read_at IS 'When it was read.';

CREATE TABLE app.reconciliation_days (
    ads_account_id BIGINT NOT NULL,
    action_id TEXT NOT NULL,
    day DATE NOT NULL,
    sent BIGINT DEFAULT '0' NOT NULL,
    accepted BIGINT DEFAULT '0' NOT NULL,
    pending BIGINT DEFAULT '0' NOT NULL,
    refused BIGINT DEFAULT '0' NOT NULL,
    unknown BIGINT DEFAULT '0' NOT NULL,
    again BIGINT DEFAULT '0' NOT NULL,
    ended BIGINT DEFAULT '0' NOT NULL,
    unattributable BIGINT DEFAULT '0' NOT NULL,
    already_there BIGINT DEFAULT '0' NOT NULL,
    without_click BIGINT DEFAULT '0' NOT NULL,
    retracted BIGINT DEFAULT '0' NOT NULL,
    reasons JSONB DEFAULT '{}' NOT NULL,
    events BIGINT DEFAULT '0' NOT NULL,
    unanswered BIGINT DEFAULT '0' NOT NULL,
    google_successful BIGINT,
    google_failed BIGINT,
    google_pending BIGINT,
    google_read_at TIMESTAMP WITH TIME ZONE,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_reconciliation_days PRIMARY KEY (ads_account_id, action_id, day),
    CONSTRAINT ck_reconciliation_days_every_sent_row_stands_somewhere CHECK (sent = accepted + pending + refused + unknown + again + ended),
    CONSTRAINT fk_reconciliation_days_ads_account_id FOREIGN KEY(ads_account_id) REFERENCES app.ads_accounts (id)
);
COMMENT ON TABLE app.reconciliation_days IS 'Our ledger beside Google''s summaries. One row per account, conversion action and day of the call.';
COMMENT ON COLUMN app.reconciliation_days.ads_account_id IS 'Whose uploads.';
COMMENT ON COLUMN app.reconciliation_days.action_id IS 'Google''s numeric id of the conversion action.';
COMMENT ON COLUMN app.reconciliation_days.day IS 'Day of the call, in the account''s time zone.';
COMMENT ON COLUMN app.reconciliation_days.sent IS 'Conversions and adjustments whose last call was made that day.';
COMMENT ON COLUMN app.reconciliation_days.accepted IS 'Of those: Google has it.';
COMMENT ON COLUMN app.reconciliation_days.pending IS 'Of those: the verdict is still to come.';
COMMENT ON COLUMN app.reconciliation_days.refused IS 'Of those: Google will not take it.';
COMMENT ON COLUMN app.reconciliation_days.unknown IS 'Of those: no answer came; sent again under the same order id.';
COMMENT ON COLUMN app.reconciliation_days.again IS 'Of those: waiting to be sent again.';
COMMENT ON COLUMN app.reconciliation_days.ended IS 'Of those: expired or withheld after a call that did not take it.';
COMMENT ON COLUMN app.reconciliation_days.unattributable IS 'Of the accepted: nobody who clicked an ad fits. Expected, no error.';
COMMENT ON COLUMN app.reconciliation_days.already_there IS 'Of the accepted: Google had it before.';
COMMENT ON COLUMN app.reconciliation_days.without_click IS 'Of the sent: hashed e-mail or phone alone, no click id.';
COMMENT ON COLUMN app.reconciliation_days.retracted IS 'Of the sent: retractions, which add no conversion.';
COMMENT ON COLUMN app.reconciliation_days.reasons IS 'Codes of what was not plainly accepted, with their rows.';
COMMENT ON COLUMN app.reconciliation_days.events IS 'Rows that answered calls of the day carried; a row sent twice counts twice, as at Google.';
COMMENT ON COLUMN app.reconciliation_days.unanswered IS 'Rows in calls of the day without an answer: Google may have counted them or not.';
COMMENT ON COLUMN app.reconciliation_days.google_successful IS 'Events that Google took. Null: Google has not told of this day.';
COMMENT ON COLUMN app.reconciliation_days.google_failed IS 'Events that Google did not take. Null: Google has not told of this day.';
COMMENT ON COLUMN app.reconciliation_days.google_pending IS 'Events that Google has not decided. Null: Google has not told of this day.';
COMMENT ON COLUMN app.reconciliation_days.google_read_at IS 'When Google''s figures were read.';
COMMENT ON COLUMN app.reconciliation_days.updated_at IS 'When our figures were counted.';
"""

COUNTS = "COMMENT ON COLUMN app.upload_requests.counts IS '{}'"
BEFORE = "Data Manager: rows by reason, as its verdict gave them; no row is named."
AFTER = "By conversion action, what Google counted in this call; no row is named."


def upgrade() -> None:
    """New tables only: the code before this does not know them."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql(TABLES)
    connection.exec_driver_sql(COUNTS.format(AFTER))


def downgrade() -> None:
    """What Google said can be read again."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql("DROP TABLE app.reconciliation_days, app.google_upload_status")
    connection.exec_driver_sql(COUNTS.format(BEFORE))
