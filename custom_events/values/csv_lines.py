"""Values as lines of CSV (RFC 4180) that spreadsheets show as they are, and back."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_QUOTED: Final = "'"


def cell(value: object) -> str:
    """A value as text. What a spreadsheet would take for a formula begins with an apostrophe, and so does what has one already."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode().strip('"')
    return f"{_QUOTED}{text}" if text.startswith((*_FORMULA, _QUOTED)) else text


def text_of(written: str) -> str:
    """The text that `cell` wrote."""
    return written[1:] if written.startswith(_QUOTED) else written


def encode(rows: Iterable[Sequence[object]]) -> bytes:
    """Rows as lines."""
    written = io.StringIO()
    csv.writer(written).writerows([cell(value) for value in row] for row in rows)
    return written.getvalue().encode()


def decode(text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows, each with the number of the line on which it begins, from 1; empty ones are left out. Raises ValueError, naming the line."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    before = 0
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise ValueError(f"line {before + 1}: {error}") from None
        if row is None:
            return
        if row:
            yield before + 1, [text_of(cell) for cell in row]
        before = reader.line_num
