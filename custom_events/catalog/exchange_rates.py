"""Exchange rates by day, from a CSV file into the table that reports read.

The file: a header with the columns day, currency, reporting_currency, rate and source, then one line for each day and pair of
currencies. `rate` is units of the reporting currency for one unit of the other, with a point: 1 USD is 0.92 EUR is
`2026-11-02,USD,EUR,0.92,ECB`.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec
import sqlalchemy as sa

from custom_events.catalog import audit
from custom_events.errors import Fault, InvalidConfiguration
from custom_events.queries import exchange_rates as queries
from custom_events.queries.exchange_rates import StoredRate
from custom_events.values import csv_lines
from custom_events.values.texts import text_problem

COLUMNS: Final = ("day", "currency", "reporting_currency", "rate", "source")
MOST_ROWS: Final = 200_000  # 150 currencies for three and a half years; a file of 6 MB
MOST_FAULTS: Final = 100  # told at once: whoever mends a file begins at its top
MOST_SOURCE: Final = 100  # characters
MOST_DECIMALS: Final = 10  # as the table keeps them
RATE_BELOW: Final = Decimal(10) ** 10
_CURRENCY: Final = re.compile(r"[A-Z]{3}\Z")
_NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]+)?\Z")


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What loading a file did: rates that are new, that changed, and that were there as they are."""

    new: int
    changed: int
    unchanged: int


def read(text: str) -> list[StoredRate]:
    """The rates of a file. Raises InvalidConfiguration with all that is wrong, by line and column: `lines[7].rate`; the header is line 1."""
    faults: list[Fault] = []
    rates: dict[tuple[date, str, str], tuple[int, StoredRate]] = {}
    try:
        lines = list(csv_lines.decode(text))
    except ValueError as error:
        raise _refused([Fault("lines", str(error), "a CSV file as RFC 4180 describes it")]) from None
    header = lines[0][1] if lines else []
    if sorted(header) != sorted(COLUMNS):
        raise _refused([Fault("lines[1]", f"the columns are {', '.join(header) or 'none'}", ", ".join(COLUMNS))])
    if len(lines) - 1 > MOST_ROWS:
        raise _refused([Fault("lines", f"{len(lines) - 1} rates", f"at most {MOST_ROWS} in one file")])
    for number, cells in lines[1:]:
        place = f"lines[{number}]"
        if len(cells) != len(header):
            faults.append(Fault(place, f"{len(cells)} values", f"{len(header)}, as the header has"))
            continue
        rate = _rate(dict(zip(header, cells, strict=True)), place, faults)
        if rate is None:
            continue
        key = (rate.day, rate.currency, rate.reporting_currency)
        if key in rates:
            faults.append(Fault(place, f"the same day and currencies as line {rates[key][0]}", "each once"))
        rates[key] = (number, rate)
    if faults:
        raise _refused(faults)
    return [rate for _, rate in rates.values()]


def load(connection: sa.Connection, rates: Sequence[StoredRate], *, actor: str) -> Loaded:
    """Write rates and note it. What is there for the same day and currencies is replaced."""
    new, changed = queries.put(connection, rates)
    loaded = Loaded(new=new, changed=changed, unchanged=len(rates) - new - changed)
    audit.record(
        connection,
        actor=actor,
        action="exchange_rates.load",
        subject="exchange_rates",
        detail={"new": new, "changed": changed, "unchanged": loaded.unchanged},
    )
    return loaded


def _rate(values: dict[str, str], place: str, faults: list[Fault]) -> StoredRate | None:
    """The rate of a line; None where something is wrong with it."""
    wrong = list(_faults(values, place))
    faults += wrong
    if wrong:
        return None
    return StoredRate(
        day=date.fromisoformat(values["day"]),
        currency=values["currency"],
        reporting_currency=values["reporting_currency"],
        rate=Decimal(values["rate"]),
        source=values["source"].strip(),
    )


def _faults(values: dict[str, str], place: str) -> Iterator[Fault]:
    if not _is_day(values["day"]):
        yield Fault(f"{place}.day", f"{_shown(values['day'])} is no day", "a day as 2026-11-02")
    for column in ("currency", "reporting_currency"):
        if not _CURRENCY.match(values[column]):
            yield Fault(
                f"{place}.{column}",
                f"{_shown(values[column])} is not an ISO 4217 code",
                "three capitals, EUR for example",
            )
    if values["currency"] == values["reporting_currency"]:
        yield Fault(
            f"{place}.currency", "both currencies are the same", "two currencies; one needs no rate into itself"
        )
    if not _is_rate(values["rate"]):
        yield Fault(
            f"{place}.rate",
            f"{_shown(values['rate'])} is no rate",
            f"a number above 0 with a point and at most {MOST_DECIMALS} decimals, 0.92 for example",
        )
    source = values["source"].strip()
    if not source or len(source) > MOST_SOURCE or text_problem(source) is not None:
        yield Fault(
            f"{place}.source", f"{_shown(source)} cannot be used", f"whose rate it is, at most {MOST_SOURCE} characters"
        )


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_rate(text: str) -> bool:
    if not text.isascii() or not _NUMBER.match(text):
        return False
    try:
        return 0 < Decimal(text) < RATE_BELOW and len(text.partition(".")[2]) <= MOST_DECIMALS
    except InvalidOperation:  # pragma: no cover  (the pattern takes numbers only)
        return False


def _shown(text: str) -> str:
    return f'"{text[:60]}"'


def _refused(faults: Sequence[Fault]) -> InvalidConfiguration:
    """Nothing is loaded of a file in which anything is wrong."""
    first = faults[:MOST_FAULTS]
    lines = [f"{fault.path}: {fault.wrong}; right would be {fault.right}" for fault in first]
    if len(faults) > len(first):
        lines.append(f"and {len(faults) - len(first)} more")
    return InvalidConfiguration("Nothing was loaded.\n" + "\n".join(lines), faults=tuple(first))
