"""Exchange rates of days.

Revision ID: 0042
Revises: 0041
"""

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE app.exchange_rates (
    currency TEXT NOT NULL,
    reporting_currency TEXT NOT NULL,
    day DATE NOT NULL,
    rate NUMERIC(20, 10) NOT NULL,
    source TEXT NOT NULL,
    loaded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_exchange_rates PRIMARY KEY (currency, reporting_currency, day),
    CONSTRAINT ck_exchange_rates_rate_positive CHECK (rate > 0),
    CONSTRAINT ck_exchange_rates_two_currencies CHECK (currency <> reporting_currency)
);
COMMENT ON TABLE app.exchange_rates IS 'Exchange rates by day, loaded from files. One row per pair of currencies and day.';
COMMENT ON COLUMN app.exchange_rates.currency IS 'ISO 4217 code of the amounts that are changed.';
COMMENT ON COLUMN app.exchange_rates.reporting_currency IS 'ISO 4217 code of what they are changed into.';
COMMENT ON COLUMN app.exchange_rates.day IS 'The day it is the rate of.';
COMMENT ON COLUMN app.exchange_rates.rate IS 'Units of the reporting currency for one unit of the other.';
COMMENT ON COLUMN app.exchange_rates.source IS 'Whose rate it is, as the file says.';
COMMENT ON COLUMN app.exchange_rates.loaded_at IS 'When it was loaded.';
"""


def upgrade() -> None:
    """An empty table."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Reports then have no amounts in other currencies than their own."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql("DROP TABLE app.exchange_rates")
