"""Parked deliveries put back as an operation: so many at a time, none twice, gone on with after a death, cancelled in between."""

from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from custom_events.catalog import raw_events, sites
from custom_events.operations import operation
from custom_events.operations.operation import LongOperation, State
from custom_events.operations.parked_deliveries import ReplayedDeliveries, run_replay_parked
from custom_events.operations.work import Work
from custom_events.values.deliveries import Platform
from tests.console.api.raw_rows import parked_delivery
from tests.operations.conftest import KilledError, Make, ask, cancel, end_lease, read

_PARK_AGAIN = sa.text("""
WITH gone AS (DELETE FROM landing.raw_queue RETURNING raw_id, landed_week, site_id)
INSERT INTO app.raw_outcomes (landed_week, raw_id, received_at, site_id, outcome, reason, new_events, processed_at)
SELECT landed_week, raw_id, now(), site_id, 'parked', 'malformed', 0, clock_timestamp() FROM gone
""")


@pytest.fixture
def parked(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> int:
    """Five deliveries of a site that nobody understands, of which two are put back at a time."""
    monkeypatch.setattr(raw_events, "REQUEUED_AT_ONCE", 2)
    with engine.begin() as connection:
        site = sites.create(connection, platform=Platform.CUSTOM, name="Shop", actor="test")
        for number in range(5):
            reason = "malformed" if number else "unknown_topic"
            parked_delivery(connection, site.id, f'{{"id": {number}}}'.encode(), reason)
        return site.id


def waiting(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(sa.text("SELECT count(*) FROM landing.raw_queue")).scalar_one()


def result(engine: sa.Engine, found: LongOperation) -> int:
    whole = b"".join(operation.result_parts(engine, found))
    return msgspec.json.decode(whole, type=ReplayedDeliveries).rows


def test_all_of_a_reason_are_put_back(engine: sa.Engine, runner_of: Make, parked: int) -> None:
    number = ask(engine, request={"site_id": parked, "reason": "malformed"}, total=4)
    assert runner_of(run_replay_parked).run_next()
    found = read(engine, number)
    assert (found.state, found.done, found.total, found.unit) == (State.SUCCEEDED, 4, 4, "deliveries")
    assert (result(engine, found), waiting(engine)) == (4, 4)
    with engine.connect() as connection:
        assert raw_events.count_replayable(connection, site_id=parked) == 1
        assert raw_events.count_replayable(connection, reason="malformed") == 0


def test_what_is_parked_again_meanwhile_is_not_taken_a_second_time(
    engine: sa.Engine, runner_of: Make, parked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    requeue = raw_events.requeue_parked

    def fails_again(connection: sa.Connection, **how: Any) -> int:
        rows = requeue(connection, **how)
        connection.execute(_PARK_AGAIN)
        return rows

    monkeypatch.setattr(raw_events, "requeue_parked", fails_again)
    number = ask(engine)
    assert runner_of(run_replay_parked).run_next()
    assert result(engine, read(engine, number)) == 5
    assert waiting(engine) == 0


def test_after_a_death_it_goes_on_with_what_is_left(engine: sa.Engine, runner_of: Make, parked: int) -> None:
    number = ask(engine, total=5)

    def dies(work: Work) -> None:
        def stops() -> bool:
            if work.done:
                raise KilledError
            return False

        work.stops = stops  # type: ignore[method-assign]
        run_replay_parked(work)

    with pytest.raises(KilledError):
        runner_of(dies).run_next()
    assert waiting(engine) == 2
    end_lease(engine)
    assert runner_of(run_replay_parked).run_next()
    assert (read(engine, number).state, waiting(engine)) == (State.SUCCEEDED, 5)


def test_cancelled_in_between_the_others_stay_parked(engine: sa.Engine, runner_of: Make, parked: int) -> None:
    number = ask(engine, total=5)

    def cancelled(work: Work) -> Any:
        def stops() -> bool:
            if work.done and not work.is_cancelled:
                cancel(engine, number)
                work.stop(cancelled=True)
            return Work.stops(work)

        work.stops = stops  # type: ignore[method-assign]
        return run_replay_parked(work)

    assert runner_of(cancelled).run_next()
    found = read(engine, number)
    assert (found.state, found.done, found.total) == (State.CANCELLED, 2, 5)
    assert (result(engine, found), waiting(engine)) == (2, 2)


def test_a_process_that_ends_leaves_it_to_another(engine: sa.Engine, runner_of: Make, parked: int) -> None:
    number = ask(engine, total=5)

    def ends(work: Work) -> Any:
        work.stop(cancelled=False)
        return run_replay_parked(work)

    assert runner_of(ends).run_next()
    assert (read(engine, number).state, waiting(engine)) == (State.WAITING, 0)
