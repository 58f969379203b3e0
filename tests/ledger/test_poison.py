"""A row that meets an error of our own is set aside alone: the others of its batch go."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.destinations.google_ads.lane import GoogleAdsLane
from custom_events.destinations.google_data_manager.lane import DataManagerLane
from custom_events.errors import NeedsAction
from custom_events.ledger import send
from custom_events.ledger.upload_figures import UploadFigures
from custom_events.values.conversions import AdsAccount, Conversion, Lane, RequestKind
from tests.ledger.conftest import Ledger


class Spoiled:
    """A lane that raises `error` for the transaction ids `bad`, where it is asked to `spoil` ("prepare" or "validate")."""

    def __init__(self, real: DataManagerLane | GoogleAdsLane, spoil: str, bad: set[str], error: Any) -> None:
        self._real, self._spoil, self._bad, self._error = real, spoil, bad, error

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return getattr(self._real, name)

    def validate(self, row: Conversion, now: datetime) -> Any:
        self._look("validate", [row])
        return self._real.validate(row, now)

    def prepare(self, account: AdsAccount, rows: list[Conversion], **options: RequestKind | int) -> Any:
        self._look("prepare", rows)
        return self._real.prepare(account, rows, **options)

    def _look(self, where: str, rows: list[Conversion]) -> None:
        if where == self._spoil and any(row.transaction_id in self._bad for row in rows):
            raise self._error


def drained(ledger: Ledger, lanes: dict[Lane, Any]) -> UploadFigures:
    return send.drain(ledger.engine, ledger.settings, until_idle_s=0, limit_s=30, lanes=lanes, clock=ledger.clock)


def standing(ledger: Ledger) -> list[Any]:
    return ledger.rows(
        "SELECT state, reason, attempts, count(*) FROM app.conversion_uploads GROUP BY 1, 2, 3 ORDER BY 1"
    )


@pytest.mark.parametrize("where", ["validate", "prepare"])
@pytest.mark.parametrize("lane", list(Lane))
def test_one_of_a_batch(ledger: Ledger, lanes: dict[Lane, Any], lane: Lane, where: str) -> None:
    first, *_ = ledger.orders(4, lane)
    bad = ledger.upload(first).transaction_id
    lanes = {**lanes, lane: Spoiled(lanes[lane], where, {bad}, ValueError("a defect"))}
    figures = drained(ledger, lanes)
    assert (figures.requests, figures.rows) == (1, 3)
    went = "accepted" if lane is Lane.GOOGLE_ADS else "sent"
    assert sorted(standing(ledger)) == sorted([("held", "our_error", 0, 1), (went, None, 1, 3)])
    assert ledger.rows("SELECT rows FROM app.upload_requests") == [(3,)]
    (sentence,) = ledger.rows(f"SELECT sentence FROM app.conversion_uploads WHERE id = {first}")[0]
    assert sentence.startswith("An error of our own keeps it back (ValueError): report it with what the log has")


def test_mended_it_goes_a_day_later(ledger: Ledger, lanes: dict[Lane, Any], at_google: Callable[..., Any]) -> None:
    (only,) = ledger.orders(1)
    bad = ledger.upload(only).transaction_id
    drained(ledger, {**lanes, Lane.GOOGLE_ADS: Spoiled(lanes[Lane.GOOGLE_ADS], "prepare", {bad}, ValueError())})
    assert standing(ledger) == [("held", "our_error", 0, 1)]
    assert ledger.rows("SELECT count(*) FROM app.upload_requests") == [(0,)]
    ledger.clock.forward(hours=24)
    drained(ledger, lanes)
    assert len(at_google()) == 1


@pytest.mark.parametrize(
    "error", [RuntimeError("everything is broken"), NeedsAction("no key"), ImportError("no client")]
)
def test_where_no_row_is_to_blame_none_is_set_aside(ledger: Ledger, lanes: dict[Lane, Any], error: Any) -> None:
    uploads = ledger.orders(3)
    every = {ledger.upload(one).transaction_id for one in uploads}
    spoiled = Spoiled(lanes[Lane.GOOGLE_ADS], "prepare", every, error)
    spoiled.send = lanes[Lane.GOOGLE_ADS].send  # the call makes its message itself
    drained(ledger, {**lanes, Lane.GOOGLE_ADS: spoiled})
    assert standing(ledger) == [("accepted", None, 1, 3)]


def test_rows_that_cannot_be_read(ledger: Ledger, lanes: dict[Lane, Any]) -> None:
    first, second, _ = ledger.orders(3)
    with ledger.engine.begin() as connection:
        spoil = sa.text("UPDATE app.conversion_uploads SET cart = '{\"items\": 1}' WHERE id = ANY(:ids)")
        connection.execute(spoil, {"ids": [first, second]})
        connection.execute(
            sa.text("UPDATE app.conversion_uploads SET state = 'claimed' WHERE id = :id"), {"id": second}
        )
        connection.execute(
            sa.text("UPDATE app.conversion_uploads SET state = 'unknown', reason = 'no_answer' WHERE id = :id"),
            {"id": second},
        )
    drained(ledger, lanes)
    assert standing(ledger) == [("accepted", None, 1, 1), ("held", "our_error", 0, 1), ("unknown", "no_answer", 0, 1)]
    assert ledger.rows("SELECT rows, shared_rows FROM app.upload_requests") == [(1, 1)]
