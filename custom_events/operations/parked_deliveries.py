"""Parked deliveries understood once more as a long operation: put back into the queue, so many at a time, until none is left.

Only what was parked before the operation was asked for: what is parked again meanwhile, since it still cannot be understood, is not taken a
second time. Taken up again after its worker died it goes on with what is left.
"""

from typing import Final

import msgspec

from custom_events.catalog import raw_events
from custom_events.operations.operation import JSON, State
from custom_events.operations.work import Ending, Work

REPLAY_PARKED: Final = "replay_parked"
UNIT: Final = "deliveries"


class ReplayParkedRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which of them: of a site, of a reason; None: of all."""

    site_id: int | None = None
    reason: str | None = None


class ReplayedDeliveries(msgspec.Struct, frozen=True, kw_only=True):
    """How many parked deliveries were put back into the queue, from which the pipeline takes them."""

    rows: int


def run_replay_parked(work: Work) -> Ending:
    """Put them back. One that is cancelled has put back what its result says; the others stay parked."""
    asked = msgspec.convert(work.operation.request, ReplayParkedRequest)
    done = work.operation.done
    while not work.stops():
        with work.engine.begin() as connection:
            rows = raw_events.requeue_parked(
                connection,
                actor=work.operation.asked_by,
                site_id=asked.site_id,
                reason=asked.reason,
                before=work.operation.created_at,
            )
            work.hold(connection)
        done += rows
        work.progress(done, max(work.total or 0, done), UNIT)
        if not rows:
            break
    if work.stops() and not work.is_cancelled:
        work.check()
    state = State.CANCELLED if work.stops() else State.SUCCEEDED
    work.progress(done, done if state is State.SUCCEEDED else work.total, UNIT)
    return Ending(state=state, result_type=JSON, parts=(msgspec.json.encode(ReplayedDeliveries(rows=done)),))
