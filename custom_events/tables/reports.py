"""Reports that go out by themselves: what they hold, when they are due, and what became of each run."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from custom_events.tables.base import APP, METADATA, Json, JsonText, Time, created_at, identity, one_of, updated_at

RUN_STATES = ("queued", "writing", "delivering", "delivered", "failed", "skipped")  # custom_events/reports/runs.py
CATCH_UPS = ("newest", "all", "none")  # custom_events/reports/schedules.py
_SITES = pg.ARRAY(sa.BigInteger)
_OPEN = sa.text("state IN ('queued', 'writing', 'delivering')")

report_specifications = sa.Table(
    "report_specifications",
    METADATA,
    identity(),
    sa.Column("key", sa.Text, nullable=False, comment="Stable name; no built-in report has it."),
    sa.Column("name", sa.Text, nullable=False, comment="What people call it."),
    sa.Column("site_ids", _SITES, comment="The sites whose rows it reads; null: all of them."),
    sa.Column(
        "content",
        JsonText,
        nullable=False,
        comment="Mart, columns, filters, order, period and format, as services read it.",
    ),
    sa.Column("author", sa.Text, nullable=False, comment="Who changed it last."),
    created_at(),
    updated_at(),
    sa.UniqueConstraint("key"),
    schema=APP,
    comment="Reports that people saved. One row per report.",
)

report_schedules = sa.Table(
    "report_schedules",
    METADATA,
    identity(),
    sa.Column("report_key", sa.Text, nullable=False, comment="The report: a built-in one, or one that people saved."),
    sa.Column("name", sa.Text, nullable=False, comment="What people call it."),
    sa.Column("site_ids", _SITES, comment="The sites whose rows it sends; null: all of them."),
    sa.Column(
        "rule", JsonText, nullable=False, comment="When it is due: how often, at which local time, in which zone."
    ),
    sa.Column("format", sa.Text, comment="Format of its files; null: the report's own."),
    sa.Column("targets", JsonText, nullable=False, comment="Where its files go, without secrets."),
    sa.Column("secrets_encrypted", sa.LargeBinary, comment="What the targets need and nobody may read, encrypted."),
    sa.Column("catch_up", sa.Text, nullable=False, comment="Which missed runs are made up for: newest, all or none."),
    sa.Column("retries", sa.Integer, nullable=False, comment="How often a run is tried again."),
    sa.Column("retention_days", sa.Integer, comment="Days that its files are kept; null: as the settings say."),
    sa.Column("is_active", sa.Boolean, nullable=False, comment="Whether it makes runs."),
    sa.Column("next_due_at", Time, nullable=False, comment="Every run that was due before was made, or skipped."),
    sa.Column("owner", sa.Text, nullable=False, comment="Who answers for it."),
    created_at(),
    updated_at(),
    one_of("catch_up", CATCH_UPS),
    sa.Index("ix_report_schedules_due", "next_due_at", postgresql_where=sa.text("is_active")),
    sa.Index(None, "report_key"),
    schema=APP,
    comment="When reports go out, and where. One row per schedule.",
)

report_runs = sa.Table(
    "report_runs",
    METADATA,
    identity(),
    sa.Column(
        "schedule_id",
        sa.BigInteger,
        sa.ForeignKey("app.report_schedules.id", ondelete="SET NULL"),
        comment="The schedule; null: asked for by hand, or its schedule was removed.",
    ),
    sa.Column("report_key", sa.Text, nullable=False, comment="The report."),
    sa.Column("name", sa.Text, nullable=False, comment="What people called it then."),
    sa.Column("site_ids", _SITES, comment="The sites whose rows it reads; null: all of them."),
    sa.Column("content", JsonText, nullable=False, comment="The report as it was then."),
    sa.Column(
        "period", sa.Text, nullable=False, comment="The period as its key says it, an hourly one's with its moment."
    ),
    sa.Column("first_day", sa.Date, nullable=False, comment="First day of the period."),
    sa.Column("last_day", sa.Date, nullable=False, comment="Last day of the period."),
    sa.Column(
        "time_zone", sa.Text, nullable=False, comment="IANA name of the zone of these days and of times in the file."
    ),
    sa.Column("due_at", Time, nullable=False, comment="When it was due, or asked for."),
    sa.Column("asked_by", sa.Text, comment="Who asked for it by hand; null: its schedule."),
    sa.Column("state", sa.Text, nullable=False, server_default="queued", comment="Where it stands."),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="0", comment="How often it was begun."),
    sa.Column("retries", sa.Integer, nullable=False, comment="How often it is tried again."),
    sa.Column("not_before", Time, nullable=False, comment="When it may be begun."),
    sa.Column("lease_until", Time, comment="Until when its worker has it unless it says again that it works on it."),
    sa.Column(
        "delivery_key", sa.Text, nullable=False, comment="What makes a delivery that is tried again the same one."
    ),
    sa.Column("rows", sa.BigInteger, comment="Rows of its file."),
    sa.Column("bytes", sa.BigInteger, comment="Size of its file in bytes."),
    sa.Column("sha256", sa.Text, comment="Digest of its file, in hex; stays when the file is gone."),
    sa.Column("file_name", sa.Text, comment="Name of its file in the local directory; null: not written, or removed."),
    sa.Column("media_type", sa.Text, comment="Media type of its file."),
    sa.Column("retention_days", sa.Integer, comment="Days that its file is kept; null: as the settings say."),
    sa.Column("receipts", Json, nullable=False, server_default="{}", comment="What was delivered where, by target."),
    sa.Column(
        "warnings", Json, nullable=False, server_default="[]", comment="What people should look at, as sentences."
    ),
    sa.Column("error", Json, comment="Why it failed, or is tried again: kind and sentence."),
    sa.Column("started_at", Time, comment="When it was begun first."),
    sa.Column("ended_at", Time, comment="When it ended."),
    created_at(),
    one_of("state", RUN_STATES),
    sa.Index(
        "uq_report_runs_schedule_id_period",
        "schedule_id",
        "period",
        unique=True,
        postgresql_where=sa.text("asked_by IS NULL"),
    ),
    sa.Index("ix_report_runs_open", "not_before", postgresql_where=_OPEN),
    sa.Index(None, "ended_at"),
    sa.Index(None, "schedule_id", "id"),
    schema=APP,
    comment="Runs of reports, kept with their digest longer than their files. One row per schedule and period, or per run by hand.",
)
