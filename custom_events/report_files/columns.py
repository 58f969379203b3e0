"""Columns of rows that are structs: the kind of each by its field's type and name."""

from datetime import date, datetime
from decimal import Decimal
from types import NoneType
from typing import Any, Final, get_args

import msgspec

from custom_events.report_files.table import Kind, ReportColumn

SCALE: Final = 6  # digits after the point of amounts in any currency, as the database keeps them
_OF_TYPE: Final[dict[Any, Kind]] = {int: "count", Decimal: "amount", datetime: "time", date: "day"}
_ID: Final = "id"


def columns_of(row: type[msgspec.Struct]) -> tuple[ReportColumn, ...]:
    """A column for each field: `id` and what ends with `_id` are ids; what is no number, day or time is text (JSON, where it is no str)."""
    return tuple(_column(field.name, field.type) for field in msgspec.structs.fields(row))


def _column(name: str, annotated: Any) -> ReportColumn:
    types = [of for of in get_args(annotated) or (annotated,) if of is not NoneType]
    kind: Kind = _OF_TYPE.get(types[0], "text") if len(types) == 1 else "text"
    if name.rpartition("_")[2] == _ID and kind in ("count", "text"):
        kind = "id"
    return ReportColumn(name, name.replace("_", " ").capitalize(), kind, SCALE if kind == "amount" else None)
