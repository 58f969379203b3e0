"""Rows to the bytes of a binary COPY, by a function generated for each list of columns.

asyncpg's own encoder asks for every value which codec it needs and writes piece by piece: 0.8 us a column, here 0.2
(processors' time of the drain's rows). The generated source holds nothing but numbers of columns; types and
nullability are those of `custom_events.tables`. Format: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from struct import Struct, pack
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from custom_events.tables.registry import METADATA

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
PIECE_PARTS = 3_072  # parts joined to one piece: about 64 KB, so that Postgres works while the next piece is packed
MAX_KEPT_AMOUNTS = 16_384  # an order's total stands in half a dozen rows
MAX_KEPT_MOMENTS = 16_384  # its time in two dozen columns: found in 60 ns, worked out in 450
MAX_KEPT_WORDS = 4_096  # of a few dozen bytes
MAX_WORD_CHARACTERS = 64
MAX_KEPT_LENGTHS = 4_096  # bytes; the length of a shorter value is found in 30 ns, packed in 120

Packer = Callable[[Iterable[Sequence[Any]]], Iterator[bytes]]

_LENGTH = Struct(">i").pack
_NULL = _LENGTH(-1)
_TIME = Struct(">iq").pack
_BOOLEANS = (Struct(">i?").pack(1, False), Struct(">i?").pack(1, True))
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(2000, 1, 1).toordinal()
_DIGITS = 4  # decimal digits in one of Postgres' numeric
_POSITIVE, _NEGATIVE = 0x0000, 0x4000

# Columns that say one of few words in thousands of rows: found in 20 ns, packed in 130.
_WORDS = frozenset(
    ("type", "kind", "carrier", "click_kind", "currency", "status", "financial_status", "ad_user_data", "ad_personalization",
     "environment", "state", "reason", "sentence", "detail", "outcome", "withheld_reason")
)  # fmt: skip

# Fixed width: format characters of length and value, bytes of the value, the value as an integer.
_FIXED: dict[type[Any], tuple[str, int, str]] = {
    sa.BigInteger: ("iq", 8, "{v}"),
    sa.SmallInteger: ("ih", 2, "{v}"),
    sa.Integer: ("ii", 4, "{v}"),
    sa.DateTime: ("iq", 8, "moments[{v}]"),
    sa.Date: ("ii", 4, "{v}.toordinal() - epoch_day"),
}


class _Moments(dict[datetime, int]):
    """Moments as Postgres counts them, each worked out once; empty again when full."""

    def __missing__(self, moment: datetime) -> int:
        since = moment - _EPOCH
        microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
        if len(self) >= MAX_KEPT_MOMENTS:
            self.clear()
        self[moment] = microseconds
        return microseconds


class _Times(dict[datetime | None, bytes]):
    """Length and value of moments that may be none."""

    def __missing__(self, moment: datetime | None) -> bytes:
        packed = _NULL if moment is None else _TIME(8, _MOMENTS[moment])
        if len(self) >= MAX_KEPT_MOMENTS:
            self.clear()
        self[moment] = packed
        return packed


class _Words(dict[str | None, bytes]):
    """Length and value of words, and of none; those of long ones are not kept."""

    def __missing__(self, word: str | None) -> bytes:
        encoded = b"" if word is None else word.encode()
        packed = _NULL if word is None else _LENGTH(len(encoded)) + encoded
        if word is None or len(word) <= MAX_WORD_CHARACTERS:
            if len(self) >= MAX_KEPT_WORDS:
                self.clear()
            self[word] = packed
        return packed


class _Lengths(dict[int, bytes]):
    """Lengths as they stand before a value; those of long values are not kept."""

    def __missing__(self, length: int) -> bytes:
        packed = _LENGTH(length)
        if length < MAX_KEPT_LENGTHS:
            self[length] = packed
        return packed


_MOMENTS = _Moments()
_TIMES = _Times()
_WORDS_PACKED = _Words()
_LENGTHS = _Lengths()


@lru_cache
def packer(table: str, columns: tuple[str, ...]) -> Packer:
    """Packs rows of these columns of `schema.table` into pieces of one COPY; JSON may be text or bytes. Raises what a value that
    does not fit raises: ValueError, TypeError, AttributeError or struct.error."""
    table_columns = [METADATA.tables[table].c[name] for name in columns]
    names = [f"c{place}" for place in range(len(table_columns))]
    constants: dict[str, Any] = {
        "null": _NULL,
        "booleans": _BOOLEANS,
        "empty": b"",
        "lengths": _LENGTHS,
        "moments": _MOMENTS,
        "times": _TIMES,
        "words": _WORDS_PACKED,
        "epoch_day": _EPOCH_DAY,
        "numeric": numeric,
        "header": HEADER,
        "trailer": TRAILER,
    }
    parts = ", ".join(_parts(table_columns, names, constants))
    source = (
        "def pack(rows):\n"
        " out = [header]\n"
        f" for {', '.join(names)}, in rows:\n"
        f"  out += ({parts},)\n"
        f"  if len(out) > {PIECE_PARTS}:\n"
        "   yield b''.join(out)\n"
        "   out.clear()\n"
        " out.append(trailer)\n"
        " yield b''.join(out)\n"
    )
    made: dict[str, Any] = {}
    exec(compile(source, f"<copy {table}>", "exec"), constants, made)  # noqa: S102 - made of this module's words only
    return made["pack"]


def _parts(columns: Sequence[sa.Column[Any]], names: Sequence[str], constants: dict[str, Any]) -> Iterator[str]:
    """Expressions that give the bytes of a row, in order. Neighbours of fixed width that are never null are one part, after
    the number of columns that begins a row."""
    formats, arguments = "h", [str(len(columns))]
    for column, name in zip(columns, names, strict=True):
        fixed = _fixed(column.type)
        if fixed is None or column.nullable:
            if formats:
                yield _call(formats, arguments, constants)
                formats, arguments = "", []
            yield _part(column, name, constants)
        else:
            formats += fixed[0]
            arguments += [str(fixed[1]), fixed[2].format(v=name)]
    if formats:
        yield _call(formats, arguments, constants)


def _part(column: sa.Column[Any], name: str, constants: dict[str, Any]) -> str:
    fixed = _fixed(column.type)
    if isinstance(column.type, sa.DateTime):
        return f"times[{name}]"
    if isinstance(column.type, sa.Text) and column.name in _WORDS:
        return f"words[{name}]"  # none where none may be is for Postgres to refuse
    if fixed is not None:
        part = _call(fixed[0], [str(fixed[1]), fixed[2].format(v=name)], constants)
    elif isinstance(column.type, sa.Boolean):
        part = f"booleans[{name}]"
    elif isinstance(column.type, sa.Numeric):
        part = f"numeric({name})"
    elif isinstance(column.type, sa.Text):
        return _of_any_length(column, name, f"{name}.encode()")
    elif isinstance(column.type, sa.LargeBinary):
        return _of_any_length(column, name, name)
    elif type(column.type) is pg.JSON:
        return _of_any_length(column, name, f"({name} if type({name}) is bytes else {name}.encode())")
    else:
        raise TypeError(f"No binary form is known for {column}, a {column.type!r}")
    return f"(null if {name} is None else {part})" if column.nullable else part


def _of_any_length(column: sa.Column[Any], name: str, encoded: str) -> str:
    """Two parts, the length and the value: putting them together takes longer than joining two instead of one."""
    if not column.nullable:
        return f"lengths[len(t := {encoded})], t"
    return f"null if {name} is None else lengths[len(t := {encoded})], empty if {name} is None else t"


def _fixed(kind: sa.types.TypeEngine[Any]) -> tuple[str, int, str] | None:
    return next((form for known, form in _FIXED.items() if isinstance(kind, known)), None)


def _call(formats: str, arguments: list[str], constants: dict[str, Any]) -> str:
    name = f"pack_{formats}"
    constants[name] = Struct(f">{formats}").pack
    return f"{name}({', '.join(arguments)})"


@lru_cache(maxsize=MAX_KEPT_AMOUNTS)
def numeric(amount: Decimal) -> bytes:
    """Length and value. Equal amounts are one, however many zeros they were written with: the column has its own scale."""
    text = str(amount)
    sign = _POSITIVE
    if text[0] == "-":
        sign, text = _NEGATIVE, text[1:]
    if "E" in text:
        text = f"{abs(amount):f}"
    whole, _, fraction = text.partition(".")
    scale = len(fraction)
    whole = whole.lstrip("0")
    text = whole.zfill(-(-len(whole) // _DIGITS) * _DIGITS) + fraction.ljust(-(-scale // _DIGITS) * _DIGITS, "0")
    groups = [int(text[at : at + _DIGITS]) for at in range(0, len(text), _DIGITS)]
    first = -(-len(whole) // _DIGITS) - 1
    return pack(f">ihhHh{len(groups)}h", 8 + 2 * len(groups), len(groups), first, sign, scale, *groups)
