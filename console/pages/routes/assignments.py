"""One assignment: what it inherits and overrides; made, switched on and off, overridden, published. The list of all: assignment_list.py."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from console.api.bodies import typed
from console.api.calls import Call
from console.api.preconditions import tag_of
from console.api.problems import FieldError, invalid
from console.api.rights import of_some_site
from console.api.routes import assignment_revisions as revision_operations
from console.api.routes import assignments as operations
from console.api.routes.assignment_revisions import NewAssignmentRevision
from console.api.routes.assignments import AssignmentReplacement, NewAssignment
from console.api.routes.sites import Reason
from console.pages.ask import ROWS, Ask, path_value
from console.pages.differences import Difference, of_overrides
from console.pages.page import Moved, Pages, Shown, right_of
from console.pages.routes.definitions import json_field
from console.pages.toasts import is_own
from console.pages.translations import _
from console.pages.visible import action_choice, site_choice
from custom_events.access.roles import Role
from custom_events.catalog import ads, assignments, definition_lists, definitions, sites
from custom_events.catalog.configurations import stored_config
from custom_events.catalog.files.meanings import CONSENT_POLICIES
from custom_events.matching.effective import SETTINGS

PAGES: Final = Pages()
ALSO: Final = "also"
_MOST_DEFINITIONS: Final = 500  # in one field to choose from
TEXTS: Final = ("group", "consent_needed", "valid_from", "valid_until", "ads_action")  # typed as they are, not as JSON
_LONGEST_BACK: Final = 2_000  # characters of a list's query
_EDIT: Final = right_of(operations.ROUTES, operations.replace_assignment)
QUICK: Final = ("ads_action", "priority", "click_window_days", "consent_needed")  # what the list changes in place
NO_ACTION: Final = "none"  # in place of an ads action: recorded, and sent nowhere
_PUBLISH: Final = right_of(revision_operations.ROUTES, revision_operations.publish_assignment_revision)
_ROLL_BACK: Final = right_of(revision_operations.ROUTES, revision_operations.roll_back_assignment)
_CREATE: Final = of_some_site(Role.EDITOR)


@PAGES.show("/assignments/new", right=_CREATE, template="assignment_new.html")
def new_assignment_page(call: Call, ask: Ask) -> Shown:
    """The form that applies a definition to a site."""
    choice = site_choice(call, Role.EDITOR)
    known = definition_lists.search(call.connection, limit=_MOST_DEFINITIONS)
    form = {"site_id": ask.query.get("site_id", ""), "definition_key": ask.query.get("definition", ""), **ask.form}
    content = {
        "form": form,
        "errors": ask.errors,
        "sites": choice,
        "definitions": [
            (definition.key, f"{definition.name} ({definition.key})")
            for definition in known
            if definition.state != "retired"
        ],
    }
    return Shown(title=_("New assignment"), content=content)


@PAGES.change("/assignments/new", right=_CREATE, form=new_assignment_page, checks=True)
def create_assignment(call: Call, ask: Ask) -> Moved:
    """Apply a definition to a site, as a draft without overrides."""
    written = ask.field("site_id")
    site_id = int(written) if written.isdecimal() and len(written) < len(str(2**63)) else 0
    if not call.caller.may(Role.VIEWER, site_id) or not site_id:
        raise invalid(FieldError(field="site_id", problem="it is none of your sites", remedy="one of the list"))
    call.require(Role.EDITOR, site_id)
    body = {name: ask.field(name) for name in ("definition_key", "label", "reason")}
    sites.get(call.connection, site_id)
    made = operations.create_assignment(call, site_id, typed(body, NewAssignment)).content
    return Moved(to=f"assignments/{made.id}", said=_("It is a draft: set what it overrides, then publish it."))


@PAGES.show(
    "/assignments/{assignment_id}",
    right=right_of(operations.ROUTES, operations.read_assignment),
    template="assignment.html",
)
def assignment_page(call: Call, ask: Ask) -> Shown:
    """What applies, setting by setting, inherited or overridden; the draft beside it, and every revision."""
    assignment = operations.read_assignment(call, ask.path["assignment_id"]).content
    content: dict[str, Any] = {
        "assignment": assignment,
        "site": sites.get(call.connection, assignment.site_id),
        "definition": definitions.get(call.connection, assignment.definition_key),
        "actions": _action_names(call, assignment),
        "history": revision_operations.list_assignment_revisions(call, assignment.id, limit=ROWS).items,
        "changes": _changes(call, assignment.id, assignment.published_number, assignment.newest_number)
        if assignment.draft
        else (),
        "warnings": assignments.warnings(call.connection, assignment.id) if assignment.effective is not None else (),
    }
    return Shown(title=f"{assignment.definition_key}: {assignment.label}", content=content)


@PAGES.show("/assignments/{assignment_id}/edit", right=_EDIT, template="assignment_edit.html")
def edit_page(call: Call, ask: Ask) -> Shown:
    """For each setting what is inherited, and what takes its place."""
    stored = assignments.get(call.connection, ask.path["assignment_id"])
    newest = assignments.revision(call.connection, stored.id, stored.newest_number)
    inherited = _inherited(call, stored.definition_key)
    form = {
        setting_field(name): _typed(name, newest.payload[name]) for name in (*SETTINGS, ALSO) if name in newest.payload
    }
    form |= {f"on-{name}": "on" for name in newest.payload}
    if "expected" in ask.form:
        form = _with_quick(form, ask.form)
    elif ask.form:
        form = dict(ask.form)
    content: dict[str, Any] = {
        "assignment": stored,
        "site": sites.get(call.connection, stored.site_id),
        "inherited": inherited,
        "settings": SETTINGS,
        "texts": TEXTS,
        "form": {**form, "if_match": tag_of(stored)},
        "errors": ask.errors,
        "quick": quick_choices(call),
        "stored": newest,
    }
    return Shown(
        title=_("Override: %(definition_key)s, %(label)s", definition_key=stored.definition_key, label=stored.label),
        content=content,
    )


@PAGES.change("/assignments/{assignment_id}/edit", right=_EDIT, form=edit_page, checks=True)
def override(call: Call, ask: Ask) -> Moved:
    """Keep the overrides as a draft; refused where somebody else changed them since they were read (the form's `if_match`)."""
    overrides: dict[str, object] = {}
    for name in (*SETTINGS, ALSO):
        if f"on-{name}" in ask.form:
            overrides[name] = (
                (ask.field(setting_field(name)) or None) if name in TEXTS else json_field(ask, setting_field(name))
            )
    body = {"overrides": overrides, "reason": ask.field("reason")}
    made = operations.replace_assignment(call, ask.path["assignment_id"], typed(body, AssignmentReplacement)).content
    if made.draft is None:
        return Moved(to=f"assignments/{made.id}", said=_("Nothing differs from what applies."))
    return Moved(
        to=f"assignments/{made.id}",
        said=_("Revision %(newest_number)s is a draft: publish it.", newest_number=made.newest_number),
    )


@PAGES.show("/assignments/{assignment_id}/quick", right=_EDIT, template="assignment_quick.html")
def quick_page(call: Call, ask: Ask) -> Shown:
    """The commonest settings alone, which the list shows in its row; `back`: how the list was filtered."""
    shown = operations.shown(call, assignments.get(call.connection, ask.path["assignment_id"]))
    content: dict[str, Any] = {
        "assignment": shown,
        "newest": shown.draft or shown.published,
        "quick": quick_choices(call),
        "back": ask.text("back", longest=_LONGEST_BACK) or "",
    }
    return Shown(
        title=_("Change: %(definition_key)s, %(label)s", definition_key=shown.definition_key, label=shown.label),
        content=content,
    )


@PAGES.change("/assignments/{assignment_id}/quick", right=_EDIT, form=edit_page)
def quick_edit(call: Call, ask: Ask) -> Moved:
    """Change the commonest settings in place: as a draft, or at once. What is empty is inherited. Where somebody else drafted since the
    list was read (`expected`), nothing is written, and the whole form shows both."""
    assignment_id, overrides = ask.path["assignment_id"], dict[str, object]()
    for name in QUICK:
        if written := ask.field(setting_field(name)):
            no_action = name == "ads_action" and written == NO_ACTION
            overrides[name] = None if no_action else written if name in TEXTS else json_field(ask, setting_field(name))
    read = typed({"overrides": overrides}, AssignmentReplacement).overrides
    inherit = [name for name in QUICK if name not in overrides]
    whole = assignments.merged(call.connection, assignment_id, read, inherit)
    body = {
        "overrides": whole,
        "expected": path_value("number", ask.field("expected") or "0"),
        "reason": ask.field("reason"),
    }
    made = revision_operations.draft_assignment_revision(
        call, assignment_id, typed(body, NewAssignmentRevision)
    ).content
    said = _("Revision %(number)s is a draft: publish it.", number=made.number)
    if "publish" in ask.form:
        stored = assignments.get(call.connection, assignment_id)
        call.require(Role.PUBLISHER, stored.site_id)
        revision_operations.publish_assignment_revision(call, assignment_id, made.number)
        said = _("Revision %(number)s applies from the next batch on.", number=made.number)
    return _back(ask, said)


@PAGES.change("/assignments/{assignment_id}/publish/{number}", right=_PUBLISH)
def publish(call: Call, ask: Ask) -> Moved:
    """Let the draft apply."""
    number = ask.path["number"]
    revision_operations.publish_assignment_revision(call, ask.path["assignment_id"], number)
    return _back(ask, _("Revision %(number)s applies from the next batch on.", number=number))


@PAGES.change("/assignments/{assignment_id}/rollback/{number}", right=_ROLL_BACK)
def roll_back(call: Call, ask: Ask) -> Moved:
    """Publish an older revision's overrides again, as a new revision."""
    number, reason = ask.path["number"], Reason(reason=ask.field("reason"))
    made = revision_operations.roll_back_assignment(call, ask.path["assignment_id"], number, reason).content
    return _back(
        ask,
        _("Revision %(number)s has the overrides of revision %(source)s.", number=made.number, source=number),
    )


@PAGES.change("/assignments/{assignment_id}/enable", right=right_of(operations.ROUTES, operations.enable_assignment))
def enable(call: Call, ask: Ask) -> Moved:
    """Let it match."""
    operations.enable_assignment(call, ask.path["assignment_id"], Reason(reason=ask.field("reason")))
    return _back(ask, _("It is enabled, and matches from the next batch on."))


@PAGES.change("/assignments/{assignment_id}/disable", right=right_of(operations.ROUTES, operations.disable_assignment))
def disable(call: Call, ask: Ask) -> Moved:
    """Let it match nothing; what it made stays."""
    operations.disable_assignment(call, ask.path["assignment_id"], Reason(reason=ask.field("reason")))
    return _back(ask, _("It is disabled, and matches nothing from the next batch on."))


def _back(ask: Ask, said: str) -> Moved:
    """To the assignment; to the list, as it was filtered, where it was changed there (`back`)."""
    own = f"assignments/{ask.path['assignment_id']}"
    if "back" not in ask.form:
        return Moved(to=own, said=said)
    to = f"assignments{ask.field('back')}"
    return Moved(to=to if is_own(to) else "assignments", said=said, about=own)


def quick_choices(call: Call) -> dict[str, Any]:
    """What the forms for settings offer: ads actions by reference (with too many to choose from they are typed), consent policies with their sentences."""
    offered = action_choice(call)
    return {
        "actions": [(action.reference, f"{action.name} ({action.reference})") for action in offered.choices],
        "are_typed": offered.is_typed,
        "policies": CONSENT_POLICIES,
        "settings": QUICK,
        "no_action": NO_ACTION,
    }


def _action_names(call: Call, assignment: Any) -> dict[str, str]:
    """What the ads action that applies is called, by reference."""
    reference = assignment.effective.config.ads_action if assignment.effective is not None else None
    if not reference:
        return {}
    customer_id, __, action_id = reference.partition("/")
    known = ads.actions(call.connection, customer_id)
    return {action.reference: action.name for action in known if action.action_id == action_id}


def _with_quick(form: dict[str, str], typed_in: Mapping[str, str]) -> dict[str, str]:
    """What is stored, with what was typed in the list."""
    merged = {**form, "reason": typed_in.get("reason", "")}
    for name in QUICK:
        written = typed_in.get(setting_field(name), "").strip()
        merged[setting_field(name)] = "" if written == NO_ACTION else written
        merged |= {f"on-{name}": "on" if written else ""}
    return merged


def setting_field(setting: str) -> str:
    """A setting's field in the form: as problems name it."""
    return f"overrides.{setting}"


def _typed(name: str, value: Any) -> str:
    if name in TEXTS:
        return "" if value is None else str(value)
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _inherited(call: Call, definition_key: str) -> Any:
    """The settings of the definition's published revision, of the newest one where nothing is published."""
    owner = definitions.get(call.connection, definition_key)
    number = owner.published_number or owner.newest_number
    return stored_config(definitions.revision(call.connection, definition_key, number).payload)


def _changes(call: Call, assignment_id: int, old: int | None, new: int) -> tuple[Difference, ...]:
    if old == new:
        return ()
    before = None if old is None else assignments.revision(call.connection, assignment_id, old).payload
    return of_overrides(before, assignments.revision(call.connection, assignment_id, new).payload)
