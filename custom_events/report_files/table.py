"""What is written as a file: columns with their kinds, rows in batches, a plot; and what was written."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

Kind = Literal["text", "id", "count", "amount", "ratio", "day", "time"]
FileFormat = Literal["csv", "xlsx", "parquet", "html", "pdf"]
FORMATS: Final[tuple[FileFormat, ...]] = ("csv", "xlsx", "parquet", "html", "pdf")
MEDIA_TYPES: Final[dict[FileFormat, str]] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "html": "text/html",
    "pdf": "application/pdf",
}
AMOUNT_SCALE: Final = 2  # digits after the point
RATIO_SCALE: Final = 6


class ReportColumn(msgspec.Struct, frozen=True):
    """A column. `name`: a word for programs (`value_matched`); `title`: what people read above it.

    What each kind takes of Python, None always allowed: text: str, or anything that JSON has; id: int or str, written as text;
    count: int of 64 bits; amount: Decimal or int with at most `scale` digits after the point, never rounded; ratio: Decimal, rounded half
    to even to `scale`; day: date; time: aware datetime. `scale` None: 2 of an amount, 6 of a ratio.
    """

    name: str
    title: str
    kind: Kind
    scale: int | None = None

    @property
    def digits(self) -> int:
        """Digits after the point of an amount or a ratio; 0 of every other kind."""
        default = {"amount": AMOUNT_SCALE, "ratio": RATIO_SCALE}.get(self.kind, 0)
        return default if self.scale is None else self.scale


class PlotSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn of the rows: one line, or one group of bars, for each column of `y` over the column `x`, by their names."""

    kind: Literal["line", "bar"]
    x: str
    y: tuple[str, ...]
    title: str = ""


class ReportTable(msgspec.Struct, frozen=True, kw_only=True):
    """Rows with what people need beside them. `zone`: IANA name, in which times are written and by whose days days are counted;
    `days_of`: by whose days they are counted where that is no single zone, in words (`each site's own zone`); `period`: what the rows are about, in words (`2026-11-01 to 2026-11-29`); `notes`: one sentence each; `batches`: rows as tuples in the
    columns' order, read once."""

    title: str
    columns: tuple[ReportColumn, ...]
    batches: Iterator[Sequence[tuple[Any, ...]]]
    zone: str = "UTC"
    days_of: str | None = None
    period: str = ""
    notes: tuple[str, ...] = ()
    plot: PlotSpec | None = None


class FileLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The most that a file may hold; None: what its format takes. One that is passed is an error, and no file is left."""

    rows: int | None = None
    bytes: int | None = None


class WrittenFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is whole. `rows` without the header; `sha256` in hex: the same rows give the same digest."""

    path: Path
    file_format: FileFormat
    rows: int
    bytes: int
    sha256: str
    media_type: str
