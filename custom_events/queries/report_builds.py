"""What dbt notes of its builds of kept tables (dbt/macros/kept)."""

from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

import sqlalchemy as sa


class StoredMark(NamedTuple):
    """The last build of a table: when, whether all of it was computed, rows that came and went, and how long it took in seconds."""

    model: str
    built_at: datetime
    was_whole: bool
    rows_new: int
    rows_gone: int
    seconds: Decimal


# Whether anything was ever built.
_IS_THERE: Final = sa.text("SELECT to_regclass('reporting.kept_marks') IS NOT NULL")

# The last build of each table.
_MARKS: Final = sa.text("""
SELECT model, built_at, was_whole, rows_new, rows_gone, seconds FROM reporting.kept_marks ORDER BY model
""")


def marks_of(connection: sa.Connection) -> dict[str, StoredMark]:
    """The last build of each table by its name; none before the first."""
    if not connection.execute(_IS_THERE).scalar_one():
        return {}
    return {row.model: StoredMark(*row) for row in connection.execute(_MARKS)}
