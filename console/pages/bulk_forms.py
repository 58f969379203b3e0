"""From the form of a bulk change to what the API takes."""

from typing import Any, Final

import msgspec

from console.api.bodies import typed
from console.api.problems import FieldError, ProblemError, invalid
from console.api.routes.bulk_changes import Applying, BulkImport, NewBulkChange
from console.pages.ask import Ask
from console.pages.routes.assignment_list import chosen_by
from console.pages.routes.assignments import TEXTS, setting_field
from console.pages.routes.definitions import json_field
from console.pages.translations import N_
from custom_events.catalog.bulk.requests import Action
from custom_events.matching.effective import SETTINGS

IMPORT: Final = "import"
VERBS: Final[dict[str, str]] = {
    Action.ENABLE: N_("Enable"),
    Action.DISABLE: N_("Disable"),
    Action.CHANGE: N_("Override settings"),
    Action.MOVE: N_("Move to another site"),
    Action.ASSIGN: N_("Assign a definition to sites"),
    Action.COPY: N_("Copy a site's assignments to others"),
    IMPORT: N_("Assignments from CSV"),
}
OF_ASSIGNMENTS: Final = (Action.ENABLE, Action.DISABLE, Action.CHANGE, Action.MOVE)
OF_SITES: Final = (Action.ASSIGN, Action.COPY)
OVERRIDE, INHERIT = "override", "inherit"  # what is done with a setting; "": it stays
Request = NewBulkChange | BulkImport


def read_request(ask: Ask, *, dry_run: bool) -> Request:
    """What the form asks for. Raises 422 with the faults by the names of its fields."""
    action = ask.field("action")
    common = {"dry_run": dry_run, "reason": ask.field("reason"), "mode": "row_by_row"}
    if action == IMPORT:
        return typed({**common, "csv": ask.form.get("csv", "")}, BulkImport)
    if action not in tuple(Action):
        raise invalid(FieldError(field="action", problem="it is missing", remedy=f"one of {', '.join(VERBS)}"))
    try:
        return typed({**common, "actions": [_action(Action(action), ask)]}, NewBulkChange)
    except ProblemError as problem:
        problem.errors = tuple(by_field(error) for error in problem.errors)
        raise


def read_kept(text: str) -> Request:
    """What a preview has kept in its form, to be applied. Raises 422 for what is none of ours."""
    for kind in (NewBulkChange, BulkImport):
        try:
            return msgspec.structs.replace(msgspec.json.decode(text.encode(), type=kind), dry_run=False)
        except (msgspec.DecodeError, UnicodeEncodeError):
            continue
    raise invalid(FieldError(field="request", problem="it is no bulk change", remedy="preview it again"))


def read_mode(ask: Ask) -> Applying:
    """All rows or none, or each by itself."""
    return Applying(mode="row_by_row" if ask.field("mode") == "row_by_row" else "all_or_nothing")


def by_field(error: FieldError) -> FieldError:
    """A fault of the API by the name of the form's field."""
    return msgspec.structs.replace(error, field=error.field.removeprefix("actions[0]."))


def _action(action: Action, ask: Ask) -> dict[str, Any]:
    asked: dict[str, Any] = {"action": action.value, **(_sites(ask) if action in OF_SITES else _assignments(ask))}
    match action:
        case Action.ASSIGN:
            asked |= {name: ask.field(name) for name in ("definition_key", "label")}
            asked["overrides"] = _settings(ask)[0]
        case Action.CHANGE:
            asked["overrides"], asked["inherit"] = _settings(ask)
            if not asked["overrides"] and not asked["inherit"]:
                wrong = "nothing is to change"
                raise invalid(FieldError(field="overrides", problem=wrong, remedy="override or inherit a setting"))
        case Action.MOVE:
            asked["to_site_id"] = _one_site(ask, "to_site_id")
        case Action.COPY:
            asked["from_site_id"] = _one_site(ask, "from_site_id")
        case _:
            pass
    if action in (Action.ASSIGN, Action.CHANGE, Action.COPY):
        asked["publish"] = "publish" in ask.form
    return asked


def _assignments(ask: Ask) -> dict[str, Any]:
    """Those that were ticked, or all that match the filters."""
    if ask.form.get("all") != "yes":
        chosen = ask.ids("assignment_ids")
        if not chosen:
            raise invalid(
                FieldError(
                    field="assignment_ids", problem="none is chosen", remedy="tick some in the list, or take all"
                )
            )
        return {"assignment_ids": list(chosen)}
    filters = msgspec.structs.asdict(chosen_by(msgspec.structs.replace(ask, query=ask.form)))
    filters["definition_key"] = filters.pop("definition")
    return {"assignments": {name: value for name, value in filters.items() if value is not None}}


def _sites(ask: Ask) -> dict[str, Any]:
    """Those that were ticked, or all whose name holds a text."""
    chosen, text = ask.ids("site_ids"), ask.field("sites_search")
    if ask.form.get("every_site") == "yes":
        return {"sites": {"search": text} if text else {}}
    if not chosen:
        raise invalid(FieldError(field="site_ids", problem="no site is chosen", remedy="tick at least one"))
    return {"site_ids": list(chosen)}


def _one_site(ask: Ask, name: str) -> int:
    chosen = ask.ids(name)
    if len(chosen) != 1:
        raise invalid(FieldError(field=name, problem="it is missing", remedy="choose a site"))
    return chosen[0]


def _settings(ask: Ask) -> tuple[dict[str, Any], list[str]]:
    """What is overridden, and what is inherited again."""
    overrides: dict[str, Any] = {}
    inherit: list[str] = []
    for name in SETTINGS:
        how, field = ask.form.get(f"how-{name}", ""), setting_field(name)
        if how == INHERIT:
            inherit.append(name)
        elif how == OVERRIDE:
            overrides[name] = (ask.field(field) or None) if name in TEXTS else json_field(ask, field)
    return overrides, inherit
