"""Laws of bulk changes, whatever is asked by whomever: a dry run says what the write does, and what is undone is as it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from custom_events.catalog import assignment_lists, assignments, definitions, revisions, sites
from custom_events.catalog.bulk import changes, choosing
from custom_events.catalog.bulk.outcomes import BulkResult, RowOutcome, RowsFailedError, Word
from custom_events.catalog.bulk.requests import (
    Action,
    Allowed,
    AssignmentFilter,
    BulkAction,
    PreparedChange,
    SiteFilter,
)
from custom_events.catalog.bulk.states import state_of
from custom_events.errors import InvalidConfiguration, NeedsAction
from custom_events.queries.revisions import ASSIGNMENTS
from custom_events.values.definitions import Overrides
from custom_events.values.deliveries import Platform

ME = "ana@example.org"
SITES, LABELS = 3, ("a", "b")
HALF = 0.5
EVERYWHERE = Allowed(viewer=None, editor=None, publisher=None)
ABSENT = 9_999_999
OVERRIDES = [{}, {"priority": 3}, {"click_window_days": 30, "group": "one"}, {"click_window_days": 900}]


class Ground:
    """Sites with assignments: published, with a draft beside, drafted only, switched off."""

    def __init__(self, connection: sa.Connection) -> None:
        self.sites = [
            sites.create(connection, platform=Platform.CUSTOM, name=f"Shop {number}", actor=ME).id
            for number in range(SITES)
        ]
        definitions.create(connection, key="bought", name="Bought", config={"trigger": ["order.paid"]}, author=ME)
        definitions.publish(connection, "bought", 1, by=ME)
        self.assignments = [
            assignments.assign(connection, self.sites[0], "bought", "a", author=ME, overrides={"priority": 1}).id,
            assignments.assign(connection, self.sites[0], "bought", "b", author=ME, publish_now=False).id,
            assignments.assign(connection, self.sites[1], "bought", "a", author=ME).id,
        ]
        assignments.change(connection, self.assignments[0], {"priority": 2}, author=ME)
        assignments.pause(connection, self.assignments[2], actor=ME)


def action(random: Random, kind: Action) -> BulkAction:
    """An action on places in the ground, which `placed` makes ids of; the last place is nowhere."""
    fields: dict[str, Any] = {}
    if kind in (Action.ASSIGN, Action.COPY):
        fields |= random.choice([{"site_ids": some(random, SITES)}, {"sites": SiteFilter(search="shop")}])
        fields["publish"] = random.random() < HALF
    else:
        filters = (AssignmentFilter(label="a"), AssignmentFilter())
        fields |= random.choice([{"assignment_ids": some(random, 3)}, {"assignments": random.choice(filters)}])
    match kind:
        case Action.ASSIGN:
            key = random.choice(["bought", "bought", "bought", "nothing"])
            fields |= {"definition_key": key, "label": random.choice(LABELS), "overrides": random.choice(OVERRIDES)}
        case Action.CHANGE:
            fields |= {"overrides": random.choice(OVERRIDES), "publish": random.random() < HALF}
            fields["inherit"] = random.choice([(), ("priority",), ("prio",)])
        case Action.MOVE:
            fields["to_site_id"] = random.randrange(SITES)
        case Action.COPY:
            fields["from_site_id"] = random.randrange(SITES)
        case _:
            pass
    return BulkAction(action=kind, **fields)


def some(random: Random, last: int) -> tuple[int, ...]:
    """Some places; now and then the one that is nowhere."""
    return tuple(last if random.random() < HALF / 5 else random.randrange(last) for _ in range(random.randint(1, 3)))


def placed(action: BulkAction, ground: Ground) -> BulkAction:
    """The action on what is there."""
    of_sites, of_assignments = [*ground.sites, ABSENT], [*ground.assignments, ABSENT]
    fields = {name: getattr(action, name) for name in action.__struct_fields__}
    for name in ("site_ids", "assignment_ids"):
        known = of_sites if name == "site_ids" else of_assignments
        if fields[name] is not None:
            fields[name] = tuple(known[place] for place in fields[name])
    for name in ("to_site_id", "from_site_id"):
        fields[name] = None if fields[name] is None else of_sites[fields[name]]
    if isinstance(fields["overrides"], dict):
        raw = fields["overrides"]
        fields["overrides"] = msgspec.convert(raw, Overrides)  # of the right type; what it means is refused row by row
    return BulkAction(**fields)


def allowed_by(random: Random, ground: Ground) -> Allowed:
    """Everything everywhere, or a role on each site, or none there."""
    if random.random() < HALF:
        return EVERYWHERE
    order = [None, "viewer", "editor", "publisher"]
    chosen = random.choices(order, k=SITES)

    def of(role: str) -> frozenset[int]:
        return frozenset(
            site for site, own in zip(ground.sites, chosen, strict=True) if order.index(own) >= order.index(role)
        )

    return Allowed(viewer=of("viewer"), editor=of("editor"), publisher=of("publisher"))


def everything(connection: sa.Connection) -> dict[int, Any]:
    """All that is of every assignment, by id."""
    found = assignment_lists.search(connection, limit=1_000)
    return {one.id: (one.site_id, one.label, state_of(connection, one.id)) for one in found}


def effective(connection: sa.Connection) -> dict[int, Any]:
    """What applies of every assignment of which something does, whether it is on, and what is drafted."""
    found = assignment_lists.search(connection, limit=1_000)
    current = revisions.current(connection, ASSIGNMENTS, [one.id for one in found])
    whole = assignment_lists.effective_now(connection, found, current)
    states = {one.id: state_of(connection, one.id) for one in found}
    drafted = {number: state.pending for number, state in states.items() if state is not None}
    on = {one.id: one.is_active for one in found}
    return {number: (on[number], whole[number].config if number in whole else None, drafted[number]) for number in on}


@contextmanager
def rolled_back(connection: sa.Connection) -> Iterator[None]:
    savepoint = connection.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()


def prepare(connection: sa.Connection, asked: list[BulkAction], allowed: Allowed, **how: Any) -> PreparedChange | None:
    try:
        return choosing.prepare(connection, asked, allowed, reason="a law", **how)
    except InvalidConfiguration:  # a filter found nothing
        return None


QUICK = [Phase.generate]  # an example takes half a second: making a failing one smaller would take minutes


@settings(max_examples=12, deadline=None, phases=QUICK, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**9))
def test_a_dry_run_says_what_the_write_does_and_what_is_undone_is_as_it_was(
    connection: sa.Connection, seed: int
) -> None:
    random = Random(seed)
    all_or_nothing = random.random() < HALF
    asked = [action(random, kind) for kind in random.sample(list(Action), k=random.randint(1, 4))]
    with rolled_back(connection):
        ground = Ground(connection)
        allowed, here = allowed_by(random, ground), [placed(one, ground) for one in asked]
        before, applied = everything(connection), effective(connection)
        tried = prepare(connection, here, allowed, all_or_nothing=all_or_nothing, is_dry_run=True)
        prepared = prepare(connection, here, allowed, all_or_nothing=all_or_nothing, is_dry_run=False)
        if tried is None or prepared is None:
            assert (tried, prepared) == (None, None)
            return
        dry = changes.do_now(connection, tried, allowed, ME)
        assert everything(connection) == before
        savepoint = connection.begin_nested()
        done = _done(connection, prepared, allowed)
        if isinstance(done, RowsFailedError):
            savepoint.rollback()
            assert all_or_nothing
            assert _told(done.rows, before) == _told(dry.rows, before)
            assert everything(connection) == before
            return
        savepoint.commit()
        assert _told(done.rows, before) == _told(dry.rows, before)
        assert done.counts == dry.counts
        _check_rights(before, everything(connection), allowed)
        if done.counts.made + done.counts.changed:
            found = changes.get(connection, done.bulk_change_id or 0)
            undo = changes.prepare_undo(connection, found, all_or_nothing=True, is_dry_run=False, reason="")
            changes.do_now(connection, undo, EVERYWHERE, ME)
        after = effective(connection)
        assert {number: after[number] for number in applied} == applied
        assert all(after[number][1] is None for number in after.keys() - applied.keys())


def _done(connection: sa.Connection, prepared: PreparedChange, allowed: Allowed) -> BulkResult | RowsFailedError:
    try:
        return changes.do_now(connection, prepared, allowed, ME)
    except RowsFailedError as error:
        return error


def _told(rows: tuple[RowOutcome, ...], known: dict[int, Any]) -> list[Any]:
    """Rows, but for the numbers of what they make."""
    return [
        (
            row.number, row.place, row.action, row.outcome, row.site_id, row.definition_key, row.label,
            row.changes, row.sentence, row.errors, row.assignment_id if row.assignment_id in known else None,
        )
        for row in rows
    ]  # fmt: skip


def _check_rights(before: dict[int, Any], after: dict[int, Any], allowed: Allowed) -> None:
    """What changed is of sites on which that may be changed: drafts by editors, what applies by publishers."""
    for number, (site_id, _, state) in after.items():
        old = before.get(number, (site_id, "", None))[2]
        if state == old:
            continue
        assert allowed.may("editor", site_id)
        if old is None:
            assert state.published is None or allowed.may("publisher", site_id)
        elif (state.is_active, state.published) != (old.is_active, old.published):
            assert allowed.may("publisher", site_id)


def test_words_say_whether_something_is_there_that_was_not(connection: sa.Connection) -> None:
    ground = Ground(connection)
    action = BulkAction(action=Action.COPY, from_site_id=ground.sites[0], site_ids=tuple(ground.sites), publish=True)
    prepared = prepare(connection, [action], EVERYWHERE, all_or_nothing=True, is_dry_run=False)
    assert prepared is not None
    rows = changes.do_now(connection, prepared, EVERYWHERE, ME).rows
    assert [row.outcome for row in rows] == [Word.CHANGED, Word.MADE, Word.MADE, Word.MADE]
    again = changes.do_now(connection, prepared, EVERYWHERE, ME).rows
    assert {row.outcome for row in again} == {Word.UNCHANGED}


def test_drafts_and_what_applies_are_changed_moved_and_come_back(connection: sa.Connection) -> None:
    ground = Ground(connection)
    first, second, third = ground.assignments
    before = effective(connection)

    def done(*asked: BulkAction) -> BulkResult:
        prepared = prepare(connection, list(asked), EVERYWHERE, all_or_nothing=True, is_dry_run=False)
        assert prepared is not None
        return changes.do_now(connection, prepared, EVERYWHERE, ME)

    overrides = msgspec.convert({"click_window_days": 30}, Overrides)
    everywhere: dict[str, Any] = {"assignment_ids": (first, second, third)}
    change = BulkAction(action=Action.CHANGE, overrides=overrides, inherit=("priority",), publish=True, **everywhere)
    draft = BulkAction(action=Action.CHANGE, overrides=msgspec.convert({"priority": 9}, Overrides), **everywhere)
    move = BulkAction(action=Action.MOVE, to_site_id=ground.sites[2], assignment_ids=(first, second))
    assign = BulkAction(action=Action.ASSIGN, definition_key="bought", label="new", site_ids=tuple(ground.sites))
    result = done(change, draft, move, assign)
    now = effective(connection)
    assert [now[one][1].click_window_days for one in ground.assignments] == [30, 30, 30]
    assert [now[one][2]["priority"] for one in ground.assignments] == [9, 9, 9]
    moved = assignments.of_site(connection, ground.sites[2])
    assert [(one.label, one.is_active, one.published_number is not None) for one in moved] == [
        ("a", True, True),
        ("b", True, True),
        ("new", True, False),
    ]
    assert (now[first][0], now[second][0]) == (False, False)
    assert sum("site" in line for line in result.rows[6].changes) > 1  # both sites are told
    undo = undo_of(connection, result)
    assert {row.outcome for row in changes.do_now(connection, undo, EVERYWHERE, ME).rows} == {Word.CHANGED}
    after = effective(connection)
    assert {number: after[number] for number in before} == before
    assert [one.label for one in assignments.of_site(connection, ground.sites[1])] == ["a"]  # drafts are removed


def test_where_a_second_person_publishes_drafts_wait_for_them(
    connection: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground = Ground(connection)
    monkeypatch.setattr("custom_events.catalog.revisions.needs_second_person", lambda: True)
    change = BulkAction(
        action=Action.CHANGE,
        overrides=msgspec.convert({"click_window_days": 30}, Overrides),
        publish=True,
        assignment_ids=(ground.assignments[2],),
    )
    for actor, number in ((ME, 1), ("bea@example.org", 2)):
        prepared = prepare(connection, [change], EVERYWHERE, all_or_nothing=True, is_dry_run=False)
        assert prepared is not None
        changes.do_now(connection, prepared, EVERYWHERE, actor)
        assert assignments.get(connection, ground.assignments[2]).published_number == number


def test_what_is_not_there_any_more_or_changed_nothing_is_not_undone(connection: sa.Connection) -> None:
    ground = Ground(connection)
    enable = BulkAction(action=Action.ENABLE, assignment_ids=(ground.assignments[0],))
    draft = BulkAction(action=Action.ASSIGN, definition_key="bought", label="new", site_ids=(ground.sites[0],))
    undone = []
    for action_ in (enable, draft):
        prepared = prepare(connection, [action_], EVERYWHERE, all_or_nothing=True, is_dry_run=False)
        assert prepared is not None
        undone.append(changes.do_now(connection, prepared, EVERYWHERE, ME))
    with pytest.raises(NeedsAction, match="changed nothing"):
        undo_of(connection, undone[0])
    assignments.delete(connection, undone[1].rows[0].assignment_id or 0, by=ME)
    with pytest.raises(RowsFailedError) as raised:
        changes.do_now(connection, undo_of(connection, undone[1]), EVERYWHERE, ME)
    assert "is not there any more" in raised.value.rows[0].sentence


def undo_of(connection: sa.Connection, result: BulkResult) -> PreparedChange:
    found = changes.get(connection, result.bulk_change_id or 0)
    return changes.prepare_undo(connection, found, all_or_nothing=True, is_dry_run=False, reason="")
