"""Exports of lists: what a list shows as a file, made by a long operation whose page has it."""

from typing import Any, Final, get_args

import msgspec

from console.api.bodies import typed
from console.api.calls import Call
from console.api.problems import FieldError, invalid
from console.api.routes import exports as operations
from console.api.routes.exports import NewExport
from console.pages.ask import Ask
from console.pages.navigation import READ
from console.pages.page import Moved, Pages
from console.pages.routes.assignment_list import FILTERS, chosen_by
from console.pages.translations import _
from custom_events.operations.export_lists import LISTS, ExportFilters, Moment

PAGES: Final = Pages()
_NO_FILTERS: Final = frozenset(("list", "after", "sort", "order", "live", "paused"))  # of the address of a list


@PAGES.change("/exports", right=READ)
def ask_for_export(call: Call, ask: Ask) -> Moved:
    """A list as a file, by the filters that stand in the address; one that an export does not know is an error, so that a file never
    holds more than the list shows."""
    name = ask.choice("list", LISTS) or "uploads"  # pyright: ignore[reportArgumentType]
    filters = _of_assignments(ask) if name == "assignments" else _filters(ask, LISTS[name].filters)  # pyright: ignore[reportArgumentType]
    body = typed({**filters, "list": name, "format": ask.field("format") or "csv"}, NewExport)
    answer = operations.ask_for_export(call, body)
    return Moved(to=f"operations/{answer.content.id}", said=_("The file is made; this page has it when it is ready."))


def _filters(ask: Ask, known: tuple[str, ...]) -> dict[str, Any]:
    _refuse_others(ask, {"site_id", *known})
    kinds = {field.name: get_args(field.type) for field in msgspec.structs.fields(ExportFilters)}
    values: dict[str, Any] = {}
    for name in ("site_id", *known):
        if Moment in kinds[name]:
            moment = ask.moment(name)
            values[name] = None if moment is None else moment.isoformat()
        elif int in kinds[name]:
            values[name] = ask.number(name)
        else:
            values[name] = ask.flag(name) if bool in kinds[name] else ask.text(name)
    return values


def _of_assignments(ask: Ask) -> dict[str, Any]:
    _refuse_others(ask, set(FILTERS))
    chosen = msgspec.structs.asdict(chosen_by(ask))
    return {"definition_key" if name == "definition" else name: value for name, value in chosen.items()}


def _refuse_others(ask: Ask, known: set[str]) -> None:
    others = [name for name, value in ask.query.items() if value and name not in known | _NO_FILTERS]
    if others:
        raise invalid(
            *(
                FieldError(
                    field=name, place="query", problem="no export knows this filter", remedy="the list without it"
                )
                for name in others
            )
        )
