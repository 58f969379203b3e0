"""Every table, and how those that grow without end are partitioned."""

from enum import StrEnum

import msgspec
import sqlalchemy as sa

from custom_events.tables import (
    access,
    archives,
    beacons,
    commerce,
    counting,
    definitions,
    landing,
    odd_leaves,
    operations,
    privacy,
    quotas,
    rates,
    reconciliation,
    recovery,
    reports,
    shopify_app,
    sites,
    tallies,
    traffic,
    uploads,
    watching,
    zones,
)
from custom_events.tables.base import METADATA


class Span(StrEnum):
    """How much time one partition holds."""

    WEEK = "week"
    MONTH = "month"


class Partitioning(msgspec.Struct, frozen=True, kw_only=True):
    """How one table is partitioned: `column` decides, `span` says how much one holds, `behind` how many are made behind now.

    `retention` names the setting (days) after which a partition is dropped, None: never. While `queue` has rows with the
    same value of `column`, it is not dropped. Rows up to `inline_bytes` are kept whole, uncompressed, in their place (None:
    Postgres' own 2 KB, from which on it compresses). New rows fill `filled_percent` of a page (None: all of it); the rest is for
    their later versions.
    """

    table: sa.Table
    column: str
    span: Span
    behind: int
    retention: str | None
    queue: sa.Table | None = None
    inline_bytes: int | None = None
    filled_percent: int | None = None

    @property
    def tallied(self) -> bool:
        """Whether app.tallies says how many rows it has, so that they are taken from it when they go."""
        return self.table in (commerce.raw_outcomes, commerce.commerce_events, uploads.custom_events)

    @property
    def storage(self) -> dict[str, int]:
        """Storage parameters of each partition."""
        named = {"toast_tuple_target": self.inline_bytes, "fillfactor": self.filled_percent}
        return {name: value for name, value in named.items() if value is not None}


_WEEKS_BEHIND = 2  # nothing lands in the past; two are for clocks, and for a replay of last week in tests
_MONTHS_BEHIND = 13  # orders edited or refunded a year later, and a first import of a year
# The largest that Postgres takes. An order's facts have 1.5 to 3 KB; compressing every third of them (pglz) was a third of
# what Postgres did for an event (two pairs of runs: 82 -> 66 and 97 -> 45 us an order) and saved 15 % of the room. A delivery
# has 2 to 4 KB, compressed by the receiver: moving its body into a second table with an index of its own was a quarter of
# landing it.
_WHOLE_ROW_BYTES = 8_160
# A conversion is written three times: queued, claimed, answered. With room for as many rows as a page has, each version stays in it:
# the claim's beside the queued one, and the answer's in the place of that.
_TWO_VERSIONS_PERCENT = 45


def _weekly(
    table: sa.Table, column: str, retention: str, *, queue: sa.Table | None = None, inline_bytes: int | None = None
) -> Partitioning:
    return Partitioning(
        table=table,
        column=column,
        span=Span.WEEK,
        behind=_WEEKS_BEHIND,
        retention=retention,
        queue=queue,
        inline_bytes=inline_bytes,
    )


def _monthly(
    table: sa.Table,
    column: str,
    *,
    behind: int,
    retention: str | None,
    inline_bytes: int | None = None,
    filled_percent: int | None = None,
) -> Partitioning:
    return Partitioning(
        table=table,
        column=column,
        span=Span.MONTH,
        behind=behind,
        retention=retention,
        inline_bytes=inline_bytes,
        filled_percent=filled_percent,
    )


PARTITIONED: tuple[Partitioning, ...] = (
    _weekly(
        landing.raw_events,
        "landed_week",
        "raw_retention_days",
        queue=landing.raw_queue,
        inline_bytes=_WHOLE_ROW_BYTES,
    ),
    _weekly(landing.duplicate_deliveries, "received_at", "raw_retention_days"),
    _weekly(landing.refused_events, "received_at", "quarantine_retention_days"),
    _weekly(landing.receipts, "at", "event_retention_days"),
    _weekly(commerce.raw_outcomes, "landed_week", "event_retention_days"),
    _monthly(
        commerce.commerce_events,
        "occurred_at",
        behind=_MONTHS_BEHIND,
        retention="event_retention_days",
        inline_bytes=_WHOLE_ROW_BYTES,
    ),
    _monthly(commerce.clicks, "seen_at", behind=_MONTHS_BEHIND, retention="event_retention_days"),
    _monthly(uploads.custom_events, "occurred_at", behind=_MONTHS_BEHIND, retention="event_retention_days"),
    _monthly(uploads.conversion_uploads, "created_at", behind=1, retention=None, filled_percent=_TWO_VERSIONS_PERCENT),
    _monthly(uploads.upload_attempts, "at", behind=1, retention="event_retention_days"),
)

TABLES: tuple[sa.Table, ...] = tuple(METADATA.sorted_tables)

# One file per noun group, in the order of the schema page.
MODULES = (
    sites,
    shopify_app,
    definitions,
    landing,
    archives,
    commerce,
    beacons,
    odd_leaves,
    uploads,
    quotas,
    counting,
    reconciliation,
    recovery,
    tallies,
    watching,
    traffic,
    privacy,
    access,
    operations,
    reports,
    zones,
    rates,
)
