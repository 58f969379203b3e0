"""A value that the installation's keys must decrypt, so that no other key is taken for theirs.

Revision ID: 0046
Revises: 0045
"""

from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE app.key_ring_checks (
    is_only BOOLEAN DEFAULT true NOT NULL,
    token BYTEA NOT NULL,
    CONSTRAINT pk_key_ring_checks PRIMARY KEY (is_only),
    CONSTRAINT ck_key_ring_checks_is_only CHECK (is_only)
);
COMMENT ON TABLE app.key_ring_checks IS 'What the keys of CUSTOM_EVENTS_SECRET_KEY must decrypt. One row.';
COMMENT ON COLUMN app.key_ring_checks.is_only IS 'There is one.';
COMMENT ON COLUMN app.key_ring_checks.token IS 'Fernet token of a sentence, by the newest key that was seen.';
"""


def upgrade() -> None:
    """An empty table: the next `migrate`, or the next secret, fills it."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Keys are taken as they come again. Tokens that were bound to their rows since are not read by older versions."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql("DROP TABLE app.key_ring_checks")
