"""How many rows there are of what: kept by the transactions that write them, so that nobody has to count a year."""

from typing import Any

import sqlalchemy as sa

from custom_events.tables.base import APP, METADATA, Json, Time


def _key() -> list[sa.Column[Any]]:
    return [
        sa.Column(
            "what",
            sa.Text,
            nullable=False,
            comment="What is counted (custom_events/queries/tallies.py lists it).",
        ),
        sa.Column(
            "week",
            sa.Date,
            nullable=False,
            comment="Monday (UTC) of the week it belongs to; 1970-01-01 where no week is told apart.",
        ),
        sa.Column(
            "subject",
            sa.BigInteger,
            nullable=False,
            autoincrement=False,
            comment="ads_accounts.id or site_custom_events.id; 0 where none is told apart.",
        ),
        sa.Column("kind", sa.Text, nullable=False, comment="Kind of the upload; else empty."),
        sa.Column(
            "state",
            sa.Text,
            nullable=False,
            comment="Its state, outcome or type; of uploads that may still be claimed: open.",
        ),
        sa.Column("reason", sa.Text, nullable=False, comment="Its reason, where it is final; else empty."),
    ]


tallies = sa.Table(
    "tallies",
    METADATA,
    *_key(),
    sa.Column("count", sa.BigInteger, nullable=False, comment="How many rows."),
    sa.Column("sentence", sa.Text, comment="What one of its rows says of its reason, for people."),
    sa.PrimaryKeyConstraint("what", "week", "subject", "kind", "state", "reason"),
    schema=APP,
    comment="How many rows there are of what, as of the last fold of tally_changes. One row per key.",
)

tally_changes = sa.Table(
    "tally_changes",
    METADATA,
    *_key(),
    sa.Column("change", sa.BigInteger, nullable=False, comment="How many more, or fewer."),
    sa.Column("sentence", sa.Text, comment="What one of these rows says of its reason, for people."),
    schema=APP,
    comment="What transactions added to and took from the tallies since: only added to while they write, so that none waits for another.",
)

tally_checks = sa.Table(
    "tally_checks",
    METADATA,
    sa.Column(
        "name",
        sa.Text,
        primary_key=True,
        comment="tallies: against counting. sums: every stage counted in its own tables.",
    ),
    sa.Column("checked_at", Time, nullable=False, comment="When it counted."),
    sa.Column("gaps", Json, nullable=False, comment="A sentence for each difference."),
    schema=APP,
    comment="What the last exact count found. One row per check.",
)
