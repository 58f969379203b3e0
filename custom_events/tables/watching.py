"""What the watcher knows to be wrong, so that it speaks of changes only."""

import sqlalchemy as sa

from custom_events.tables.base import APP, METADATA, Json, Time, identity

alarms = sa.Table(
    "alarms",
    METADATA,
    identity(),
    sa.Column("key", sa.Text, nullable=False, comment="What is wrong and where: AccountParked{account=1234567890}."),
    sa.Column("name", sa.Text, nullable=False, comment="The alarm's name, as in the rules for Prometheus."),
    sa.Column("severity", sa.Text, nullable=False, comment="critical or warning."),
    sa.Column("place", Json, nullable=False, comment="Account, action, site, reason ... by name."),
    sa.Column("sentence", sa.Text, nullable=False, comment="What is wrong, as of the last look."),
    sa.Column("remedy", sa.Text, nullable=False, comment="What to do."),
    sa.Column("opened_at", Time, nullable=False, comment="Since when it has been so."),
    sa.Column("seen_at", Time, nullable=False, comment="When it was seen last."),
    sa.Column("closed_at", Time, comment="When it had been gone for long enough; null: open."),
    sa.Column(
        "told", Json, nullable=False, server_default=sa.text("'{}'"), comment="Channel -> time of its last message."
    ),
    sa.Column(
        "told_closed", Json, nullable=False, server_default=sa.text("'{}'"), comment="Channel -> time of the all-clear."
    ),
    sa.Index("uq_alarms_open", "key", unique=True, postgresql_where=sa.text("closed_at IS NULL")),
    sa.Index("ix_alarms_closed_at", "closed_at"),
    schema=APP,
    comment="Alarms, open and past. One row per episode: from the first look that found it to the last.",
)

scheduled_jobs = sa.Table(
    "scheduled_jobs",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True, comment="The job, as Dagster calls it."),
    sa.Column("ended_at", Time, nullable=False, comment="Its last good end; at first, when this table was made."),
    schema=APP,
    comment="When each job that runs by the clock ended well last; the alarm ScheduledJobMissed reads it.",
)
