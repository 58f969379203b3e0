"""A platform or a lane is a folder and a line of code: the database holds any word, and asks for no migration.

Revision ID: 0029
Revises: 0028
"""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

WORD = "^[a-z][a-z0-9_]{0,39}$"
LISTED = {
    ("sites", "platform"): "'shopify', 'woocommerce', 'custom'",
    ("ads_accounts", "lane"): "'google_ads', 'data_manager'",
    ("upload_requests", "lane"): "'google_ads', 'data_manager'",
    ("upload_stops", "lane"): "'google_ads', 'data_manager'",
}
# NOT VALID, then VALIDATE: the table is read beside its writers, and locked for a moment only.
CHECK = """
ALTER TABLE app.{table} DROP CONSTRAINT ck_{table}_{column}_known;
ALTER TABLE app.{table} ADD CONSTRAINT ck_{table}_{column}_known CHECK ({check}) NOT VALID;
ALTER TABLE app.{table} VALIDATE CONSTRAINT ck_{table}_{column}_known;
"""
COMMENT = "COMMENT ON COLUMN app.custom_events.withdrawn_reason IS 'Why: a stable word ({file}).'"
PLATFORM = "COMMENT ON COLUMN app.sites.platform IS '{comment}'"


def upgrade() -> None:
    """Rows stay as they are: every word of before is one of now."""
    connection = op.get_bind().execution_options(no_parameters=True)
    for table, column in LISTED:
        connection.exec_driver_sql(CHECK.format(table=table, column=column, check=f"{column} ~ '{WORD}'"))
    connection.exec_driver_sql(COMMENT.format(file="values/reasons.py"))
    connection.exec_driver_sql(PLATFORM.format(comment="Its store platform: the name of a folder of platforms/."))


def downgrade() -> None:
    """Fails where a site or an account has another platform or lane: remove it first."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql(PLATFORM.format(comment="shopify, woocommerce or custom."))
    connection.exec_driver_sql(COMMENT.format(file="matching/reasons.py"))
    for (table, column), words in LISTED.items():
        connection.exec_driver_sql(CHECK.format(table=table, column=column, check=f"{column} IN ({words})"))
