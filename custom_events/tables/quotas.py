"""What we have used of Google's quotas, shared by every worker."""

import sqlalchemy as sa

from custom_events.tables.base import APP, METADATA, Json, Time

quota_buckets = sa.Table(
    "quota_buckets",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True, comment="The lane (its Cloud project), or lane:customer id."),
    sa.Column("tokens", sa.Double, nullable=False, comment="Calls of the minute that were left."),
    sa.Column("pace", sa.Double, nullable=False, comment="Calls that are not full which could still go."),
    sa.Column("hours", Json, nullable=False, comment="Hours since 1970 -> calls, the last 25."),
    sa.Column("refilled_at", Time, nullable=False, comment="When it was so."),
    sa.Column("history_until", Time, comment="Conversions of the past wait until then; those of today go on."),
    schema=APP,
    comment="Token buckets of calls to Google (ledger/quota.py has the law). One row per Cloud project and per account.",
)
