"""Exchange rates of days: loaded from files, and what is there of them."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final, NamedTuple

import sqlalchemy as sa


class StoredRate(NamedTuple):
    """Units of `reporting_currency` for one unit of `currency` on a day, and whose rate that is."""

    day: date
    currency: str
    reporting_currency: str
    rate: Decimal
    source: str


class StoredSpan(NamedTuple):
    """The days of which a pair of currencies has rates."""

    currency: str
    reporting_currency: str
    first_day: date
    last_day: date
    days: int
    loaded_at: datetime


# Rates of days; one that is there as it is stays untouched. How many were new, and how many changed.
_PUT: Final = sa.text("""
WITH put AS (
  INSERT INTO app.exchange_rates AS r (day, currency, reporting_currency, rate, source)
  SELECT * FROM unnest(CAST(:days AS date[]), CAST(:currencies AS text[]), CAST(:reporting AS text[]), CAST(:rates AS numeric[]),
    CAST(:sources AS text[]))
  ON CONFLICT (currency, reporting_currency, day) DO UPDATE SET rate = excluded.rate, source = excluded.source, loaded_at = now()
  WHERE (r.rate, r.source) IS DISTINCT FROM (excluded.rate, excluded.source)
  RETURNING xmax = 0 AS is_new)
SELECT count(*) FILTER (WHERE is_new) AS new, count(*) FILTER (WHERE NOT is_new) AS changed FROM put
""")

# The pairs of currencies and their days.
_SPANS: Final = sa.text("""
SELECT currency, reporting_currency, min(day), max(day), count(*), max(loaded_at) FROM app.exchange_rates GROUP BY 1, 2 ORDER BY 1, 2
""")


def put(connection: sa.Connection, rates: Sequence[StoredRate]) -> tuple[int, int]:
    """Write rates, no pair and day twice among them; how many were new, and how many changed."""
    row = connection.execute(
        _PUT,
        {
            "days": [rate.day for rate in rates],
            "currencies": [rate.currency for rate in rates],
            "reporting": [rate.reporting_currency for rate in rates],
            "rates": [rate.rate for rate in rates],
            "sources": [rate.source for rate in rates],
        },
    ).one()
    return row.new, row.changed


def spans(connection: sa.Connection) -> list[StoredSpan]:
    """Of which days each pair has rates."""
    return [StoredSpan(*row) for row in connection.execute(_SPANS)]
