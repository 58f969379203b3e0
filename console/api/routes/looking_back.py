"""Backtests and replays: what a draft would have made of stored history, and the past through today's rules."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from console.api import problems
from console.api.calls import Answer, Call
from console.api.operations import Routes
from console.api.problems import FieldError, ProblemError, Reference
from console.api.rights import of_some_site
from console.api.routes import operations as shown_operations
from console.api.routes.operations import LongOperation, under_way
from console.api.routes.revisions import LAST_NUMBER
from console.api.translation import placed
from custom_events.access.roles import Role
from custom_events.catalog import assignments, definitions, sites
from custom_events.catalog.configurations import read_config, read_overrides, to_plain
from custom_events.errors import NotFound
from custom_events.operations import looking_back, operation
from custom_events.values.definitions import DefinitionConfig, Overrides
from custom_events.values.numbers import MAX_ID
from custom_events.values.times import FIRST_YEAR, LAST_YEAR

ROUTES: Final = Routes(
    "looking back", "Rules against stored history: a draft before it is published, and the past by the rules of today."
)
PERIOD: Final = timedelta(days=30)  # that is looked back, unless said otherwise; as the command line does
MOST_SAMPLES: Final = 50  # of each verdict and assignment; as the command line takes


class NewBacktest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What would apply instead of what is published: `definition_key` or `assignment_id` with the revision of this number (the newest
    where none is given), or with `config` and `overrides` in the place of a stored one; `config` alone is a definition of its own; nothing:
    the published rules. `stopped`: as if it were paused. `since` is 30 days before `until`, and that is now, unless given."""

    definition_key: str | None = None
    definition_number: int | None = None
    config: DefinitionConfig | None = None
    assignment_id: int | None = None
    assignment_number: int | None = None
    overrides: Overrides | None = None
    stopped: bool = False
    site_ids: tuple[int, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    samples: int = 3


class NewReplay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which past: of these sites, by all published rules or by those of one definition or assignment. `write`: change just what a dry run
    lists; needs a `reason`. `since` is 30 days before `until`, and that is now, unless given."""

    definition_key: str | None = None
    assignment_id: int | None = None
    site_ids: tuple[int, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    samples: int = 3
    write: bool = False
    reason: str = ""


_ACCEPTED: Final = msgspec.structs.replace(
    shown_operations.EXAMPLE, state=operation.State.WAITING, done=0, total=None, unit="", started_at=None
)


@ROUTES.post(
    "/backtests",
    right=of_some_site(Role.VIEWER),
    status=202,
    answer=LongOperation,
    example=_ACCEPTED,
    body_example=NewBacktest(definition_key="big_order"),
    raises=(problems.BROKEN_REFERENCE,),
)
def ask_for_backtest(call: Call, body: NewBacktest) -> Answer:
    """Compare a draft with what is stored: what it would add, drop and change, by day, what Google would hear of it, and samples that
    explain themselves. Of the sites that you may see. Nothing is written."""
    since, until = _period(body.since, body.until)
    _check_numbers(definition_number=body.definition_number, assignment_number=body.assignment_number)
    chosen = chosen_sites(call, body.site_ids, Role.VIEWER)
    _check_named(call, body.definition_key, body.assignment_id, Role.VIEWER)
    if body.config is not None:
        with placed("config", DefinitionConfig):
            read_config(body.config)
    if body.overrides is not None:
        with placed("overrides", Overrides):
            read_overrides(body.overrides)
    asked = looking_back.BacktestRequest(
        since=since,
        until=until,
        samples=_samples(body.samples),
        site_ids=chosen,
        definition=body.definition_key,
        definition_number=body.definition_number,
        assignment=body.assignment_id,
        assignment_number=body.assignment_number,
        stopped=body.stopped,
    )
    request: dict[str, Any] = msgspec.to_builtins(asked)
    if body.config is not None:
        request["config"] = to_plain(body.config)
    if body.overrides is not None:
        request["overrides"] = to_plain(body.overrides)
    return _ask(call, looking_back.BACKTEST, request, Role.VIEWER, chosen)


@ROUTES.post(
    "/replays",
    right=of_some_site(Role.EDITOR),
    status=202,
    answer=LongOperation,
    example=msgspec.structs.replace(_ACCEPTED, kind="replay"),
    body_example=NewReplay(site_ids=(1,)),
    raises=(problems.BROKEN_REFERENCE,),
)
def ask_for_replay(call: Call, body: NewReplay) -> Answer:
    """Put the raw events of a period through today's understanding, and its stored events through today's published rules. Of the sites
    on which you are editor.

    Without `write` it only lists what would change. Nothing is sent twice: keys and transactions stay taken. Cancelled, what is done stays
    and is right; the next one finds the rest."""
    since, until = _period(body.since, body.until)
    if body.write and not body.reason.strip():
        raise problems.invalid(
            FieldError(field="reason", problem="it is missing", remedy="say why, for the audit trail, when it writes")
        )
    chosen = chosen_sites(call, body.site_ids, Role.EDITOR)
    _check_named(call, body.definition_key, body.assignment_id, Role.EDITOR)
    asked = looking_back.ReplayRequest(
        since=since,
        until=until,
        samples=_samples(body.samples),
        actor=call.actor,
        site_ids=chosen,
        definition=body.definition_key,
        assignment=body.assignment_id,
        reason=body.reason if body.write else None,
    )
    return _ask(call, looking_back.REPLAY, msgspec.to_builtins(asked), Role.EDITOR, chosen)


def _ask(call: Call, kind: str, request: dict[str, Any], role: Role, chosen: Collection[int] | None) -> Answer:
    made = operation.ask(
        call.connection,
        kind,
        request,
        role=role,
        site_ids=chosen,
        actor=call.actor,
        origin=call.origin,
        caller=call.caller,
    )
    return under_way(made)


def _period(since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    """The period. Raises 422 for what is none."""
    for name, moment in (("since", since), ("until", until)):
        if moment is not None and not FIRST_YEAR <= moment.year <= LAST_YEAR:
            remedy = f"a moment of the years {FIRST_YEAR} to {LAST_YEAR}"
            raise problems.invalid(FieldError(field=name, problem="it is out of reach", remedy=remedy))
    end = until if until is not None else datetime.now(UTC)
    begin = since if since is not None else max(end - PERIOD, datetime(FIRST_YEAR, 1, 1, tzinfo=UTC))
    if begin >= end:
        remedy = f"a moment before {end.isoformat()}"
        raise problems.invalid(FieldError(field="since", problem="the period ends before it begins", remedy=remedy))
    return begin, end


def _samples(asked: int) -> int:
    if 0 <= asked <= MOST_SAMPLES:
        return asked
    raise problems.invalid(
        FieldError(field="samples", problem=f"{asked} cannot be used", remedy=f"0 to {MOST_SAMPLES}", value=asked)
    )


def _check_numbers(**numbers: int | None) -> None:
    wrong = [name for name, value in numbers.items() if value is not None and not 1 <= value <= LAST_NUMBER]
    if wrong:
        remedy = f"a revision's number, 1 to {LAST_NUMBER}"
        raise problems.invalid(*(FieldError(field=name, problem="no revision has it", remedy=remedy) for name in wrong))


def chosen_sites(call: Call, asked: tuple[int, ...] | None, role: Role) -> tuple[int, ...] | None:
    """The sites that it is about; None: all. Raises 409 for sites that are not there, or are not the caller's to see, and 403 where
    they may see and not do it."""
    allowed = call.caller.sites(role)
    if asked is None:
        return tuple(sorted(allowed)) if allowed is not None else None
    known = _there(call, asked)
    _refuse_missing(Reference(noun="site", id=str(site_id)) for site_id in asked if site_id not in known)
    for site_id in asked:
        call.require(role, site_id)
    if not asked:
        raise problems.invalid(FieldError(field="site_ids", problem="it is empty", remedy="leave it out for all"))
    return tuple(sorted(set(asked)))


def _there(call: Call, asked: Collection[int]) -> set[int]:
    visible = [site_id for site_id in set(asked) if 1 <= site_id <= MAX_ID and call.caller.may(Role.VIEWER, site_id)]
    return {site.id for site in sites.search(call.connection, only=visible, sort="id", limit=len(visible) + 1)}


def _check_named(call: Call, definition_key: str | None, assignment_id: int | None, role: Role) -> None:
    """Raise 409 for a definition or assignment that is not there, 403 for one that the caller may only see."""
    if definition_key is not None:
        try:
            definitions.get(call.connection, definition_key)
        except NotFound:
            _refuse_missing([Reference(noun="definition", id=definition_key[: problems.SHOWN_CHARACTERS])])
    if assignment_id is not None:
        is_id = 1 <= assignment_id <= MAX_ID
        site_id = assignments.site_of(call.connection, assignment_id) if is_id else None
        if site_id is None or not call.caller.may(Role.VIEWER, site_id):
            _refuse_missing([Reference(noun="assignment", id=str(assignment_id))])
        call.require(role, site_id)


def _refuse_missing(missing: Iterable[Reference]) -> None:
    named = tuple(missing)[: problems.SHOWN_CHARACTERS]
    if named:
        words = ", ".join(f"{reference.noun} {reference.id}" for reference in named)
        raise ProblemError(problems.BROKEN_REFERENCE, f"There is no {words}: name another one.", references=named)
