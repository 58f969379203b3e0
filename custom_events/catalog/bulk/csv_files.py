"""Assignments as CSV: all that are asked for written, and what is written read again, with errors by line."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.catalog import assignment_lists, revisions
from custom_events.catalog.assignments import SiteAssignment
from custom_events.catalog.bulk.choosing import refuse, seen_sites, text_errors, too_many_rows
from custom_events.catalog.bulk.outcomes import RowError
from custom_events.catalog.bulk.requests import MOST_ROWS, Allowed, PreparedChange, PreparedRow, RowSettings
from custom_events.catalog.configurations import read_overrides, to_plain
from custom_events.catalog.revisions import Current
from custom_events.errors import InvalidConfiguration
from custom_events.queries.revisions import ASSIGNMENTS
from custom_events.values import csv_lines
from custom_events.values.numbers import MAX_ID
from custom_events.values.texts import text_problem

COLUMNS: Final = ("site_id", "definition_key", "label", "is_active", "is_published", "overrides")
_NEEDED: Final = COLUMNS[:3]
PAGE: Final = 500  # assignments read at once
MOST_ERRORS: Final = 100  # told at once: whoever mends a file begins at its top
_TRUE_OR_FALSE: Final = {"true": True, "false": False}
_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)  # amounts keep their digits


def lines(engine: sa.Engine, *, only: Collection[int] | None, **chosen: Any) -> Iterator[bytes]:
    """The header and every assignment that `assignment_lists.search` finds by `chosen`; each page in a transaction of its own. What is
    published is written, or else what is drafted."""
    yield csv_lines.encode([COLUMNS])
    for page in rows(engine, only=only, **chosen):
        yield csv_lines.encode(page)


def rows(engine: sa.Engine, *, only: Collection[int] | None, **chosen: Any) -> Iterator[list[tuple[object, ...]]]:
    """The same assignments as rows of values, page by page."""
    after: tuple[Any, ...] | None = None
    while True:
        with engine.connect() as connection:
            page = assignment_lists.search(connection, **chosen, only=only, after=after, limit=PAGE)
            current = revisions.current(connection, ASSIGNMENTS, [assignment.id for assignment in page])
        if not page:
            return
        yield [_row(assignment, current.get(assignment.id, Current())) for assignment in page]
        after = assignment_lists.keys(page[-1], "id")


def _row(assignment: SiteAssignment, current: Current) -> tuple[object, ...]:
    shown = current.published or current.draft
    overrides = msgspec.json.encode(shown.payload if shown is not None else {}).decode()
    return (
        assignment.site_id,
        assignment.definition_key,
        assignment.label,
        assignment.is_active,
        current.published is not None,
        overrides,
    )


def prepare(
    connection: sa.Connection,
    text: str,
    allowed: Allowed,
    *,
    all_or_nothing: bool,
    is_dry_run: bool,
    reason: str,
) -> PreparedChange:
    """The rows of a file: each line says what its site has under this label, whether it was there before or not. Raises
    InvalidConfiguration with what is wrong, line by line: `lines[7].overrides.priority`; the header is line 1."""
    refuse(list(text_errors("reason", reason)))
    settings, rows = read(text)
    return PreparedChange(
        settings=tuple(settings),
        rows=tuple(rows),
        all_or_nothing=all_or_nothing,
        is_dry_run=is_dry_run,
        reason=reason,
        site_ids=seen_sites(connection, rows, allowed, settings),
    )


def read(text: str) -> tuple[list[RowSettings], list[PreparedRow]]:
    """What the lines of a file say, without a look at what is there. Raises InvalidConfiguration as `prepare` does."""
    errors: list[RowError] = []
    settings: list[RowSettings] = []
    rows: list[PreparedRow] = []
    for number, values in _records(text, errors):
        if len(rows) >= MOST_ROWS:
            raise too_many_rows()
        place = f"lines[{number}]"
        row_settings = _settings(values, place, errors)
        site_id = _site_id(values["site_id"], place, errors)
        rows.append(PreparedRow(place=place, settings=len(settings), site_id=site_id))
        settings.append(row_settings)
    if not rows and not errors:
        errors.append(RowError(field="csv", problem="it has no lines behind its header", remedy="give at least one"))
    refuse(errors[:MOST_ERRORS])
    return settings, rows


def _records(text: str, errors: list[RowError]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Lines by column, behind the header. What cannot be read is added to `errors`."""
    records = csv_lines.decode(text.removeprefix("\ufeff"))  # as spreadsheets begin their files
    try:
        _, header = next(records, (1, []))
        if wrong := list(_header_errors(header)):
            errors += wrong
            return
        for number, cells in records:
            if len(cells) == len(header):
                yield number, dict(zip(header, cells, strict=True))
            else:
                problem = f"it has {len(cells)} values, the header {len(header)}"
                errors.append(RowError(field=f"lines[{number}]", problem=problem, remedy="a value for each column"))
    except ValueError as error:
        where, _, wrong = str(error).partition(": ")
        number = where.removeprefix("line ")
        errors.append(
            RowError(field=f"lines[{number}]", problem=wrong, remedy="values in quotes, quotes in them doubled")
        )


def _header_errors(header: Sequence[str]) -> Iterator[RowError]:
    for name in _NEEDED:
        if name not in header:
            yield RowError(field="lines[1]", problem=f"the column {name} is missing", remedy=", ".join(COLUMNS))
    for name in header:
        if name not in COLUMNS:
            problem = text_problem(name) or f'"{name[:60]}" is no column'
            yield RowError(field="lines[1]", problem=problem, remedy=f"only {', '.join(COLUMNS)}")
    if len(set(header)) < len(header):
        yield RowError(field="lines[1]", problem="a column stands there twice", remedy="each once")


def _settings(values: Mapping[str, str], place: str, errors: list[RowError]) -> RowSettings:
    errors += [
        RowError(field=f"{place}.{name}", problem="it cannot be used", remedy="give it, in plain text")
        for name in ("definition_key", "label")
        if not values[name].strip() or text_problem(values[name]) is not None
    ]
    return RowSettings(
        action="put",
        place=place,
        definition_key=values["definition_key"],
        label=values["label"],
        overrides=_overrides(values.get("overrides", ""), place, errors),
        publish=_truth(values, "is_published", place, errors) or False,
        is_active=_truth(values, "is_active", place, errors),
    )


def _site_id(text: str, place: str, errors: list[RowError]) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= len(str(MAX_ID)) and 1 <= int(text) <= MAX_ID:
        return int(text)
    errors.append(RowError(field=f"{place}.site_id", problem="it is no id", remedy="the number of a site"))
    return None


def _truth(values: Mapping[str, str], name: str, place: str, errors: list[RowError]) -> bool | None:
    """None where nothing is given."""
    text = values.get(name, "").strip().lower()
    if not text:
        return None
    if text not in _TRUE_OR_FALSE:
        errors.append(RowError(field=f"{place}.{name}", problem="it cannot be used", remedy="true, false or nothing"))
    return _TRUE_OR_FALSE.get(text)


def _overrides(text: str, place: str, errors: list[RowError]) -> dict[str, Any]:
    """The overrides as plain JSON; nothing: none."""
    try:
        raw = _DECODER.decode(text) if text.strip() else {}
        return to_plain(read_overrides(raw))
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        errors.append(
            RowError(field=f"{place}.overrides", problem=f"it is no JSON: {error}", remedy="an object, or nothing")
        )
    except ArithmeticError:
        problem = "it holds a number with an exponent that no number has"
        errors.append(RowError(field=f"{place}.overrides", problem=problem, remedy="an amount such as 12.50"))
    except InvalidConfiguration as error:
        errors += [
            RowError(field=f"{place}.overrides.{fault.path}".rstrip("."), problem=fault.wrong, remedy=fault.right)
            for fault in error.faults
        ]
    return {}
