"""Whether somebody may is asked again when their operation begins, and while it runs."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from console.api.routes.operations import shown
from custom_events.access import api_keys, people, sessions
from custom_events.access.roles import NOBODY, Caller, Grant, Role
from custom_events.catalog.bulk import changes, choosing
from custom_events.catalog.bulk.requests import Allowed
from custom_events.operations import bulk_changes, operation, rights
from custom_events.operations.operation import State
from custom_events.operations.work import Ending, Work
from custom_events.settings import Settings
from tests.operations.conftest import Make, ask, read
from tests.operations.test_bulk_changes import AT_ONCE, ROWS, assigned, at_row, shops

__all__ = ["shops"]  # a fixture

PASSWORD = "four words and more"
EDITOR = (Grant(role=Role.EDITOR),)


class Asker:
    """Ana, who is editor of all sites, with a session and a key of hers."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        with engine.begin() as connection:
            people.add(
                connection,
                login="root",
                display_name="Somebody",
                grants=(Grant(role=Role.ADMINISTRATOR),),
                actor="test",
                password=PASSWORD,
            )
            ana = people.add(
                connection, login="ana", display_name="Somebody", grants=EDITOR, actor="test", password=PASSWORD
            )
            self.person_id = ana.id
            self.key, secret = api_keys.make(connection, name="k", grants=EDITOR, actor="root", person_id=ana.id)
            token = sessions.begin(
                connection,
                ana.id,
                "ana",
                by="password",
                client_address="",
                user_agent="",
                settings=Settings(_env_file=None),
            )
            self.by_key = self.known(api_keys.caller_of(connection, secret))
            self.by_session = self.known(sessions.caller_of(connection, token, Settings(_env_file=None)))

    @staticmethod
    def known(caller: Caller | None) -> Caller:
        assert caller is not None
        return caller

    def change(self, function: Callable[..., Any], *given: Any, **more: Any) -> None:
        with self.engine.begin() as connection:
            function(connection, *given, **more)


@pytest.fixture
def ana(engine: sa.Engine) -> Asker:
    return Asker(engine)


def revoke_key(ana: Asker) -> None:
    ana.change(api_keys.revoke, ana.key.id, actor="root")


def revoke_session(ana: Asker) -> None:
    ana.change(sessions.revoke, ana.person_id, ana.by_session.session_id, actor="root")


def sign_out(ana: Asker) -> None:
    ana.change(sessions.sign_out, ana.person_id, ana.by_session.session_id, actor="ana")


def disable(ana: Asker) -> None:
    ana.change(people.disable, ana.person_id, actor="root")


def narrow(ana: Asker) -> None:
    ana.change(people.change, ana.person_id, grants=(Grant(role=Role.VIEWER),), actor="root")


def widen(ana: Asker) -> None:
    ana.change(people.change, ana.person_id, grants=(Grant(role=Role.PUBLISHER),), actor="root")


def expire(ana: Asker) -> None:
    ana.change(lambda connection: connection.execute(sa.text("UPDATE app.api_keys SET expires_at = now()")))


def done(_: Work) -> Ending:
    return Ending()


@pytest.mark.parametrize(
    ("by", "lost", "said"),
    [
        ("key", revoke_key, "the API key was revoked"),
        ("session", revoke_session, "the session was revoked"),
        ("key", disable, "or the person is disabled"),
        ("session", disable, "or the person is disabled"),
        ("key", narrow, "ana had the role editor for all sites when this was asked for, and has it no longer"),
        ("session", narrow, "ana had the role editor for all sites"),
        ("key", revoke_session, None),
        ("session", revoke_key, None),
        ("session", sign_out, None),
        ("key", expire, None),
        ("session", widen, None),
    ],
)
def test_what_somebody_took_away_ends_it_and_what_ended_by_itself_does_not(
    engine: sa.Engine, runner_of: Make, ana: Asker, by: str, lost: Callable[[Asker], None], said: str | None
) -> None:
    number = ask(engine, caller=ana.by_key if by == "key" else ana.by_session)
    lost(ana)
    assert runner_of(done).run_next()
    found = read(engine, number)
    if said is None:
        assert (found.state, found.problem) == (State.SUCCEEDED, None)
        return
    problem = shown(found).problem
    assert problem is not None
    assert (found.state, problem.status) == (State.FAILED, 403)
    assert said in problem.detail
    assert problem.type.endswith("forbidden")


def test_only_its_sites_count_and_only_the_role_that_it_needs(
    engine: sa.Engine, runner_of: Make, ana: Asker, shops: list[int]
) -> None:
    first, second = (ask(engine, caller=ana.by_key, site_ids=[shop]) for shop in shops[:2])
    looking = ask(engine, caller=ana.by_key, site_ids=[shops[1]], role=Role.VIEWER)
    grants = (Grant(role=Role.EDITOR, site_id=shops[0]), Grant(role=Role.VIEWER, site_id=shops[1]))
    ana.change(people.change, ana.person_id, grants=grants, actor="root")
    runner = runner_of(done)
    while runner.run_next():
        pass
    assert [read(engine, one).state for one in (first, second, looking)] == [
        State.SUCCEEDED,
        State.FAILED,
        State.SUCCEEDED,
    ]


@pytest.mark.parametrize("all_or_nothing", [True, False])
def test_it_is_heard_while_a_bulk_change_runs(
    engine: sa.Engine,
    runner_of: Make,
    ana: Asker,
    shops: list[int],
    monkeypatch: pytest.MonkeyPatch,
    all_or_nothing: bool,
) -> None:
    monkeypatch.setattr(bulk_changes, "COMMITTED_AT_ONCE", AT_ONCE)
    allowed = Allowed(viewer=None, editor=None, publisher=frozenset())
    action = choosing.BulkAction(
        action=choosing.Action.ASSIGN, site_ids=tuple(shops), definition_key="bought", label="a"
    )
    with engine.begin() as connection:
        plan = choosing.prepare(
            connection, [action], allowed, all_or_nothing=all_or_nothing, is_dry_run=False, reason=""
        )
        kept = changes.begin(connection, plan, "ana")
    request = bulk_changes.request_of(plan, allowed, kept)
    number = ask(engine, request=request, site_ids=plan.site_ids, caller=ana.by_key, needs=Role.PUBLISHER)
    runner = runner_of(bulk_changes.run_bulk_change)

    def happens() -> None:
        revoke_key(ana)
        runner.beat()

    at_row(monkeypatch, AT_ONCE, happens)
    assert runner.run_next()
    found = read(engine, number)
    assert (found.state, found.problem is not None and found.problem["kind"]) == (State.FAILED, "RefusedError")
    assert assigned(engine) == (0 if all_or_nothing else 2 * AT_ONCE) < ROWS


def test_whoever_asked_sees_it_while_they_see_its_sites(engine: sa.Engine, ana: Asker, shops: list[int]) -> None:
    """Rows of a bulk change on sites of which they are viewer fail, and they are told so."""
    grants = (Grant(role=Role.EDITOR, site_id=shops[0]), Grant(role=Role.VIEWER, site_id=shops[1]))
    kept: dict[str, Any] = {"site_ids": shops[:2], "needs": Role.PUBLISHER}
    number = ask(engine, caller=ana.by_key, **kept)
    by_key, by_session = (msgspec.structs.replace(caller, grants=grants) for caller in (ana.by_key, ana.by_session))
    other_key = msgspec.structs.replace(by_key, id=by_key.id + 1)
    other = msgspec.structs.replace(by_session, name="ben")
    narrowed = msgspec.structs.replace(by_key, grants=grants[:1])

    def seen(caller: Caller) -> tuple[bool, bool]:
        with engine.connect() as connection:
            listed = [asked.id for asked in operation.search(connection, caller, limit=10)]
            return operation.is_seen(operation.get(connection, number), caller), listed == [number]

    assert seen(by_key) == seen(by_session) == (True, True)
    assert seen(other_key) == seen(other) == seen(narrowed) == seen(NOBODY) == (False, False)
    everywhere = Grant(role=Role.EDITOR)
    assert seen(msgspec.structs.replace(other, grants=(everywhere,))) == (True, True)


def test_many_sites_are_looked_at_as_fast_as_few(engine: sa.Engine, ana: Asker) -> None:
    """It is looked at each second, beside what runs: thousands of grants and of sites are not compared one by one."""
    some = tuple(Grant(role=Role.EDITOR, site_id=number) for number in range(1, 4_000))
    asker = rights.asker_of(msgspec.structs.replace(ana.by_key, grants=some), Role.EDITOR)
    compared = 0

    class Counted(Caller, frozen=True, kw_only=True):
        def may(self, role: Role, site_id: int | None = None) -> bool:
            nonlocal compared
            compared += 1
            return super().may(role, site_id)

    with engine.connect() as connection, pytest.MonkeyPatch.context() as patch:
        patch.setattr(rights, "Caller", Counted)
        rights.check(connection, asker, "ana", tuple(range(1, 4_000)))
    assert compared < 10
