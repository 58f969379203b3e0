"""When each job that runs by the clock ended well last: a missed one leaves no other trace.

Revision ID: 0028
Revises: 0027
"""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each has until its limit from now on."""
    op.execute("""
CREATE TABLE app.scheduled_jobs (
    name TEXT NOT NULL,
    ended_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_scheduled_jobs PRIMARY KEY (name)
)""")
    op.execute(
        "COMMENT ON TABLE app.scheduled_jobs IS"
        " 'When each job that runs by the clock ended well last; the alarm ScheduledJobMissed reads it.'"
    )
    op.execute("COMMENT ON COLUMN app.scheduled_jobs.name IS 'The job, as Dagster calls it.'")
    op.execute(
        "COMMENT ON COLUMN app.scheduled_jobs.ended_at IS 'Its last good end; at first, when this table was made.'"
    )
    op.execute(
        "INSERT INTO app.scheduled_jobs (name, ended_at) SELECT name, now()"
        " FROM unnest(ARRAY['build_reports', 'reconcile_uploads', 'keep_partitions']) AS g(name)"
    )


def downgrade() -> None:
    """A missed job is noticed by what it should have done."""
    op.execute("DROP TABLE app.scheduled_jobs")
