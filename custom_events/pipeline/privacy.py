"""Requests of people about their data: noted with a due date by the batch that met them (`catalog.privacy` closes them)."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from custom_events.pipeline.bulk_rows import Connection
from custom_events.pipeline.understanding import Delivered
from custom_events.queries import privacy as sql
from custom_events.values.deliveries import PrivacyRequest

IS_READY: Final = timedelta(
    days=30
)  # Shopify: to be carried out within 30 days (docs/reference/platforms.md 1.5); the GDPR's month is no shorter
_KINDS: Final = frozenset(PrivacyRequest)


async def note_requests(connection: Connection, delivered: Iterable[Delivered]) -> None:
    """Note those of a batch that ask about a person's data. One that was noted before stays as it is."""
    rows = [
        (row.raw_id, row.landed_week, row.site_id, row.understood.reason, row.received_at, row.received_at + IS_READY)
        for row in delivered
        if row.understood.reason in _KINDS
    ]
    if rows:
        await connection.executemany(sql.ADD, rows)
