"""Rows that meet an error of our own on their way into a request: each is set aside alone, and the others go.

Without this, one row that nobody foresaw would be claimed again and again, and every other one of its batch with it.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog

from custom_events.ledger import retry
from custom_events.ledger.upload_rows import Actions, Claimed, claimed_of
from custom_events.queries import uploads
from custom_events.values.conversions import RowAnswer, Scope, Verdict
from custom_events.values.reasons import OUR_ERROR, UNREADABLE

log = structlog.get_logger(__name__)


def set_aside(row: Claimed, error: Exception) -> RowAnswer:
    """The answer that holds it until a person has acted, or for a day: a release may have mended it."""
    upload_id = row.conversion.upload_id
    log.error("uploads_row_set_aside", upload_id=upload_id, exc_info=error)
    return RowAnswer(
        upload_id=upload_id,
        verdict=Verdict.FIX,
        scope=Scope.ROW,
        code=OUR_ERROR,
        sentence=_sentence(upload_id, error),
    )


def read(rows: Sequence[Any], actions: Actions) -> tuple[list[Claimed], dict[int, str]]:
    """The rows of a claim, and those that cannot be read: why, by upload id."""
    try:
        return [claimed_of(row, actions) for row in rows], {}
    except Exception:  # noqa: BLE001 (logged below, row by row)
        read, unreadable = list[Claimed](), dict[int, str]()
        for row in rows:
            try:
                read.append(claimed_of(row, actions))
            except Exception as error:
                log.exception("uploads_row_unreadable", upload_id=row[0])
                unreadable[row[0]] = _sentence(row[0], error)
        return read, unreadable


def hold_unreadable(connection: sa.Connection, request_id: int, unreadable: dict[int, str], now: datetime) -> None:
    """Hold them by their ids, which is all that is known of them."""
    values = {
        "request": request_id,
        "ids": list(unreadable),
        "sentences": list(unreadable.values()),
        "reason": OUR_ERROR,
    }
    connection.execute(uploads.HOLD_UNREADABLE, values | {"now": now, "not_before": now + retry.FIX_RECHECK})


def culprits(rows: Sequence[Claimed], attempt: Callable[[Claimed], object]) -> list[tuple[Claimed, Exception]]:
    """The rows with which `attempt` raises, each tried alone."""
    failures: list[tuple[Claimed, Exception]] = []
    for row in rows:
        try:
            attempt(row)
        except Exception as error:  # noqa: BLE001 (the caller knows what it means)
            failures.append((row, error))
    return failures


def _sentence(upload_id: int, error: Exception) -> str:
    return UNREADABLE.format(error=type(error).__name__, upload_id=upload_id)
