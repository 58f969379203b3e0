"""A request keeps what a poll of it needs; a stop says which rows of an account it concerns, and by which API it was found.

Revision ID: 0021
Revises: 0020
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE app.upload_requests ADD COLUMN customer_id TEXT, ADD COLUMN login_customer_id TEXT;
COMMENT ON COLUMN app.upload_requests.customer_id IS 'Customer id that was called; null: the account''s, before migration 0021.';
COMMENT ON COLUMN app.upload_requests.login_customer_id IS 'Manager account through which it was called.';
CREATE INDEX ix_upload_requests_lane ON app.upload_requests (ads_account_id, lane);
ALTER TABLE app.conversion_uploads ADD COLUMN unsettled_lane TEXT;
COMMENT ON COLUMN app.conversion_uploads.unsettled_lane IS 'API that may have it without having said so: it goes there again. Null: it goes by its account''s of today.';
UPDATE app.conversion_uploads u SET unsettled_lane = r.lane FROM app.upload_requests r
WHERE r.id = u.request_id AND u.waits AND (u.reason IN ('no_answer', 'split', 'ProcessingErrorReason.INTERNAL_ERROR')
  OR starts_with(u.reason, 'InternalError.'));
ALTER TABLE app.ads_accounts ADD COLUMN parked_code TEXT, ADD COLUMN parked_scope TEXT, ADD COLUMN parked_lane TEXT;
COMMENT ON COLUMN app.ads_accounts.parked_code IS 'Google''s code behind `parked_reason`; null: parked by hand, or none.';
COMMENT ON COLUMN app.ads_accounts.parked_scope IS 'account, or project: every account of the lane was parked with it.';
COMMENT ON COLUMN app.ads_accounts.parked_lane IS 'The API that refused; null: parked by hand.';
ALTER TABLE app.ads_actions ADD COLUMN parked_code TEXT;
COMMENT ON COLUMN app.ads_actions.parked_code IS 'Google''s code behind `parked_reason`; null: parked by hand, or none.';
CREATE TABLE app.upload_stops (
    ads_account_id BIGINT NOT NULL,
    lane TEXT NOT NULL,
    concerns TEXT NOT NULL,
    code TEXT,
    reason TEXT NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    recheck_at TIMESTAMP WITH TIME ZONE,
    until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_upload_stops PRIMARY KEY (ads_account_id, lane, concerns),
    CONSTRAINT ck_upload_stops_lane_known CHECK (lane IN ('google_ads', 'data_manager')),
    CONSTRAINT ck_upload_stops_concerns_known CHECK (concerns IN ('account', 'user_data', 'adjustments')),
    CONSTRAINT fk_upload_stops_ads_account_id FOREIGN KEY (ads_account_id) REFERENCES app.ads_accounts (id)
);
COMMENT ON TABLE app.upload_stops IS 'Parts of an ads account to which nothing is sent; the rest goes on. One row per account, API and part.';
COMMENT ON COLUMN app.upload_stops.ads_account_id IS 'Account.';
COMMENT ON COLUMN app.upload_stops.lane IS 'google_ads or data_manager: the API that refused.';
COMMENT ON COLUMN app.upload_stops.concerns IS 'user_data: what carries hashed e-mail or phone. adjustments. account: all, where it is not the lane of today.';
COMMENT ON COLUMN app.upload_stops.code IS 'Google''s code.';
COMMENT ON COLUMN app.upload_stops.reason IS 'The same for people, and what to do.';
COMMENT ON COLUMN app.upload_stops.since IS 'When it was refused first.';
COMMENT ON COLUMN app.upload_stops.recheck_at IS 'When to try whether it is mended; null: it is a pause.';
COMMENT ON COLUMN app.upload_stops.until IS 'Of a pause: when it ends by itself.';
"""

DOWNGRADE = """
DROP TABLE app.upload_stops;
ALTER TABLE app.conversion_uploads DROP COLUMN unsettled_lane;
ALTER TABLE app.ads_actions DROP COLUMN parked_code;
ALTER TABLE app.ads_accounts DROP COLUMN parked_code, DROP COLUMN parked_scope, DROP COLUMN parked_lane;
DROP INDEX app.ix_upload_requests_lane;
ALTER TABLE app.upload_requests DROP COLUMN customer_id, DROP COLUMN login_customer_id;
"""


def upgrade() -> None:
    """Requests made before are asked about as their account stands today, as until now. The index is one over calls, not rows."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """What was held with a part of its account goes again at its hour, a day later at most."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(DOWNGRADE)
