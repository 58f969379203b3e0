"""Schedules of reports: when they go out and where; a test of their targets, and their next times in words."""

from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
from fastapi import Path, Query

from console.api import problems
from console.api.calls import Answer, Call
from console.api.operations import PREFIX, Routes
from console.api.pages import LIMIT, After, Limit, Page, page_of, read_after
from console.api.problems import ProblemError, Reference
from console.api.routes.report_runs import EXAMPLE as RUN
from console.api.routes.report_runs import ReportRun, shown_run
from console.api.routes.report_specifications import EDIT, READ, edited_sites
from custom_events.access.roles import Role
from custom_events.catalog.configurations import refuse
from custom_events.errors import NotFound
from custom_events.report_files.table import FileFormat
from custom_events.reports import rules, runs, schedules, specifications, targets, trial_delivery
from custom_events.reports.periods import PeriodName
from custom_events.reports.report import Report
from custom_events.reports.rules import Every, ScheduleRule
from custom_events.reports.schedules import CatchUp, Schedule, ScheduleSettings
from custom_events.reports.targets import NewReportTarget, ReportTarget
from custom_events.reports.trial_delivery import TriedTarget
from custom_events.values.numbers import MAX_ID

ROUTES: Final = Routes(
    "report schedules",
    "When reports go out by themselves, and where. What was missed while nothing ran is made up for by choice.",
)
NEXT_TIMES: Final = 5

ReportScheduleId = Annotated[int, Path(ge=1, le=MAX_ID, description="A report schedule's id.")]


class ReportSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule. `next_due_at`: the first moment of which no run was made yet; `in_words`: its rule for people."""

    id: int
    report_key: str
    name: str
    rule: ScheduleRule
    in_words: str
    targets: tuple[ReportTarget, ...]
    site_ids: tuple[int, ...] | None
    format: FileFormat | None
    catch_up: CatchUp
    retries: int
    retention_days: int | None
    is_active: bool
    next_due_at: datetime
    owner: str
    created_at: datetime
    updated_at: datetime


class NewReportSchedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A schedule. `site_ids` null: all of the report's; `format` null: the report's; `catch_up`: which missed runs are made up for;
    `retries`: of a run; `retention_days` of its files, null: as the settings say."""

    report_key: str
    name: str
    rule: ScheduleRule
    targets: tuple[NewReportTarget, ...] = ()
    site_ids: tuple[int, ...] | None = None
    format: FileFormat | None = None
    catch_up: CatchUp = CatchUp.NEWEST
    retries: int = 5
    retention_days: int | None = None
    is_active: bool = True


class RuleQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """When would a rule be due, for a report of this period?"""

    rule: ScheduleRule
    period: PeriodName = PeriodName.YESTERDAY


class NextTimes(msgspec.Struct, frozen=True, kw_only=True):
    """The next five moments, and the same in words by the clocks of the rule's zone."""

    in_words: str
    moments: tuple[datetime, ...]
    moments_in_words: tuple[str, ...]


class TriedTargets(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a small file for each target."""

    items: tuple[TriedTarget, ...]


_NOON: Final = datetime(2026, 11, 30, 12, tzinfo=UTC)
_RULE: Final = ScheduleRule(every=Every.DAY, at="06:30", time_zone="Europe/Berlin")
_EXAMPLE: Final = ReportSchedule(
    id=4,
    report_key="daily_accuracy",
    name="Accuracy for the team",
    rule=_RULE,
    in_words="every day at 06:30, Europe/Berlin",
    targets=(ReportTarget(kind="email", to=("team@example.org",)),),
    site_ids=None,
    format=None,
    catch_up=CatchUp.NEWEST,
    retries=5,
    retention_days=None,
    is_active=True,
    next_due_at=datetime(2026, 12, 1, 5, 30, tzinfo=UTC),
    owner="ana@example.org",
    created_at=_NOON,
    updated_at=_NOON,
)
_NEW: Final = NewReportSchedule(report_key="daily_accuracy", name="Accuracy for the team", rule=_RULE)


@ROUTES.get("/report-schedules", right=READ, answer=Page[ReportSchedule], example=Page(items=(_EXAMPLE,), next=None))
def list_report_schedules(
    call: Call,
    report_key: Annotated[
        str | None, Query(pattern=r"^[a-z][a-z0-9_]{1,62}$", description="Only those of the report of this key.")
    ] = None,
    limit: Limit = LIMIT,
    after: After = None,
) -> Page[ReportSchedule]:
    """The schedules whose sites you may all see."""
    behind = read_after(after, "id", (int,))
    listed = schedules.search(
        call.connection,
        only=call.caller.sites(),
        report_key=report_key,
        after=0 if behind is None else behind[0],
        limit=limit + 1,
    )
    return page_of(listed, limit, "id", lambda schedule: (schedule.id,), shown)


@ROUTES.post(
    "/report-schedules",
    right=EDIT,
    status=201,
    answer=ReportSchedule,
    example=_EXAMPLE,
    body_example=_NEW,
    tagged=True,
    raises=(problems.CONFLICT, problems.BROKEN_REFERENCE),
)
def create_report_schedule(call: Call, body: NewReportSchedule) -> Answer:
    """Let a report go out by itself, from now on. Needs the role editor on all of its sites; a target that is a folder of the server the role
    administrator of all sites."""
    chosen, secrets = _read(call, body)
    schedule = schedules.create(
        call.connection,
        chosen,
        secrets,
        settings=call.settings,
        actor=call.actor,
        now=datetime.now(UTC),
        allowed=call.caller.sites(),
    )
    return Answer(content=shown(schedule), of=schedule, location=f"{PREFIX}/report-schedules/{schedule.id}")


@ROUTES.post(
    "/report-schedules/next-times",
    right=READ,
    answer=NextTimes,
    example=NextTimes(
        in_words="every day at 06:30, Europe/Berlin",
        moments=(datetime(2026, 12, 1, 5, 30, tzinfo=UTC),),
        moments_in_words=("Tuesday, 1 December 2026, 06:30 (UTC+01:00)",),
    ),
    body_example=RuleQuestion(rule=_RULE),
    idempotent=False,
    transaction=False,
)
def say_next_times(call: Call, body: RuleQuestion) -> NextTimes:  # noqa: ARG001  (nothing is stored)
    """When a rule is due next; nothing is kept."""
    refuse(rules.problems(body.rule, body.period))
    return next_times(body.rule, datetime.now(UTC))


@ROUTES.get("/report-schedules/{report_schedule_id}", right=READ, answer=ReportSchedule, example=_EXAMPLE, tagged=True)
def read_report_schedule(call: Call, report_schedule_id: ReportScheduleId) -> Answer:
    """One schedule. What its targets need and nobody may read is not shown."""
    schedule = schedules.get(call.connection, report_schedule_id, only=call.caller.sites())
    return Answer(content=shown(schedule), of=schedule)


@ROUTES.put(
    "/report-schedules/{report_schedule_id}",
    right=EDIT,
    answer=ReportSchedule,
    example=_EXAMPLE,
    body_example=_NEW,
    tagged=True,
    raises=(problems.CONFLICT, problems.BROKEN_REFERENCE),
)
def replace_report_schedule(call: Call, report_schedule_id: ReportScheduleId, body: NewReportSchedule) -> Answer:
    """Change a schedule. Secrets of targets that stay the same are kept where none are given. What was missed while it was paused is not
    made up for."""
    before = _editable(call, report_schedule_id)
    call.check_precondition(before, shown(before), yours=_without_secrets(body))
    chosen, secrets = _read(call, body)
    schedule = schedules.replace(
        call.connection,
        before.id,
        chosen,
        secrets,
        settings=call.settings,
        actor=call.actor,
        now=datetime.now(UTC),
        allowed=call.caller.sites(),
    )
    return Answer(content=shown(schedule), of=schedule)


@ROUTES.delete("/report-schedules/{report_schedule_id}", right=EDIT)
def delete_report_schedule(call: Call, report_schedule_id: ReportScheduleId) -> None:
    """Remove a schedule. Runs of it that have not ended are skipped; the log of the others stays."""
    _editable(call, report_schedule_id)
    schedules.remove(call.connection, report_schedule_id, actor=call.actor)


@ROUTES.post(
    "/report-schedules/{report_schedule_id}/runs",
    right=EDIT,
    status=201,
    answer=ReportRun,
    example=RUN,
)
def run_report_schedule(call: Call, report_schedule_id: ReportScheduleId) -> Answer:
    """Run it now, as if it were due, beside its own runs: made by Dagster within a minute, and delivered to its targets."""
    schedule = _editable(call, report_schedule_id)
    run = runs.ask_of_schedule(call.connection, schedule, actor=call.actor, now=datetime.now(UTC))
    return Answer(content=shown_run(run), location=f"{PREFIX}/report-runs/{run.id}")


@ROUTES.post(
    "/report-schedules/{report_schedule_id}/test-delivery",
    right=EDIT,
    answer=TriedTargets,
    example=TriedTargets(
        items=(TriedTarget(target="e-mail to team@example.org", where="<test@example.org>", problem=None),)
    ),
    idempotent=False,
)
def try_report_delivery(call: Call, report_schedule_id: ReportScheduleId) -> TriedTargets:
    """Bring a small file to each of its targets now, and say what came of it."""
    schedule = _editable(call, report_schedule_id)
    target_secrets = schedules.secrets_of(call.connection, schedule, call.settings)
    return TriedTargets(items=trial_delivery.run(schedule, target_secrets, call.settings, datetime.now(UTC)))


def next_times(rule: ScheduleRule, since: datetime) -> NextTimes:
    """The next five times of a rule without problems."""
    moments = tuple(rules.next_times(rule, since, NEXT_TIMES))
    words = tuple(rules.moment_in_words(moment, rule.time_zone) for moment in moments)
    return NextTimes(in_words=rules.in_words(rule), moments=moments, moments_in_words=words)


def as_given(listed: tuple[ReportTarget, ...]) -> tuple[NewReportTarget, ...]:
    """Targets as they are shown, to be given back: their secrets stay as they are."""
    return tuple(NewReportTarget(**msgspec.structs.asdict(target)) for target in listed)


def shown(schedule: Schedule) -> ReportSchedule:
    """A schedule as the API shows it."""
    computed = ("targets", "in_words")
    fields = {name: getattr(schedule, name) for name in ReportSchedule.__struct_fields__ if name not in computed}
    listed = tuple(targets.shown(target) for target in schedule.targets)
    return ReportSchedule(**fields, targets=listed, in_words=rules.in_words(schedule.rule))


def _read(call: Call, body: NewReportSchedule) -> tuple[ScheduleSettings, schedules.Secrets]:
    """What is to be stored. Raises 403 unless the caller may let these sites' rows go out, and 409 for a report that they do not see."""
    listed, secrets = targets.read(body.targets)
    report = _named(call, body.report_key)
    edited_sites(call, body.site_ids if body.site_ids is not None else report.site_ids)
    if any(target.kind == "folder" for target in body.targets):
        call.require(Role.ADMINISTRATOR, None)
    fields = {name: getattr(body, name) for name in body.__struct_fields__ if name != "targets"}
    return ScheduleSettings(**fields, targets=listed), secrets


def _named(call: Call, report_key: str) -> Report:
    """The report of a schedule. Raises 409 where it is not there, or not the caller's to see."""
    try:
        return specifications.get(call.connection, report_key, only=call.caller.sites())
    except NotFound:
        shown_key = report_key[: problems.SHOWN_CHARACTERS]
        detail = f'There is no report "{shown_key}": name another one.'
        references = (Reference(noun="report", id=shown_key),)
        raise ProblemError(problems.BROKEN_REFERENCE, detail, references=references) from None


def _editable(call: Call, schedule_id: int) -> Schedule:
    """The schedule under a lock. Raises 404, and 403 where the caller may not edit all of its sites."""
    schedule = schedules.get(call.connection, schedule_id, only=call.caller.sites(), lock=True)
    edited_sites(call, schedule.site_ids)
    return schedule


def _without_secrets(body: NewReportSchedule) -> dict[str, object]:
    plain = msgspec.to_builtins(body)
    listed = [
        msgspec.to_builtins(msgspec.convert(target, ReportTarget, from_attributes=True)) for target in body.targets
    ]
    return {**plain, "targets": listed}
