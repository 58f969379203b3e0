"""SQL of reports' rows, made of the names of `values/marts.py` alone; what people give is bound. Amounts are exact, ids are text."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from custom_events.queries.reports import BUILT_ROW, SCHEMA
from custom_events.values.marts import ROW_COUNT, Kind, Mart, MartColumn

_SITE: Final = "site_id"
_PRECISION: Final = 38  # digits of an amount, as files take them
_RATIO: Final = sa.Numeric(20, 6)

# When the marts were built last; null: never to the end.
BUILT_AT: Final = sa.text(f"SELECT ended_at FROM app.scheduled_jobs WHERE name = '{BUILT_ROW}'")
# The zones of these sites (null: of all), by whose days marts are cut.
SITE_ZONES: Final = sa.text("""
SELECT DISTINCT time_zone FROM app.sites WHERE CAST(:sites AS bigint[]) IS NULL OR id = ANY(CAST(:sites AS bigint[])) ORDER BY time_zone
""")


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """A filter: `operator` is a word of `OPERATORS`, `values` are of the column's type, any of which it may be."""

    column: str
    operator: str
    values: tuple[str | int | Decimal | date | datetime, ...]


_Operator = Callable[[sa.ColumnElement[Any], Sequence[Any]], sa.ColumnElement[bool]]
OPERATORS: Final[Mapping[str, _Operator]] = {
    "is": lambda column, values: column.in_(values),
    "is_not": lambda column, values: sa.or_(column.is_(None), column.not_in(values)),
    "contains": lambda column, values: sa.or_(*(column.icontains(str(value), autoescape=True) for value in values)),
    "at_least": lambda column, values: column >= values[0],
    "at_most": lambda column, values: column <= values[0],
}


def lock(connection: sa.Connection, mart: Mart) -> None:
    """Hold the mart's table as it is until the end of the transaction; the first statement of one, so that its snapshot comes after the
    lock. A build that waits for it follows; without it a snapshot from before a rebuild would read no rows, and no error would say so."""
    connection.execute(sa.text(f"LOCK TABLE {SCHEMA}.{mart.name} IN ACCESS SHARE MODE"))


def select(
    mart: Mart,
    columns: Sequence[str],
    *,
    is_summed: bool,
    scale: int,
    conditions: Iterable[Condition],
    order: Sequence[tuple[str, bool]],
    since: date | datetime | None,
    until: date | datetime | None,
    site_ids: Sequence[int] | None,
) -> sa.Select[Any]:
    """The rows of a report. `since` to `until`, both included for days, `until` excluded for moments; `order`: columns, and whether the
    greatest comes first; `scale`: digits of amounts after the point; `site_ids` None: of all sites. Raises KeyError for a name that the mart's list does not have."""
    m = _columns(mart)
    chosen = [mart.columns[name] for name in columns]
    values = {name: _value(column, m, is_summed=is_summed, scale=scale) for name, column in mart.columns.items()}
    statement = sa.select(*(values[column.name].label(column.name) for column in chosen))
    for condition in conditions:
        compared = _filtered(mart.columns[condition.column], m)
        statement = statement.where(OPERATORS[condition.operator](compared, condition.values))
    if mart.period and since is not None and until is not None:
        at = m[mart.period]
        ends = at <= until if mart.columns[mart.period].kind is Kind.DAY else at < until
        statement = statement.where(at >= since, ends)
    if site_ids is not None:
        statement = statement.where(m[_SITE] == sa.any_(sa.literal(list(site_ids), pg.ARRAY(sa.BigInteger))))
    keys = [column.name for column in chosen if _is_key(column)]
    if is_summed:
        statement = statement.group_by(*(m[name] for name in keys))
    ordered = [*order, *((name, False) for name in keys if name not in {name for name, _ in order})]
    return statement.order_by(
        *(_sorted(m[name] if name in keys else values[name], descending=descending) for name, descending in ordered)
    )


def _columns(mart: Mart) -> Mapping[str, sa.ColumnElement[Any]]:
    """The mart's own columns, by name, each with the table's name: what it is sorted by is the column, not the text that is made of it."""
    own = [
        sa.column(name) for name, column in mart.columns.items() if column.kind is not Kind.RATIO and name != ROW_COUNT
    ]
    table = sa.table(mart.name, *own, schema=SCHEMA).alias("m")
    return {name: table.c[name] for name in table.c.keys()}  # noqa: SIM118  (a collection of columns gives columns)


def _is_key(column: MartColumn) -> bool:
    """Whether rows that differ in it stay apart when they are added up."""
    return not column.kind.is_summed and column.kind is not Kind.RATIO


def _value(
    column: MartColumn, m: Mapping[str, sa.ColumnElement[Any]], *, is_summed: bool, scale: int
) -> sa.ColumnElement[Any]:
    match column.kind:
        case Kind.TEXT | Kind.ID:
            return sa.cast(m[column.name], sa.Text)
        case Kind.COUNT | Kind.AMOUNT:
            kind = sa.BigInteger() if column.kind is Kind.COUNT else sa.Numeric(_PRECISION, scale)
            return sa.cast(_measure(column.name, m, is_summed=is_summed), kind)
        case Kind.RATIO:
            total: sa.ColumnElement[Any] = sa.literal_column("0")
            for part in column.parts:
                total = total + _measure(part, m, is_summed=is_summed)
            of = sa.func.nullif(_measure(column.of, m, is_summed=is_summed), 0)
            return sa.cast(sa.cast(total, sa.Numeric) / sa.cast(of, sa.Numeric), _RATIO)
        case Kind.DAY | Kind.TIME:
            return m[column.name]


def _measure(name: str, m: Mapping[str, sa.ColumnElement[Any]], *, is_summed: bool) -> sa.ColumnElement[Any]:
    if name == ROW_COUNT:
        return sa.func.count()
    return sa.func.sum(m[name]) if is_summed else m[name]


def _filtered(column: MartColumn, m: Mapping[str, sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
    """What a filter compares: rows before they are added up."""
    return sa.cast(m[column.name], sa.Text) if column.kind in (Kind.TEXT, Kind.ID) else m[column.name]


def _sorted(value: sa.ColumnElement[Any], *, descending: bool) -> sa.ColumnElement[Any]:
    return value.desc().nulls_last() if descending else value.asc().nulls_last()
