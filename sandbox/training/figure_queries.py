"""Answers that are queries: run as one statement that may only read, for the one number that they give."""

from decimal import Decimal
from typing import Any, Final

import psycopg

from custom_events.errors import InvalidConfiguration
from sandbox.training.exercises import Lesson

LIMIT_S: Final = 60  # of a query: the marts answer in milliseconds
MARTS: Final = "reporting."


def figure_of(lesson: Lesson, statement: str) -> Decimal:
    """The number that a query of the marts gives. Raises InvalidConfiguration where it is none, or gives something else."""
    if MARTS not in statement.lower():
        raise InvalidConfiguration("it reads no mart: type a query of tables in the schema reporting", path="ANSWER")
    rows = _rows(lesson, statement)
    if len(rows) != 1 or len(rows[0]) != 1:
        raise InvalidConfiguration("it does not give one number: SELECT one column, of one row", path="ANSWER")
    value = rows[0][0]
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise InvalidConfiguration("what it gives is no number: SELECT a sum, a count or a share", path="ANSWER")
    return Decimal(str(value))


def _rows(lesson: Lesson, statement: str) -> list[tuple[Any, ...]]:
    with lesson.engine.connect() as connection:
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{LIMIT_S}s'")
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        driver: Any = connection.connection.driver_connection
        try:
            cursor = driver.execute(statement, prepare=True)  # prepared: one statement, never a second one behind it
            return [] if cursor.description is None else cursor.fetchmany(2)
        except psycopg.Error as error:
            sentence = error.diag.message_primary or str(error)
            raise InvalidConfiguration(f"the database refuses it: {sentence}", path="ANSWER") from None
