"""Saved reports: built-in ones and those that people saved, with their schedules and newest runs; made and changed with their first rows shown."""

from typing import Any, Final

import msgspec

from console.api.bodies import typed
from console.api.calls import Call
from console.api.preconditions import tag_of
from console.api.rights import of_some_site
from console.api.routes import report_runs as run_operations
from console.api.routes import report_schedules as schedule_operations
from console.api.routes import report_specifications as operations
from console.api.routes.report_specifications import (
    NewReportPreview,
    NewReportRun,
    NewReportSpecification,
    ReportReplacement,
)
from console.pages import report_forms
from console.pages.ask import Ask
from console.pages.page import Answer, Moved, Pages, Shown, right_of
from console.pages.report_forms import MOST, choices, may_edit
from console.pages.translations import _
from custom_events.access.roles import Role
from custom_events.catalog import sites
from custom_events.errors import InvalidConfiguration, Transient
from custom_events.reports import specifications
from custom_events.reports.preview import ReportPreview
from custom_events.values.marts import MARTS

PAGES: Final = Pages()
READ: Final = operations.READ
EDIT: Final = of_some_site(Role.EDITOR)
RUNS_SHOWN: Final = 10
PREVIEW: Final = "preview"  # value of the button that saves nothing


@PAGES.show("/report-specifications", right=READ, template="saved_reports.html")
def saved_reports_page(call: Call, ask: Ask) -> Shown:  # noqa: ARG001  (every page takes both)
    """Every report with the schedules that send it, and the newest runs."""
    schedules = schedule_operations.list_report_schedules(call, limit=MOST).items
    content = {
        "reports": operations.list_report_specifications(call, limit=MOST).items,
        "schedules": schedules,
        "runs": run_operations.list_report_runs(call, limit=RUNS_SHOWN).items,
    }
    return Shown(title=_("Saved reports"), content=content)


@PAGES.show("/report-specifications/new", right=EDIT, template="report_edit.html")
def new_report_page(call: Call, ask: Ask) -> Shown:
    """Of which mart; then its form, perhaps as another report has it (`like`)."""
    return _new(call, ask)


def _new(call: Call, ask: Ask) -> Shown:
    like = ask.text("like", longest=63)
    form = dict(ask.form)
    if not form and like:
        report = specifications.get(call.connection, like, only=call.caller.sites())
        form = report_forms.form_of(report.content, report.site_ids) | {"name": f"{report.name} (copy)"}
    elif not form and (mart := ask.choice("mart", tuple(choices(call)["marts_by_name"]))):
        form = report_forms.form_of_mart(mart)
    return _form(call, ask, form, _("New report"), None)


@PAGES.change("/report-specifications/new", right=EDIT, form=new_report_page, template="report_edit.html", checks=True)
def create_report(call: Call, ask: Ask) -> Answer:
    """Save the report, or show its first rows."""
    if ask.field("do") == PREVIEW:
        return _previewed(call, ask, _new(call, ask))
    body = {**report_forms.body_of(ask), "key": ask.field("key")}
    made = operations.create_report_specification(call, typed(body, NewReportSpecification)).content
    return Moved(to=f"report-specifications/{made.key}", said=_("It is saved: run it now, or let it go out by itself."))


@PAGES.show("/report-specifications/{report_key}", right=READ, template="report.html")
def report_page(call: Call, ask: Ask) -> Shown:
    """What it holds, its first rows as they would be now, its schedules and its runs."""
    report = operations.read_report_specification(call, ask.path["report_key"]).content
    mart = MARTS[report.content.mart]
    site_ids = report.site_ids or ()
    preview: ReportPreview | None = None
    problem = ""
    if call.caller.sites() is None or mart.has_sites:
        try:
            body = NewReportPreview(content=report.content, site_ids=report.site_ids)
            preview = operations.preview_report(call, body)
        except (Transient, InvalidConfiguration) as error:
            # The second: a site of it is gone, or a version since knows more that is wrong.
            problem = str(error)
    content: dict[str, Any] = {
        "report": report,
        "columns": [mart.columns[name].title for name in report.content.columns],
        "mart": mart,
        "preview": preview,
        "not_shown": problem,
        "names": sites.names(call.connection, site_ids, len(site_ids)) if site_ids else {},
        "schedules": schedule_operations.list_report_schedules(call, report_key=report.key, limit=MOST).items,
        "runs": run_operations.list_report_runs(call, report_key=report.key, limit=RUNS_SHOWN).items,
        "may_edit": may_edit(call, report.site_ids),
        **choices(call),
    }
    return Shown(title=report.name, content=content)


@PAGES.change("/report-specifications/{report_key}/run", right=READ, form=report_page, template="report.html")
def run_report(call: Call, ask: Ask) -> Moved:
    """Have it made now."""
    body = {"format": ask.field("format") or None, "time_zone": ask.field("time_zone") or None}
    made = operations.run_report(call, ask.path["report_key"], typed(body, NewReportRun)).content
    return Moved(to=f"report-runs/{made.id}", said=_("It is made within a minute. This page shows how far it is."))


@PAGES.show(
    "/report-specifications/{report_key}/edit",
    right=right_of(operations.ROUTES, operations.replace_report_specification),
    template="report_edit.html",
)
def edit_report_page(call: Call, ask: Ask) -> Shown:
    """Its form, as it is stored or as it was typed."""
    return _edited(call, ask)


def _edited(call: Call, ask: Ask) -> Shown:
    report = specifications.get(call.connection, ask.path["report_key"], only=call.caller.sites())
    form = dict(ask.form) or report_forms.form_of(report.content, report.site_ids) | {"name": report.name}
    return _form(call, ask, {**form, "if_match": tag_of(report)}, _("Change %(name)s", name=report.name), report.key)


@PAGES.change(
    "/report-specifications/{report_key}/edit",
    right=right_of(operations.ROUTES, operations.replace_report_specification),
    form=edit_report_page,
    template="report_edit.html",
    checks=True,
)
def change_report(call: Call, ask: Ask) -> Answer:
    """Save the change, or show the first rows of what would be saved."""
    if ask.field("do") == PREVIEW:
        return _previewed(call, ask, _edited(call, ask))
    body = typed(report_forms.body_of(ask), ReportReplacement)
    made = operations.replace_report_specification(call, ask.path["report_key"], body).content
    return Moved(to=f"report-specifications/{made.key}", said=_("Saved: the next run is made by it."))


@PAGES.change(
    "/report-specifications/{report_key}/delete",
    right=right_of(operations.ROUTES, operations.delete_report_specification),
    form=report_page,
    template="report.html",
)
def delete_report(call: Call, ask: Ask) -> Moved:
    """Remove a report that no schedule sends."""
    operations.delete_report_specification(call, ask.path["report_key"])
    return Moved(to="report-specifications", said=_("The report is removed; the log of its runs stays."))


def _form(call: Call, ask: Ask, form: dict[str, str], title: str, key: str | None) -> Shown:
    content: dict[str, Any] = {
        "form": form,
        "errors": report_forms.errors_of(ask.errors),
        "key": key,
        "filter_rows": report_forms.filter_rows(form),
        "preview": None,
        "not_shown": "",
        **choices(call),
    }
    content["mart"] = content["marts_by_name"].get(form.get("mart", ""))
    return Shown(title=title, content=content)


def _previewed(call: Call, ask: Ask, page: Shown) -> Shown:
    """The form with what was typed, and the first rows."""
    body = report_forms.body_of(ask)
    question = typed({"content": body["content"], "site_ids": body["site_ids"]}, NewReportPreview)
    content = dict(page.content)
    try:
        content["preview"] = operations.preview_report(call, question)
    except Transient as error:
        content["not_shown"] = str(error)
    return msgspec.structs.replace(page, content=content)
