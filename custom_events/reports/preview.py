"""The first rows of a report as it would be now, as text."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.reports import reading
from custom_events.reports.content import ReportContent
from custom_events.reports.periods import period_of
from custom_events.values import zones
from custom_events.values.marts import MARTS

SHOWN: Final = 20  # rows


class ReportPreview(msgspec.Struct, frozen=True, kw_only=True):
    """The first rows, as text; a gap is null. `period`: the days that they are about, "" for what has none; `zone`: of times."""

    period: str
    zone: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]


def read(engine: sa.Engine, content: ReportContent, site_ids: Sequence[int] | None, now: datetime) -> ReportPreview:
    """Read them. The content must be without problems. Raises Transient where the mart is not built."""
    period = period_of(content.period, now, content.time_zone)
    with reading.opened(engine, content, period, site_ids, limit=SHOWN) as source:
        rows = tuple(
            tuple(_text(value, content.time_zone) for value in row) for batch in source.batches for row in batch
        )
    mart = MARTS[content.mart]
    return ReportPreview(
        period=str(period) if mart.period else "",
        zone=content.time_zone,
        columns=tuple(mart.columns[name].title for name in content.columns),
        rows=rows,
    )


def _text(value: Any, zone: str) -> str | None:
    match value:
        case None:
            return None
        case datetime():
            return value.astimezone(zones.zone(zone)).isoformat(sep=" ", timespec="seconds")
        case date():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case _:
            return str(value)
