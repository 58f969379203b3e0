"""Forms of reports and their schedules: from fields to what operations take, and back."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from console.api.calls import Call
from console.api.problems import FieldError
from console.api.routes.report_schedules import ReportSchedule
from console.pages.ask import Ask
from console.pages.translations import N_, _, translated
from console.pages.visible import site_choice
from custom_events.access.roles import Role
from custom_events.report_files.table import FORMATS
from custom_events.reports.content import MOST_FILTERS, Operator, ReportContent
from custom_events.reports.periods import WORDS
from custom_events.reports.rules import WEEKDAYS, Every
from custom_events.reports.schedules import CatchUp
from custom_events.values.marts import MARTS, ROW_COUNT

MOST: Final = 200  # reports, schedules of a page
FILTERS: Final = 4  # rows for filters in the form, or as many as the report has
CATCH_UPS: Final = {
    CatchUp.NEWEST: N_("the newest of them"),
    CatchUp.ALL: N_("all of them"),
    CatchUp.NONE: "none",
}
# Where a field of an operation stands in the form.
_FIELDS: Final = (
    ("content.columns", "columns"),
    ("content.filters", "filters"),
    ("content.order", "order_by"),
    ("content.plot", "plot"),
    ("content.", ""),
    ("site_ids", "site_ids"),
    ("rule.", ""),
    ("targets", "targets"),
)


def choices(call: Call) -> dict[str, Any]:
    """What fields may be chosen of."""
    return {
        "marts_by_name": {name: mart for name, mart in MARTS.items() if mart.has_sites or call.caller.sites() is None},
        "periods": [(name.value, words) for name, words in WORDS.items()],
        "formats": [(name, name.upper()) for name in FORMATS],
        "operators": [(operator.value, operator.value.replace("_", " ")) for operator in Operator],
        "sites": site_choice(call),
        "weekdays": [(number, name) for number, name in enumerate(WEEKDAYS, start=1)],
        "rules": [(every.value, _("every %(period)s", period=translated(every.value))) for every in Every],
        "catch_ups": [(catch_up.value, translated(words)) for catch_up, words in CATCH_UPS.items()],
    }


def may_edit(call: Call, site_ids: Sequence[int] | None) -> bool:
    """Whether who looks may change what is of all these sites; None: of all there are."""
    return all(call.caller.may(Role.EDITOR, site_id) for site_id in (site_ids if site_ids is not None else (None,)))


def form_of_mart(name: str) -> dict[str, str]:
    """A form for a mart, with all of its columns that are stored."""
    mart = MARTS[name]
    listed = [column.name for column in mart.columns.values() if column.name != ROW_COUNT]
    return {"mart": name, "columns": "\n".join(listed), "period": "yesterday", "time_zone": "UTC", "format": "csv"}


def form_of(content: ReportContent, site_ids: tuple[int, ...] | None) -> dict[str, str]:
    """A report as its form has it."""
    form = {
        "mart": content.mart,
        "columns": "\n".join(content.columns),
        "period": content.period.value,
        "time_zone": content.time_zone,
        "format": content.format,
        "plot": ", ".join(content.plot),
        "site_ids": ", ".join(map(str, site_ids or ())),
    }
    if content.added_up:
        form["added_up"] = "on"
    if content.order:
        form["order_by"] = content.order[0].column
        form |= {"descending": "on"} if content.order[0].descending else {}
        form["then_by"] = " ".join(f"{'-' * order.descending}{order.column}" for order in content.order[1:])
    for place, row_filter in enumerate(content.filters):
        form[f"filter_column_{place}"] = row_filter.column
        form[f"filter_operator_{place}"] = row_filter.operator.value
        form[f"filter_values_{place}"] = _joined(row_filter.values)
    return form


def body_of(ask: Ask) -> dict[str, Any]:
    """What the form asks for."""
    columns = ask.field("columns").split()
    filters = [
        {
            "column": column,
            "operator": ask.field(f"filter_operator_{place}"),
            "values": _parted(ask.field(f"filter_values_{place}")),
        }
        for place in range(MOST_FILTERS)
        if (column := ask.field(f"filter_column_{place}"))
    ]
    content = {
        "mart": ask.field("mart"),
        "columns": columns,
        "added_up": "added_up" in ask.form,
        "filters": filters,
        "order": [*_orders(ask, columns)],
        "period": ask.field("period"),
        "time_zone": ask.field("time_zone") or "UTC",
        "format": ask.field("format"),
        "plot": _listed(ask.field("plot")),
    }
    return {"name": ask.field("name"), "content": content, "site_ids": list(ask.ids("site_ids")) or None}


def filter_rows(form: Mapping[str, str]) -> range:
    """The rows for filters: usually a few, and as many as a report has that was made elsewhere."""
    used = [place for place in range(MOST_FILTERS) if form.get(f"filter_column_{place}")]
    return range(max(FILTERS, *(place + 1 for place in used)) if used else FILTERS)


def targets_problem(schedule: ReportSchedule) -> FieldError | None:
    """Why the form cannot change a schedule: it would lose targets."""
    kinds = [target.kind for target in schedule.targets]
    if len(set(kinds)) == len(kinds):
        return None
    return FieldError(
        field="targets",
        problem="this schedule has several targets of one kind, and the form has a place for one of each",
        remedy=f"change it by the API (PUT /api/v1/report-schedules/{schedule.id}), or make two schedules of it",
    )


def form_of_schedule(schedule: ReportSchedule) -> dict[str, str]:
    """A schedule as its form has it; secrets are never shown."""
    form = {
        "report_key": schedule.report_key,
        "name": schedule.name,
        "every": schedule.rule.every.value,
        "at": schedule.rule.at,
        "weekday": str(schedule.rule.weekday),
        "month_day": str(schedule.rule.month_day),
        "time_zone": schedule.rule.time_zone,
        "format": schedule.format or "",
        "catch_up": schedule.catch_up.value,
        "retries": str(schedule.retries),
        "retention_days": "" if schedule.retention_days is None else str(schedule.retention_days),
        "site_ids": ", ".join(map(str, schedule.site_ids or ())),
    }
    for target in schedule.targets:
        match target.kind:
            case "folder":
                form["folder"] = target.folder or "."
            case "email":
                form["email"] = ", ".join(target.to or ())
            case "webhook":
                form["webhook"] = target.url or ""
            case "s3":
                form |= {name: getattr(target, name) or "" for name in ("bucket", "prefix", "endpoint", "region")}
    return form


def schedule_body(ask: Ask, *, is_active: bool) -> dict[str, Any]:
    """What the form asks for: one target of each kind at most."""
    rule = {
        "every": ask.field("every"),
        "at": ask.field("at"),
        "weekday": _number(ask.field("weekday"), 1),
        "month_day": _number(ask.field("month_day"), 1),
        "time_zone": ask.field("time_zone") or "UTC",
    }
    return {
        "report_key": ask.field("report_key"),
        "name": ask.field("name"),
        "rule": rule,
        "targets": [*_targets(ask)],
        "site_ids": list(ask.ids("site_ids")) or None,
        "format": ask.field("format") or None,
        "catch_up": ask.field("catch_up") or CatchUp.NEWEST.value,
        "retries": _number(ask.field("retries"), 5),
        "retention_days": _number(ask.field("retention_days"), None),
        "is_active": is_active,
    }


def _targets(ask: Ask) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = []
    if folder := ask.field("folder"):
        listed.append({"kind": "folder", "folder": "" if folder == "." else folder})
    if emails := _listed(ask.field("email")):
        listed.append({"kind": "email", "to": emails})
    if bucket := ask.field("bucket"):
        more = ("prefix", "endpoint", "region", "access_key_id", "secret_access_key")
        more_fields = {name: value for name in more if (value := ask.field(name))}
        listed.append({"kind": "s3", "bucket": bucket, **more_fields})
    if url := ask.field("webhook"):
        secret = ask.field("signing_secret")
        listed.append({"kind": "webhook", "url": url, **({"signing_secret": secret} if secret else {})})
    return listed


def errors_of(errors: Mapping[str, FieldError]) -> dict[str, FieldError]:
    """Errors by the fields of the form, the first of each."""
    named: dict[str, FieldError] = {}
    for path, error in errors.items():
        field = path
        for start, name in _FIELDS:
            if path.startswith(start):
                field = name or path.removeprefix(start)
                break
        named.setdefault(field, msgspec.structs.replace(error, field=field))
    return named


def _orders(ask: Ask, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """By which columns rows are sorted: the chosen one, then those that a report made elsewhere has beside it."""
    first = ask.field("order_by")
    if not first:
        return
    yield {"column": first, "descending": "descending" in ask.form}
    for word in ask.field("then_by").split():
        column = word.removeprefix("-")
        if column != first and column in columns:
            yield {"column": column, "descending": word.startswith("-")}


def _joined(values: Sequence[str]) -> str:
    """Values with commas between; one that has a comma itself stands in quotation marks."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows([value] for value in values)
    return ", ".join(written.getvalue().splitlines())


def _parted(text: str) -> list[str]:
    """The values that `_joined` wrote, or a person in the same way."""
    try:
        (row,) = csv.reader([" ".join(text.splitlines())], skipinitialspace=True)
    except csv.Error:  # far longer than any value may be, which is said beside the field
        return [text]
    return [value for part in row if (value := part.strip())]


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.replace("\n", ",").split(",") if part.strip()]


def _number(text: str, otherwise: int | None) -> Any:
    """A whole number; what is none stays text, which the operation refuses by name."""
    if not text:
        return otherwise
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text  # noqa: PLR2004  (ours are small)
