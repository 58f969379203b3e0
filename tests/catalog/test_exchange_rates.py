"""Exchange rates from files: what is taken, what is told of what is not, and that nothing is loaded by halves."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa

from custom_events.catalog import exchange_rates
from custom_events.catalog.exchange_rates import Loaded
from custom_events.errors import InvalidConfiguration
from custom_events.queries import exchange_rates as queries
from custom_events.queries.exchange_rates import StoredRate

HEADER = "day,currency,reporting_currency,rate,source"
DOLLAR = StoredRate(date(2026, 11, 2), "USD", "EUR", Decimal("0.92"), "ECB")


def file_of(*lines: str) -> str:
    return "\n".join([HEADER, *lines])


def test_a_file_as_its_page_shows_it() -> None:
    text = "currency,day,rate,source,reporting_currency\r\nUSD,2026-11-02,0.92, ECB ,EUR\r\n\r\nIDR,2026-11-02,0.0000500001,ECB,EUR\r\n"
    assert exchange_rates.read(text) == [
        DOLLAR,
        StoredRate(date(2026, 11, 2), "IDR", "EUR", Decimal("0.0000500001"), "ECB"),
    ]
    assert exchange_rates.read(HEADER) == []


@pytest.mark.parametrize(
    ("lines", "path", "wrong"),
    [
        (["2026-11-2,USD,EUR,0.92,ECB"], "lines[2].day", '"2026-11-2" is no day'),
        (["20261102,USD,EUR,0.92,ECB"], "lines[2].day", '"20261102" is no day'),
        (["2026-11-02,usd,EUR,0.92,ECB"], "lines[2].currency", '"usd" is not an ISO 4217 code'),
        (["2026-11-02,USD,EURO,0.92,ECB"], "lines[2].reporting_currency", '"EURO" is not an ISO 4217 code'),
        (["2026-11-02,EUR,EUR,1,ECB"], "lines[2].currency", "both currencies are the same"),
        (['2026-11-02,USD,EUR,"0,92",ECB'], "lines[2].rate", '"0,92" is no rate'),
        (["2026-11-02,USD,EUR,0,ECB"], "lines[2].rate", '"0" is no rate'),
        (["2026-11-02,USD,EUR,-1,ECB"], "lines[2].rate", '"-1" is no rate'),
        (["2026-11-02,USD,EUR,1e5,ECB"], "lines[2].rate", '"1e5" is no rate'),
        (["2026-11-02,USD,EUR,٣,ECB"], "lines[2].rate", '"٣" is no rate'),
        (["2026-11-02,USD,EUR,0.12345678901,ECB"], "lines[2].rate", '"0.12345678901" is no rate'),
        (["2026-11-02,USD,EUR,10000000000,ECB"], "lines[2].rate", '"10000000000" is no rate'),
        (["2026-11-02,USD,EUR,0.92, "], "lines[2].source", '"" cannot be used'),
        (["2026-11-02,USD,EUR,0.92"], "lines[2]", "4 values"),
        (["2026-11-02,USD,EUR,1,A", "", "2026-11-02,USD,EUR,2,B"], "lines[4]", "the same day and currencies as line 2"),
        (['"2026'], "lines", "line 2: unexpected end of data"),
    ],
)
def test_what_cannot_be_used_is_named_by_line_and_column(lines: Sequence[str], path: str, wrong: str) -> None:
    with pytest.raises(InvalidConfiguration) as raised:
        exchange_rates.read(file_of(*lines))
    assert [(fault.path, fault.wrong) for fault in raised.value.faults] == [(path, wrong)]
    assert f"{path}: {wrong}; right would be {raised.value.faults[0].right}" in str(raised.value)


def test_the_header_says_what_the_columns_are() -> None:
    for text in ("", "day,currency\n", HEADER + ",note\n"):
        with pytest.raises(InvalidConfiguration, match=r"lines\[1\]: the columns are .*; right would be day, currency"):
            exchange_rates.read(text)


def test_a_file_is_not_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange_rates, "MOST_ROWS", 1)
    monkeypatch.setattr(exchange_rates, "MOST_FAULTS", 1)
    with pytest.raises(InvalidConfiguration, match="lines: 2 rates; right would be at most 1 in one file"):
        exchange_rates.read(file_of("x", "y"))
    monkeypatch.setattr(exchange_rates, "MOST_ROWS", 2)
    with pytest.raises(InvalidConfiguration, match="and 1 more"):
        exchange_rates.read(file_of("x", "y"))


def test_loading_again_replaces_and_says_what_changed(engine: sa.Engine) -> None:
    yen = DOLLAR._replace(currency="JPY", rate=Decimal("0.006"))
    with engine.begin() as connection:
        assert exchange_rates.load(connection, [DOLLAR], actor="ana") == Loaded(new=1, changed=0, unchanged=0)
        more = [DOLLAR._replace(rate=Decimal("0.93")), DOLLAR._replace(day=date(2026, 11, 4)), yen]
        assert exchange_rates.load(connection, more, actor="ana") == Loaded(new=2, changed=1, unchanged=0)
        assert exchange_rates.load(connection, more, actor="ana") == Loaded(new=0, changed=0, unchanged=3)
        pairs = [(span.currency, span.reporting_currency, span.days) for span in queries.spans(connection)]
        assert pairs == [("JPY", "EUR", 1), ("USD", "EUR", 2)]
        entries = connection.execute(sa.text("SELECT actor, action, detail FROM app.audit_entries ORDER BY id")).all()
    assert [tuple(entry) for entry in entries][1] == (
        "ana",
        "exchange_rates.load",
        {"new": 2, "changed": 1, "unchanged": 0},
    )
