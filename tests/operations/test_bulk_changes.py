"""Bulk changes as operations: ended in between, all or nothing leaves nothing, and row by row says what was done and goes on."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from custom_events.catalog import assignment_lists, definitions, sites
from custom_events.catalog.bulk import changes, choosing
from custom_events.catalog.bulk.outcomes import BulkResult, RowOutcome
from custom_events.catalog.bulk.requests import Action, Allowed, BulkAction
from custom_events.catalog.bulk.rows import RowWorker
from custom_events.errors import NeedsAction, NotFound
from custom_events.operations import bulk_changes, operation
from custom_events.operations.operation import State
from custom_events.values.deliveries import Platform
from tests.operations.conftest import KilledError, Make, ask, cancel, end_lease, read

AT_ONCE = 4
ROWS = 2 * AT_ONCE + 2
EVERYWHERE = Allowed(viewer=None, editor=None, publisher=None)
ABSENT = 9_999_999


@pytest.fixture(autouse=True)
def _few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_changes, "COMMITTED_AT_ONCE", AT_ONCE)


@pytest.fixture
def shops(engine: sa.Engine) -> list[int]:
    with engine.begin() as connection:
        definitions.create(connection, key="bought", name="Bought", config={"trigger": ["order.paid"]}, author="ana")
        definitions.publish(connection, "bought", 1, by="ana")
        return [
            sites.create(connection, platform=Platform.CUSTOM, name=f"Shop {number}", actor="ana").id
            for number in range(ROWS)
        ]


def asked(engine: sa.Engine, site_ids: list[int], **how: Any) -> tuple[int, int | None]:
    """An operation that assigns a definition to these sites, and its bulk change."""
    action = BulkAction(
        action=Action.ASSIGN, site_ids=tuple(site_ids), definition_key="bought", label="a", publish=True
    )
    how = {"all_or_nothing": False, "is_dry_run": False, **how}
    with engine.begin() as connection:
        prepared = choosing.prepare(connection, [action], EVERYWHERE, reason="", **how)
        kept = None if prepared.is_dry_run else changes.begin(connection, prepared, "ana")
    number = ask(engine, request=bulk_changes.request_of(prepared, EVERYWHERE, kept), site_ids=prepared.site_ids)
    if kept is not None:
        with engine.begin() as connection:
            changes.belongs_to(connection, kept, number)
    return number, kept


def assigned(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return len(assignment_lists.search(connection, limit=1_000))


def result(engine: sa.Engine, number: int) -> BulkResult:
    parts = operation.result_parts(engine, read(engine, number))
    return msgspec.json.decode(b"".join(parts), type=BulkResult)


def at_row(monkeypatch: pytest.MonkeyPatch, number: int, happens: Callable[[], None]) -> None:
    """Something happens in the middle, once."""
    whole, pending = RowWorker.do, [happens]

    def do(self: RowWorker, row: int) -> Any:
        if row == number and pending:
            pending.pop()()
        return whole(self, row)

    monkeypatch.setattr(RowWorker, "do", do)


def die() -> None:
    raise KilledError


@pytest.mark.parametrize("all_or_nothing", [True, False])
def test_every_row_is_done_and_told(engine: sa.Engine, runner_of: Make, shops: list[int], all_or_nothing: bool) -> None:
    number, kept = asked(engine, shops, all_or_nothing=all_or_nothing)
    assert runner_of(bulk_changes.run_bulk_change).run_next()
    found = read(engine, number)
    assert (found.state, found.done, found.total) == (State.SUCCEEDED, ROWS, ROWS)
    told = result(engine, number)
    assert (told.counts.made, told.is_applied, told.bulk_change_id) == (ROWS, True, kept)
    assert assigned(engine) == ROWS
    with engine.connect() as connection:
        assert tuple(changes.all_rows_of(connection, kept or 0)) == told.rows
        entry = connection.execute(
            sa.text("SELECT actor, source, detail FROM app.audit_entries WHERE action = 'bulk_change.run'")
        ).one()
    assert (entry.actor, entry.source, entry.detail["counts"]["made"]) == ("ana", "api", ROWS)


def test_a_dry_run_leaves_nothing_and_says_the_same(engine: sa.Engine, runner_of: Make, shops: list[int]) -> None:
    number, _ = asked(engine, [*shops, ABSENT], is_dry_run=True)
    runner = runner_of(bulk_changes.run_bulk_change)
    assert runner.run_next()
    assert assigned(engine) == 0
    told = result(engine, number)
    assert (told.is_dry_run, told.is_applied, told.counts.failed) == (True, False, 1)
    real, _ = asked(engine, [*shops, ABSENT])
    assert runner.run_next()
    assert [_bare(row) for row in result(engine, real).rows] == [_bare(row) for row in told.rows]


def _bare(row: RowOutcome) -> Any:
    return {**msgspec.to_builtins(row), "assignment_id": None}


def test_all_or_nothing_leaves_nothing_where_a_row_fails_or_its_worker_dies(
    engine: sa.Engine, runner_of: Make, shops: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = runner_of(bulk_changes.run_bulk_change)
    number, kept = asked(engine, [*shops, ABSENT], all_or_nothing=True)
    assert runner.run_next()
    found = read(engine, number)
    assert (found.state, assigned(engine)) == (State.FAILED, 0)
    assert found.problem is not None
    assert [one["field"] for one in found.problem["errors"]] == [f"actions[0].site_ids[{ROWS}]"]
    told = result(engine, number)
    assert (told.is_applied, told.counts.made, told.counts.failed) == (False, ROWS, 1)
    with engine.connect() as connection, pytest.raises(NotFound):
        changes.get(connection, kept or 0)

    number, kept = asked(engine, shops, all_or_nothing=True)
    with monkeypatch.context() as patch:
        at_row(patch, ROWS - 1, die)
        with pytest.raises(KilledError):
            runner.run_next()
    assert assigned(engine) == 0
    end_lease(engine)
    assert runner.run_next()
    assert (read(engine, number).state, assigned(engine)) == (State.SUCCEEDED, ROWS)


def test_all_or_nothing_that_is_cancelled_leaves_nothing(
    engine: sa.Engine, runner_of: Make, shops: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    number, kept = asked(engine, shops, all_or_nothing=True)
    runner = runner_of(bulk_changes.run_bulk_change)

    def happens() -> None:
        cancel(engine, number)
        runner.beat()

    at_row(monkeypatch, ROWS - 2, happens)
    assert runner.run_next()
    found = read(engine, number)
    assert (found.state, found.result_type, assigned(engine)) == (State.CANCELLED, None, 0)
    with engine.connect() as connection, pytest.raises(NotFound):
        changes.get(connection, kept or 0)


def test_row_by_row_that_is_cancelled_says_what_was_done_and_that_is_undone(
    engine: sa.Engine, runner_of: Make, shops: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    number, kept = asked(engine, shops)
    runner = runner_of(bulk_changes.run_bulk_change)

    def happens() -> None:
        with engine.connect() as connection:
            change = changes.get(connection, kept or 0)
            with pytest.raises(NeedsAction, match="under way"):
                changes.prepare_undo(connection, change, all_or_nothing=True, is_dry_run=False, reason="")
        cancel(engine, number)
        runner.beat()

    at_row(monkeypatch, AT_ONCE, happens)
    assert runner.run_next()
    done = 2 * AT_ONCE
    told = result(engine, number)
    assert read(engine, number).state is State.CANCELLED
    assert (len(told.rows), told.counts.made, told.rows_asked) == (done, done, ROWS)
    assert assigned(engine) == done
    with engine.begin() as connection:
        change = changes.get(connection, kept or 0)
        prepared = changes.prepare_undo(connection, change, all_or_nothing=True, is_dry_run=False, reason="")
        undone = changes.do_now(connection, prepared, EVERYWHERE, "ana")
    assert undone.counts.changed == done


def test_row_by_row_whose_worker_dies_goes_on_behind_what_is_done(
    engine: sa.Engine, runner_of: Make, shops: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    number, _ = asked(engine, shops)
    runner = runner_of(bulk_changes.run_bulk_change)
    with monkeypatch.context() as patch:
        at_row(patch, AT_ONCE + 3, die)
        with pytest.raises(KilledError):
            runner.run_next()
    assert assigned(engine) == AT_ONCE
    end_lease(engine)
    assert runner.run_next()
    told = result(engine, number)
    assert [row.number for row in told.rows] == list(range(ROWS))
    assert (told.counts.made, assigned(engine)) == (ROWS, ROWS)


def test_a_process_that_ends_hands_row_by_row_on(
    engine: sa.Engine, runner_of: Make, shops: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    number, _ = asked(engine, shops)
    runner = runner_of(bulk_changes.run_bulk_change)

    def happens() -> None:
        (work,) = runner._works
        work.stop(cancelled=False)

    at_row(monkeypatch, 3, happens)
    assert runner.run_next()
    assert read(engine, number).state is State.WAITING
    assert runner_of(bulk_changes.run_bulk_change).run_next()
    assert (read(engine, number).state, assigned(engine)) == (State.SUCCEEDED, ROWS)
