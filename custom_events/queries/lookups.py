"""Lookups: one thing by one statement that only reads, run by the driver alone.

They run at every request, and what SQLAlchemy adds to a statement (it looks at a result's columns anew) costs three times what psycopg needs
for all of it: 34 us of a core in place of 160 us for an API key.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import msgspec
import psycopg
import sqlalchemy as sa
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row
from sqlalchemy.dialects.postgresql import psycopg as dialect
from sqlalchemy.exc import DBAPIError

Thing = TypeVar("Thing")
_Other = TypeVar("_Other")

Values = Mapping[str, Any]
AsyncConnection = psycopg.AsyncConnection[DictRow]


class Lookup(msgspec.Struct, Generic[Thing], frozen=True):
    """How one thing is found. `statement`: of psycopg, with parameters as %(name)s; `constants`: those that are always the same; `of_row`
    makes the thing of a row, whose values may be those that JSON has (moments as texts; no bytes)."""

    statement: str
    constants: Values
    of_row: Callable[[dict[str, Any]], Thing]

    def read(self, connection: sa.Connection, values: Values) -> Thing | None:
        """The thing; None: it is not there. Raises SQLAlchemyError, as SQLAlchemy's own execution does."""
        driver: psycopg.Connection[Any] | None = connection.connection.driver_connection
        assert driver is not None  # noqa: S101  (of an open connection there is one)
        parameters = {**self.constants, **values}
        row: dict[str, Any] | None
        try:
            row = driver.cursor(row_factory=dict_row).execute(self.statement.encode(), parameters).fetchone()
        except psycopg.Error as error:
            if driver.info.transaction_status is TransactionStatus.INERROR:  # whatever comes next would say only that
                raise DBAPIError.instance(
                    self.statement, parameters, error, psycopg.Error, hide_parameters=True
                ) from error
            # Once more by SQLAlchemy, which knows what follows from each error.
            again = connection.exec_driver_sql(self.statement, parameters).mappings().one_or_none()
            row = None if again is None else dict(again)
        return None if row is None else self.of_row(row)


async def read_both(
    connection: AsyncConnection, first_asked: tuple[Lookup[Thing], Values], other: tuple[Lookup[_Other], Values]
) -> tuple[Thing | None, _Other | None]:
    """Two things by one statement, on a connection of an event loop. Their parameters have different names. Raises psycopg.Error."""
    (first, first_values), (second, second_values) = first_asked, other
    parameters = {**first.constants, **first_values, **second.constants, **second_values}
    cursor = await connection.execute(_both(first.statement, second.statement), parameters)
    rows = await cursor.fetchone()
    assert rows is not None  # noqa: S101  (it has no FROM)
    return (
        None if rows["one"] is None else first.of_row(rows["one"]),
        None if rows["other"] is None else second.of_row(rows["other"]),
    )


@functools.cache
def _both(first: str, other: str) -> bytes:
    rows = f"(SELECT row_to_json(row) FROM ({first}) row) AS one, (SELECT row_to_json(row) FROM ({other}) row) AS other"
    return f"SELECT {rows}".encode()


def of_text(statement: str, of_row: Callable[[dict[str, Any]], Thing]) -> Lookup[Thing]:
    """A lookup by SQL with parameters as %(name)s."""
    return Lookup(statement, {}, of_row)


def of_select(statement: sa.Select[*tuple[Any, ...]], of_row: Callable[[dict[str, Any]], Thing]) -> Lookup[Thing]:
    """A lookup by a statement whose parameters are `sa.bindparam(name)`."""
    compiled = statement.compile(dialect=dialect.dialect())
    constants = {name: value for name, value in compiled.params.items() if value is not None}
    return Lookup(str(compiled), constants, of_row)
