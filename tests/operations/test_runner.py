"""The runner: one worker has an operation, its end is written once, and whatever dies is taken up or ends with a remedy."""

import threading
from collections.abc import Callable
from datetime import timedelta
from queue import Queue
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from custom_events.errors import Fault, InvalidConfiguration, NotFound
from custom_events.operations import operation
from custom_events.operations import runner as runner_module
from custom_events.operations.operation import State
from custom_events.operations.runner import ATTEMPTS, Runner
from custom_events.operations.work import Ending, LostError, Work
from custom_events.queries import operations as queries
from custom_events.settings import Settings
from tests.operations.conftest import KilledError, Make, ask, cancel, end_lease, read

WAIT_S = 60  # for another thread; far longer than it takes


def done(work: Work) -> Ending:
    work.progress(2, 3, "rows")
    return Ending(result_type="application/json", parts=(b"{", b"}"))


def killed(_: Work) -> Ending:
    raise KilledError


def result(engine: sa.Engine, operation_id: int) -> bytes:
    return b"".join(operation.result_parts(engine, read(engine, operation_id)))


def test_an_operation_is_done_once_with_its_progress_and_result(engine: sa.Engine, runner_of: Make) -> None:
    number = ask(engine)
    runner = runner_of(done)
    assert (runner.run_next(), runner.run_next()) == (True, False)
    found = read(engine, number)
    assert (found.state, found.done, found.total, found.unit) == (State.SUCCEEDED, 2, 3, "rows")
    assert result(engine, number) == b"{}"
    assert found.ended_at is not None
    assert found.expires_at - found.ended_at == operation.KEPT


@pytest.mark.parametrize(
    ("error", "kind", "field"),
    [
        (NotFound("There is no site 7.", what="site"), "NotFound", None),
        (InvalidConfiguration("no number; a number", path="since"), "InvalidConfiguration", "since"),
        (InvalidConfiguration("x", faults=(Fault("a[1]", "wrong", "right"),)), "InvalidConfiguration", "a[1]"),
        (ZeroDivisionError("a secret"), "Internal", None),
        (OperationalError("SELECT", {}, Exception("deadlock")), "Transient", None),
    ],
)
def test_what_fails_says_why_and_keeps_secrets(
    engine: sa.Engine, runner_of: Make, error: Exception, kind: str, field: str | None
) -> None:
    def fail(_: Work) -> Ending:
        raise error

    number = ask(engine)
    assert runner_of(fail).run_next()
    found = read(engine, number)
    assert found.state is State.FAILED
    assert found.problem is not None
    assert (found.problem["kind"], "secret" in found.problem["detail"]) == (kind, False)
    assert [one["field"] for one in found.problem["errors"]] == ([field] if field else [])


def test_a_worker_that_dies_is_followed_by_another_one_from_the_beginning(engine: sa.Engine, runner_of: Make) -> None:
    def half(work: Work) -> Ending:
        work.part(b"half of")
        raise KilledError

    number = ask(engine)
    with pytest.raises(KilledError):
        runner_of(half).run_next()
    assert read(engine, number).state is State.RUNNING
    assert not runner_of(done).run_next()  # its lease holds
    end_lease(engine)
    assert runner_of(done).run_next()
    assert result(engine, number) == b"{}"
    assert read(engine, number).attempt == 2


def test_what_ends_its_worker_each_time_fails_with_a_remedy(engine: sa.Engine, runner_of: Make) -> None:
    number = ask(engine)
    runner = runner_of(killed)
    for _ in range(ATTEMPTS):
        with pytest.raises(KilledError):
            runner.run_next()
        end_lease(engine)
    assert not runner.run_next()
    runner.beat()
    found = read(engine, number)
    assert found.state is State.FAILED
    assert found.problem is not None
    assert "Ask for less at once" in found.problem["detail"]


def test_a_worker_that_was_taken_for_dead_writes_nothing(engine: sa.Engine, runner_of: Make) -> None:
    """It wakes after another one has done its work."""
    other = runner_of(done)

    def slow(work: Work) -> Ending:
        end_lease(engine)
        assert other.run_next()
        with pytest.raises(LostError):
            work.part(b"late")
        return Ending(state=State.FAILED, problem={"kind": "Internal", "detail": "", "errors": []})

    number = ask(engine)
    assert runner_of(slow).run_next()
    assert (read(engine, number).state, result(engine, number)) == (State.SUCCEEDED, b"{}")


def test_what_waits_is_cancelled_at_once_and_what_has_ended_stays(engine: sa.Engine, runner_of: Make) -> None:
    waiting, ended = ask(engine), ask(engine)
    assert cancel(engine, waiting).state is State.CANCELLED
    runner = runner_of(done)
    assert (runner.run_next(), runner.run_next()) == (True, False)
    assert cancel(engine, ended).state is State.SUCCEEDED
    assert read(engine, ended).cancel_asked_at is None


def test_what_runs_hears_of_a_cancel_at_its_next_sign_of_life(engine: sa.Engine, runner_of: Make) -> None:
    heard: list[bool] = []

    def asked(work: Work) -> Ending:
        runner.beat()
        work.check()
        cancel(engine, work.operation.id)
        heard.append(work.stops())
        work.progress(5, None, "rows")
        runner.beat()
        assert read(engine, work.operation.id).done == 5
        work.check()
        raise AssertionError

    number = ask(engine)
    runner = runner_of(asked)
    assert runner.run_next()
    assert (heard, read(engine, number).state) == ([False], State.CANCELLED)


def test_what_was_to_be_cancelled_when_its_worker_died_is_cancelled(engine: sa.Engine, runner_of: Make) -> None:
    number = ask(engine)
    runner = runner_of(killed)
    with pytest.raises(KilledError):
        runner.run_next()
    cancel(engine, number)
    end_lease(engine)
    runner.beat()
    assert (read(engine, number).state, read(engine, number).problem) == (State.CANCELLED, None)


def test_a_process_that_ends_hands_its_operation_to_the_next_one(
    engine: sa.Engine, database: str, runner_of: Make
) -> None:
    begun, released = threading.Event(), threading.Event()

    def until_stopped(work: Work) -> Ending:
        begun.set()
        while not work.stops():
            released.wait(0.01)
        work.check()
        raise AssertionError

    number = ask(engine)
    first = Runner(database, Settings(_env_file=None), {"work": until_stopped})
    first.start(1)
    assert begun.wait(WAIT_S)
    first.stop()
    found = read(engine, number)
    assert (found.state, found.attempt) == (State.WAITING, 0)
    assert runner_of(done).run_next()
    assert read(engine, number).state is State.SUCCEEDED


def test_threads_do_what_is_asked_for_while_they_run(engine: sa.Engine, database: str) -> None:
    ended = threading.Event()

    def work(_: Work) -> Ending:
        ended.set()
        return Ending()

    runner = Runner(database, Settings(_env_file=None), {"work": work})
    runner.start(2)
    number = ask(engine)
    runner.wake()
    assert ended.wait(WAIT_S)
    runner.stop()
    assert read(engine, number).state is State.SUCCEEDED


def test_an_operation_that_another_process_asks_for_is_heard_of(
    engine: sa.Engine, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "LOOK_S", 3_600.0)  # nobody looks without having been told
    done: Queue[int] = Queue()

    def work(work: Work) -> Ending:
        done.put(work.operation.id)
        return Ending()

    runner = Runner(database, Settings(_env_file=None), {"work": work})
    before = ask(engine)
    runner.start(2)
    try:
        assert done.get(timeout=WAIT_S) == before, "what waits already is begun at once"
        for _ in range(3):
            asked = ask(engine)
            assert done.get(timeout=WAIT_S) == asked
    finally:
        runner.stop()


def test_what_a_dead_worker_had_is_looked_for_when_its_lease_ends(
    engine: sa.Engine, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "LOOK_S", 3_600.0)
    runner = Runner(database, Settings(_env_file=None), {})
    assert runner._next_look_s() == 3_600.0
    operation_id = ask(engine)
    lease = sa.text(
        "UPDATE app.operations SET state = 'running', attempt = 1, lease_until = now() + :lease WHERE id = :id"
    )
    for lease_s, soonest, latest in (
        (1_000, 500, 1_000),
        (-5, runner_module.SOONEST_LOOK_S, runner_module.SOONEST_LOOK_S),
    ):
        with engine.begin() as connection:
            connection.execute(lease, {"id": operation_id, "lease": timedelta(seconds=lease_s)})
        assert soonest <= runner._next_look_s() <= latest
    runner.stop()


def test_what_has_ended_long_ago_is_forgotten_with_its_result(engine: sa.Engine, runner_of: Make) -> None:
    number = ask(engine)
    runner = runner_of(done)
    assert runner.run_next()
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE app.operations SET expires_at = now() - interval '1 s'"))
    waiting = ask(engine)
    runner.beat()
    with engine.connect() as connection:
        with pytest.raises(NotFound):
            operation.get(connection, number)
        assert connection.execute(sa.text("SELECT count(*) FROM app.operation_parts")).scalar_one() == 0
    assert read(engine, waiting).state is State.WAITING


def test_an_error_of_our_own_ends_no_thread(engine: sa.Engine, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without signs of life all that runs would be taken for dead, and without threads nothing would be taken up."""
    monkeypatch.setattr(runner_module, "BEAT_S", 0.01)
    ended, beaten = threading.Event(), threading.Event()
    wrong = {"claim": 1, "give_up": 1}  # how often each is still to fail

    def failing(name: str, right: Callable[..., Any], then: threading.Event | None = None) -> Callable[..., Any]:
        def run(*given: Any, **more: Any) -> Any:
            if wrong[name]:
                wrong[name] -= 1
                raise ZeroDivisionError
            if then is not None:
                then.set()
            return right(*given, **more)

        return run

    def work(_: Work) -> Ending:
        assert beaten.wait(WAIT_S)
        ended.set()
        return Ending()

    monkeypatch.setattr(queries, "claim", failing("claim", queries.claim))
    monkeypatch.setattr(queries, "give_up", failing("give_up", queries.give_up, beaten))
    runner = Runner(database, Settings(_env_file=None), {"work": work})
    runner.start(1)
    try:
        number = ask(engine)  # who listens is told of it, after a claim that failed or before
        runner.wake()
        ended_in_time = ended.wait(WAIT_S)
    finally:
        runner.stop()
    assert ended_in_time
    assert read(engine, number).state is State.SUCCEEDED


def test_a_database_that_is_away_ends_no_thread(empty_database: str) -> None:
    """It has no tables yet: the runner waits, says so, and ends when it is told to."""
    runner = Runner(empty_database, Settings(_env_file=None), {})
    runner.start(1)
    runner.wake()
    runner.stop()
