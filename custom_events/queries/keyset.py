"""Pages of lists by keyset: each begins after the last row of the one before, at the same cost however far one has come."""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from custom_events.values.time_order import TimeOrder

After = Sequence[Any]  # the values by which the last row of a page is ordered


class Order(msgspec.Struct, frozen=True):
    """By which columns a list is ordered, the last of which tells rows apart, all of them in one direction. None of them is null."""

    columns: tuple[sa.ColumnElement[Any], ...]
    descending: bool = False


def by_number(number: sa.ColumnElement[int], order: TimeOrder) -> Order:
    """The order of a list of what happened, whose numbers (`number`) follow time."""
    return Order((number,), descending=order is TimeOrder.NEWEST)


def page(
    statement: sa.Select[*tuple[Any, ...]], order: Order, after: After | None, limit: int | None
) -> sa.Select[*tuple[Any, ...]]:
    """The statement for one page: rows after `after` (None: from the first), `limit` of them at most (None: all)."""
    if after is not None:
        here = sa.tuple_(*order.columns)
        there = sa.tuple_(*(sa.literal(value, column.type) for value, column in zip(after, order.columns, strict=True)))
        statement = statement.where(here < there if order.descending else here > there)
    return statement.order_by(*(column.desc() if order.descending else column for column in order.columns)).limit(limit)
