"""Backtests and replays as long operations."""

import math
from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec

from custom_events.backtest.backtest import backtest_sync
from custom_events.backtest.replay import Order, replay_sync
from custom_events.backtest.result import Progress, to_json
from custom_events.history.drafts import Draft
from custom_events.operations.operation import JSON, State
from custom_events.operations.work import Ending, Work
from custom_events.values.definitions import DefinitionConfig, Overrides

BACKTEST, REPLAY = "backtest", "replay"
UNIT: Final = "days"  # of the sites' periods, together
_DAY_S: Final = 86_400


class BacktestRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As `backtest` takes it. `site_ids` None: all that the draft is about."""

    since: datetime
    until: datetime
    samples: int
    site_ids: tuple[int, ...] | None = None
    definition: str | None = None
    definition_number: int | None = None
    config: DefinitionConfig | None = None
    assignment: int | None = None
    assignment_number: int | None = None
    overrides: Overrides | None = None
    stopped: bool = False


class ReplayRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As `replay_sync` takes it. `reason` None: a dry run."""

    since: datetime
    until: datetime
    samples: int
    actor: str
    site_ids: tuple[int, ...] | None = None
    definition: str | None = None
    assignment: int | None = None
    reason: str | None = None


def run_backtest(work: Work) -> Ending:
    """A backtest; one that is stopped has no result, since it would be of another period than was asked for."""
    asked = msgspec.convert(work.operation.request, BacktestRequest)
    result = backtest_sync(
        work.url,
        _draft(asked),
        since=asked.since,
        until=asked.until,
        sites=asked.site_ids,
        samples=asked.samples,
        on_progress=_teller(work, asked.since, asked.until),
        stop=work.stops,
    )
    if not result.is_complete:
        work.check()
    return Ending(result_type=JSON, parts=(to_json(result),))


def run_replay(work: Work) -> Ending:
    """A replay. One that writes and is cancelled has done what its result says, and that is right; the next one finds the rest. Taken
    up again after its worker died, it does the rest."""
    asked = msgspec.convert(work.operation.request, ReplayRequest)
    result = replay_sync(
        work.url,
        work.settings,
        since=asked.since,
        until=asked.until,
        sites=asked.site_ids,
        definition=asked.definition,
        assignment=asked.assignment,
        order=Order(actor=asked.actor, reason=asked.reason) if asked.reason is not None else None,
        samples=asked.samples,
        on_progress=_teller(work, asked.since, asked.until),
        stop=work.stops,
    )
    if work.stops() and not (result.is_written and work.is_cancelled):
        work.check()
    state = State.CANCELLED if work.stops() else State.SUCCEEDED
    return Ending(state=state, result_type=JSON, parts=(msgspec.json.encode(result),))


def _draft(asked: BacktestRequest) -> Draft:
    return Draft(
        definition=asked.definition,
        definition_number=asked.definition_number,
        config=asked.config,
        assignment=asked.assignment,
        assignment_number=asked.assignment_number,
        overrides=asked.overrides,
        stopped=asked.stopped,
    )


def _teller(work: Work, since: datetime, until: datetime) -> Callable[[Progress], None]:
    days = math.ceil((until - since).total_seconds() / _DAY_S)

    def tell(progress: Progress) -> None:
        total = days * max(progress.sites, 1)
        work.progress(min(int(progress.share * total), total), total, UNIT)

    return tell
