"""Schedules of reports: their form with the next five times, their runs, a test of their targets."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from console.api.bodies import typed
from console.api.calls import Call
from console.api.preconditions import tag_of
from console.api.problems import invalid
from console.api.rights import of_some_site
from console.api.routes import report_runs as run_operations
from console.api.routes import report_schedules as operations
from console.api.routes.report_schedules import NewReportSchedule, NextTimes, RuleQuestion
from console.pages import report_forms
from console.pages.ask import Ask
from console.pages.page import Answer, Moved, Pages, Shown, right_of
from console.pages.report_forms import MOST, choices, may_edit
from console.pages.translations import _
from custom_events.access.roles import Role
from custom_events.reports import runs, schedules, specifications
from custom_events.reports.built_in import BUILT_IN

PAGES: Final = Pages()
TIMES: Final = "times"  # value of the button that saves nothing
_CREATE: Final = of_some_site(Role.EDITOR)
_EDIT: Final = right_of(operations.ROUTES, operations.replace_report_schedule)
_RUNS_SHOWN: Final = 20
_ZONE: Final = "Europe/Berlin"


@PAGES.show("/report-schedules/new", right=_CREATE, template="report_schedule_edit.html")
def new_schedule_page(call: Call, ask: Ask) -> Shown:
    """The form that lets a report go out by itself."""
    return _new(call, ask)


def _new(call: Call, ask: Ask) -> Shown:
    key = ask.text("report", longest=63) or ask.form.get("report_key", "")
    report = specifications.get(call.connection, key, only=call.caller.sites()) if key else None
    form = {
        "report_key": key,
        "name": report.name if report else "",
        "every": "week" if report and report.content.period == "last_iso_week" else "day",
        "at": "06:30",
        "time_zone": _ZONE,
        "retries": "5",
        "catch_up": "newest",
        **ask.form,
    }
    return _form(call, ask, form, _("New schedule"), None)


@PAGES.change(
    "/report-schedules/new", right=_CREATE, form=new_schedule_page, template="report_schedule_edit.html", checks=True
)
def create_schedule(call: Call, ask: Ask) -> Answer:
    """Make the schedule, or show when it would be due."""
    if ask.field("do") == TIMES:
        return _with_times(call, ask, _new(call, ask))
    body = typed(report_forms.schedule_body(ask, is_active=True), NewReportSchedule)
    made = operations.create_report_schedule(call, body).content
    return Moved(to=f"report-schedules/{made.id}", said=_("It goes out by itself from now on. Try its targets now."))


@PAGES.show(
    "/report-schedules/{report_schedule_id}",
    right=right_of(operations.ROUTES, operations.read_report_schedule),
    template="report_schedule.html",
)
def schedule_page(call: Call, ask: Ask) -> Shown:
    """When it goes out next and where, and its runs."""
    return _page(call, ask, ())


@PAGES.show("/report-schedules/{report_schedule_id}/edit", right=_EDIT, template="report_schedule_edit.html")
def edit_schedule_page(call: Call, ask: Ask) -> Shown:
    """Its form, as it is stored or as it was typed."""
    return _edited(call, ask)


def _edited(call: Call, ask: Ask) -> Shown:
    stored = schedules.get(call.connection, ask.path["report_schedule_id"], only=call.caller.sites())
    form = dict(ask.form) or report_forms.form_of_schedule(operations.shown(stored))
    page = _form(call, ask, {**form, "if_match": tag_of(stored)}, _("Change %(name)s", name=stored.name), stored.id)
    if (problem := report_forms.targets_problem(operations.shown(stored))) is None:
        return page
    return msgspec.structs.replace(page, content={**page.content, "errors": {"targets": problem}})


@PAGES.change(
    "/report-schedules/{report_schedule_id}/edit",
    right=_EDIT,
    form=edit_schedule_page,
    template="report_schedule_edit.html",
    checks=True,
)
def change_schedule(call: Call, ask: Ask) -> Answer:
    """Save the change, or show when it would be due."""
    if ask.field("do") == TIMES:
        return _with_times(call, ask, _edited(call, ask))
    schedule_id = ask.path["report_schedule_id"]
    stored = schedules.get(call.connection, schedule_id, only=call.caller.sites())
    if (problem := report_forms.targets_problem(operations.shown(stored))) is not None:
        raise invalid(problem)
    body = typed(report_forms.schedule_body(ask, is_active=stored.is_active), NewReportSchedule)
    operations.replace_report_schedule(call, schedule_id, body)
    return Moved(to=f"report-schedules/{schedule_id}", said=_("Saved: it applies from the next run on."))


@PAGES.change("/report-schedules/{report_schedule_id}/pause", right=_EDIT)
def pause_schedule(call: Call, ask: Ask) -> Moved:
    """It makes no runs until it is resumed."""
    return _switched(
        call, ask, is_active=False, said=_("It is paused. What would be due meanwhile is not made up for.")
    )


@PAGES.change("/report-schedules/{report_schedule_id}/resume", right=_EDIT)
def resume_schedule(call: Call, ask: Ask) -> Moved:
    """It makes runs again, from now on."""
    return _switched(call, ask, is_active=True, said=_("It goes out by itself again, from now on."))


@PAGES.change(
    "/report-schedules/{report_schedule_id}/delete",
    right=right_of(operations.ROUTES, operations.delete_report_schedule),
)
def delete_schedule(call: Call, ask: Ask) -> Moved:
    """Remove it; the log of its runs stays."""
    operations.delete_report_schedule(call, ask.path["report_schedule_id"])
    return Moved(to="report-specifications", said=_("The schedule is removed; the log of its runs stays."))


@PAGES.change(
    "/report-schedules/{report_schedule_id}/run",
    right=right_of(operations.ROUTES, operations.run_report_schedule),
)
def run_schedule(call: Call, ask: Ask) -> Moved:
    """Run it now, to its targets."""
    made = operations.run_report_schedule(call, ask.path["report_schedule_id"]).content
    return Moved(to=f"report-runs/{made.id}", said=_("It is made and delivered within a minute."))


@PAGES.change(
    "/report-schedules/{report_schedule_id}/test",
    right=right_of(operations.ROUTES, operations.try_report_delivery),
    form=schedule_page,
    template="report_schedule.html",
)
def try_delivery(call: Call, ask: Ask) -> Shown:
    """A small file to each target now, and what came of it."""
    tried = operations.try_report_delivery(call, ask.path["report_schedule_id"])
    return _page(call, ask, tried.items)


@PAGES.show("/report-runs", right=run_operations.READ, template="report_runs.html")
def runs_page(call: Call, ask: Ask) -> Shown:
    """The log of runs, newest first."""
    state = ask.choice("state", tuple(run_operations.RunState))
    listed = run_operations.list_report_runs(
        call,
        schedule_id=ask.number("schedule_id"),
        report_key=ask.text("report", longest=63),
        state=None if state is None else run_operations.RunState(state),
        order=ask.order(),
        limit=_RUNS_SHOWN,
        after=ask.text("after", longest=2_000),
    )
    content = {"ask": ask, "list": listed, "states": tuple(run_operations.RunState)}
    return Shown(title=_("Runs of reports"), content=content)


@PAGES.show(
    "/report-runs/{report_run_id}",
    right=right_of(run_operations.ROUTES, run_operations.read_report_run),
    template="report_run.html",
)
def run_page(call: Call, ask: Ask) -> Shown:
    """One run: how far it is, its file and where it went."""
    run = run_operations.read_report_run(call, ask.path["report_run_id"])
    stored = runs.get(call.connection, run.id, only=call.caller.sites())
    content = {"run": run, "may_rerun": not stored.is_without_schedule and may_edit(call, run.site_ids)}
    return Shown(title=_("%(name)s (run %(number)s)", name=run.name, number=run.id), content=content)


@PAGES.change(
    "/report-runs/{report_run_id}/rerun",
    right=right_of(run_operations.ROUTES, run_operations.rerun_report),
)
def rerun(call: Call, ask: Ask) -> Moved:
    """Do it again; what was delivered does not go twice."""
    run = run_operations.rerun_report(call, ask.path["report_run_id"])
    return Moved(to=f"report-runs/{run.id}", said=_("It is done again within a minute."))


def _page(call: Call, ask: Ask, tried: Any) -> Shown:
    schedule = operations.read_report_schedule(call, ask.path["report_schedule_id"]).content
    content: dict[str, Any] = {
        "schedule": schedule,
        "times": operations.next_times(schedule.rule, datetime.now(UTC)),
        "runs": run_operations.list_report_runs(call, schedule_id=schedule.id, limit=_RUNS_SHOWN).items,
        "tried": tried,
        "may_edit": may_edit(call, schedule.site_ids),
        "catch_ups": report_forms.CATCH_UPS,
    }
    return Shown(title=schedule.name, content=content)


def _form(call: Call, ask: Ask, form: dict[str, str], title: str, schedule_id: int | None) -> Shown:
    saved = specifications.search(call.connection, only=call.caller.sites(), limit=MOST)
    content = {
        "form": form,
        "errors": report_forms.errors_of(ask.errors),
        "schedule_id": schedule_id,
        "reports": [(report.key, report.name) for report in (*BUILT_IN.values(), *saved)],
        "times": None,
        **choices(call),
    }
    return Shown(title=title, content=content)


def _with_times(call: Call, ask: Ask, page: Shown) -> Shown:
    """The form with what was typed, and when it would be due."""
    rule = report_forms.schedule_body(ask, is_active=True)["rule"]
    report = specifications.get(call.connection, ask.field("report_key"), only=call.caller.sites())
    question = typed({"rule": rule, "period": report.content.period.value}, RuleQuestion)
    times: NextTimes = operations.say_next_times(call, question)
    return msgspec.structs.replace(page, content={**page.content, "times": times})


def _switched(call: Call, ask: Ask, *, is_active: bool, said: str) -> Moved:
    schedule_id = ask.path["report_schedule_id"]
    stored = schedules.get(call.connection, schedule_id, only=call.caller.sites(), lock=True)
    shown = operations.shown(stored)
    fields: dict[str, Any] = {name: getattr(shown, name) for name in NewReportSchedule.__struct_fields__}
    fields |= {"is_active": is_active, "targets": operations.as_given(shown.targets)}
    operations.replace_report_schedule(call, schedule_id, NewReportSchedule(**fields))
    return Moved(to=f"report-schedules/{schedule_id}", said=said)
