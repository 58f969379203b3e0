"""Statements that every request runs, by the driver alone: what SQLAlchemy adds to one costs three times what the statement does.

Measured with the statement of an API key: 34 us of a core by psycopg, 160 us by SQLAlchemy, which looks at each result's columns anew.
"""

from collections.abc import Mapping
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.rows import dict_row


def row_by_driver(connection: sa.Connection, statement: str, values: Mapping[str, Any]) -> dict[str, Any] | None:
    """The one row of a statement that only reads, by column; None: there is none. Parameters stand as %(name)s.

    Raises SQLAlchemyError, as SQLAlchemy's own execution does.
    """
    driver: psycopg.Connection[Any] | None = connection.connection.driver_connection
    assert driver is not None  # noqa: S101  (of an open connection there is one)
    try:
        return driver.cursor(row_factory=dict_row).execute(statement, values).fetchone()
    except psycopg.Error:  # once more by SQLAlchemy, which knows what has to follow from each error
        row = connection.exec_driver_sql(statement, dict(values)).mappings().one_or_none()
        return None if row is None else dict(row)
