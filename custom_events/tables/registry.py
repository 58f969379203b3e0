"""Every table, and how those that grow without end are partitioned."""

from enum import StrEnum

import msgspec
import sqlalchemy as sa

from custom_events.tables import commerce, definitions, landing, sites, uploads
from custom_events.tables.base import METADATA


class Span(StrEnum):
    """How much time one partition holds."""

    WEEK = "week"
    MONTH = "month"


class Partitioning(msgspec.Struct, frozen=True, kw_only=True):
    """`column` decides the partition; `retention` names the setting (days) after which a partition is dropped, None: never."""

    table: sa.Table
    column: str
    span: Span
    retention: str | None


PARTITIONED: tuple[Partitioning, ...] = (
    Partitioning(table=landing.raw_events, column="received_at", span=Span.WEEK, retention="raw_retention_days"),
    Partitioning(
        table=landing.duplicate_deliveries, column="received_at", span=Span.WEEK, retention="raw_retention_days"
    ),
    Partitioning(table=landing.refused_events, column="received_at", span=Span.WEEK, retention="raw_retention_days"),
    Partitioning(table=landing.receipts, column="at", span=Span.WEEK, retention="event_retention_days"),
    Partitioning(table=commerce.raw_outcomes, column="received_at", span=Span.WEEK, retention="event_retention_days"),
    Partitioning(
        table=commerce.commerce_events, column="occurred_at", span=Span.MONTH, retention="event_retention_days"
    ),
    Partitioning(table=commerce.clicks, column="seen_at", span=Span.MONTH, retention="event_retention_days"),
    Partitioning(table=uploads.custom_events, column="occurred_at", span=Span.MONTH, retention="event_retention_days"),
    Partitioning(table=uploads.conversion_uploads, column="created_at", span=Span.MONTH, retention=None),
    Partitioning(table=uploads.upload_attempts, column="at", span=Span.MONTH, retention="event_retention_days"),
)

TABLES: tuple[sa.Table, ...] = tuple(METADATA.sorted_tables)

MODULES = (sites, definitions, landing, commerce, uploads)  # one file per noun group, in the order of the schema page
