"""Whoever serves Dagster's page asks whether a session of the console opens it, and reads no session.

Revision ID: 0050
Revises: 0046
"""

from alembic import op

revision = "0050"
down_revision = "0046"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE FUNCTION app.opens_dagster(of_session BIGINT) RETURNS BOOLEAN
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM app.sessions s JOIN app.people p ON p.id = s.person_id JOIN app.role_grants g ON g.person_id = p.id
        WHERE s.id = of_session AND s.revoked_at IS NULL AND s.expires_at > now() AND s.idle_until > now() AND p.disabled_at IS NULL
            AND g.role = 'administrator' AND g.site_id IS NULL
    )
$$;
REVOKE EXECUTE ON FUNCTION app.opens_dagster(BIGINT) FROM PUBLIC;
"""


def upgrade() -> None:
    """A function alone; the rights of roles are renewed after each migration."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """An older version opens Dagster's page by its token."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql("DROP FUNCTION app.opens_dagster(BIGINT)")
