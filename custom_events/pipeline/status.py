"""Where everything stands, in one answer: for `custom-events status` and the API."""

import msgspec
import sqlalchemy as sa

from custom_events.pipeline.sums import Sums, sums
from custom_events.queries import figures

SOON_S = 60.0  # what is held longer than this does not count as open work: it waits for its time


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Counts over all that is kept. `open_work` is what moves by itself within a minute; `reasons` is `state: reason`;
    `without_click_id` went with hashes alone, by state; `reconciled` is our ledger beside Google's counts of four weeks."""

    agree: bool
    sums: Sums
    open_work: dict[str, int]
    commerce_events: dict[str, int]
    custom_events: dict[str, int]
    uploads: dict[str, int]
    adjustments: dict[str, int]
    reasons: dict[str, int]
    without_click_id: dict[str, int] = {}
    reconciled: dict[str, int] = {}
    alarms: dict[str, int] = {}


def status(connection: sa.Connection) -> Status:
    """Count everything. Reads whole tables: for people and monitors, not for loops."""
    found = sums(connection)
    return Status(
        agree=found.agree,
        sums=found,
        open_work=dict(figures.open_work(connection, SOON_S)),
        commerce_events=figures.counted(connection, figures.EVENTS_BY_TYPE),
        custom_events=figures.counted(connection, figures.CUSTOM_EVENTS_BY_DEFINITION),
        uploads=figures.counted(connection, figures.UPLOADS_BY_STATE),
        adjustments=figures.counted(connection, figures.ADJUSTMENTS_BY_STATE),
        reasons=figures.counted(connection, figures.REASONS),
        without_click_id=figures.counted(connection, figures.WITHOUT_CLICK_ID),
        reconciled=figures.counted(connection, figures.RECONCILED),
        alarms=figures.counted(connection, figures.OPEN_ALARMS),
    )
