"""Writing definitions: the form for a new one and for a draft, checked and tried while it is filled in, and merged where two write at once."""

from collections.abc import Mapping
from typing import Any, Final

from console.api import problems
from console.api.bodies import typed
from console.api.calls import Call
from console.api.problems import ProblemError
from console.api.routes import conditions, rule_tests
from console.api.routes import definition_revisions as revision_operations
from console.api.routes import definitions as operations
from console.api.routes.assignments import list_assignments
from console.api.routes.conditions import NewSettingsCheck
from console.api.routes.definitions import NewDefinition
from console.api.routes.revisions import NewDefinitionRevision
from console.api.routes.rule_tests import NewRecentMatches
from console.api.translation import problem_of
from console.pages.ask import Ask, path_value
from console.pages.definition_form import PREFIX, form_of, settings_of
from console.pages.definition_words import CHOICES, setting_in_words
from console.pages.merging import TAKE, merge_rows, merged
from console.pages.page import Moved, Pages, Shown, right_of
from console.pages.translations import _, translated
from console.pages.visible import site_choice
from custom_events.access.roles import Role
from custom_events.catalog import definitions
from custom_events.catalog.configurations import read_config, to_plain
from custom_events.catalog.files.meanings import MEANINGS
from custom_events.errors import CustomEventsError, InvalidConfiguration
from custom_events.values.events import EventType

PAGES: Final = Pages()
_START: Final = {
    "trigger": ["order.paid"],
    "conditions": {"field": "order.total", "op": ">=", "value": 200, "currency": "EUR"},
}
_DRAFT: Final = right_of(revision_operations.ROUTES, revision_operations.draft_definition_revision)
_CREATE: Final = right_of(operations.ROUTES, operations.create_definition)
_CHECK: Final = right_of(conditions.ROUTES, conditions.check_definition_settings)
_TEXTS: Final = ("key", "name", "description", "reason")
_ON_SITE: Final = "try_site"  # the field that names the site on whose newest events settings are tried
_KEY: Final = "try_key"  # and the definition that they stand in for there


@PAGES.show("/definitions/new", right=_CREATE, template="definition_edit.html")
def new_definition_page(call: Call, ask: Ask) -> Shown:
    """The form for a new definition."""
    return _form(call, ask, _("New definition"), ask.form or form_of(_START))


@PAGES.change("/definitions/new", right=_CREATE, form=new_definition_page)
def create_definition(call: Call, ask: Ask) -> Moved:
    """Make it, as a draft."""
    body = {**{name: ask.field(name) for name in _TEXTS}, "config": settings_of(ask)}
    made = operations.create_definition(call, typed(body, NewDefinition)).content
    return Moved(
        to=f"definitions/{made.key}", said=_("%(name)s is a draft: publish it, and assign it to sites.", name=made.name)
    )


@PAGES.show("/definitions/{definition_key}/edit", right=_DRAFT, template="definition_edit.html")
def edit_page(call: Call, ask: Ask) -> Shown:
    """The form for a draft, made from the newest revision. Where somebody else drafted in between: what each of the two changed."""
    definition = _definition(call, ask)
    newest = definitions.revision(call.connection, definition.key, definition.newest_number)
    title = _("Edit %(name)s", name=definition.name)
    if not ask.form:
        form = {**form_of(newest.payload), "expected": str(newest.number)}
        return _form(call, ask, title, form, definition)
    mine = _settings(call, ask)
    if ask.errors or mine is None or _expected(ask) == newest.number:
        form = ask.form if mine is None or not ask.form.get("base") else _with(ask.form, mine)
        return _form(call, ask, title, form, definition)
    base = definitions.revision(call.connection, definition.key, _expected(ask)).payload
    content = {
        "definition": definition,
        "rows": merge_rows(base, newest.payload, mine, setting_in_words),
        "newest": newest,
        "kept": _kept(ask, mine, base=str(_expected(ask)), expected=str(newest.number)),
    }
    return Shown(title=title, content=content, template="definition_merge.html")


@PAGES.change("/definitions/{definition_key}/edit", right=_DRAFT, form=edit_page)
def draft(call: Call, ask: Ask) -> Moved | Shown:
    """Keep what was typed as a draft, or, of what was merged, go on with it in the form. Where somebody else drafted in between, nothing
    is written and both sides are shown."""
    key, expected = ask.path["definition_key"], _expected(ask)
    config = _settings(call, ask)
    if config is None:
        config = settings_of(ask)
    elif ask.form.get("go") == "edit":
        definition = _definition(call, ask)
        return _form(call, ask, _("Edit %(name)s", name=definition.name), _with(ask.form, config), definition)
    body = {"config": config, "expected": expected, "reason": ask.field("reason")}
    made = revision_operations.draft_definition_revision(call, key, typed(body, NewDefinitionRevision)).content
    said = _("Revision %(number)s is a draft: it applies once it is published.", number=made.number)
    return Moved(to=f"definitions/{key}", said=said, about=f"definitions/{key}/publish/{made.number}")


@PAGES.change("/definitions/check", right=_CHECK, template="definition_check.html")
def check(call: Call, ask: Ask) -> Shown:
    """A part of the form, asked for while somebody types: the sentence that the settings make, and what is wrong with them."""
    try:
        answer = conditions.check_definition_settings(call, NewSettingsCheck(config=settings_of(ask)))
    except ProblemError as problem:
        return Shown(title="", content={"found": None, "errors": problem.errors})
    return Shown(title="", content={"found": answer, "errors": (), "prefix": PREFIX})


@PAGES.change("/definitions/try", right=_CHECK, template="definition_try.html")
def try_out(call: Call, ask: Ask) -> Shown:
    """A part of the form, asked for while somebody types: how many of a site's newest events the settings would match, and which."""
    site = ask.field(_ON_SITE)
    if not site:
        return Shown(title="", content={"found": None, "problem": None, "site_id": None})
    try:
        site_id = path_value("site_id", site)
        if not call.caller.may(Role.VIEWER, site_id):
            raise problems.not_found("site", str(site_id))
        body = typed({"config": settings_of(ask), "definition_key": ask.field(_KEY) or None}, NewRecentMatches)
        answer = rule_tests.count_recent_matches(call, site_id, body)
    except (ProblemError, CustomEventsError) as error:
        return Shown(title="", content={"found": None, "problem": problem_of(error), "site_id": None})
    return Shown(title="", content={"found": answer, "problem": None, "site_id": site_id})


def _form(
    call: Call, ask: Ask, title: str, form: Mapping[str, str], definition: operations.Definition | None = None
) -> Shown:
    content = {
        "definition": definition,
        "form": form,
        "errors": ask.errors,
        "types": tuple(kind.value for kind in EventType),
        "chosen": form.get(f"{PREFIX}trigger", "").split(),
        "choices": {path: [(value, translated(name)) for value, name in choices] for path, choices in CHOICES.items()},
        "meanings": MEANINGS,
        "sites": site_choice(call),
        "try_site": _a_site_of(call, definition),
    }
    return Shown(title=title, content=content, template="definition_edit.html")


def _a_site_of(call: Call, definition: operations.Definition | None) -> int | None:
    """A site that has the definition: on it settings are tried first."""
    if definition is None:
        return None
    listed = list_assignments(call, definition=definition.key, active=True, limit=1).items
    return listed[0].site_id if listed else None


def _definition(call: Call, ask: Ask) -> operations.Definition:
    return operations.shown(call, definitions.get(call.connection, ask.path["definition_key"]))


def _expected(ask: Ask) -> int:
    """The revision that the form was made from. Raises 404 for what is no number."""
    return path_value("number", ask.field("expected") or "0")


def _settings(call: Call, ask: Ask) -> dict[str, Any] | None:
    """The settings of the form as a revision would keep them, merged where it is the form of a merge; None: they cannot be used."""
    try:
        mine = to_plain(read_config(settings_of(ask)))
    except (ProblemError, InvalidConfiguration):
        return None
    if not ask.form.get("base"):
        return mine
    key = ask.path["definition_key"]
    base = definitions.revision(call.connection, key, path_value("number", ask.field("base")))
    theirs = definitions.revision(call.connection, key, _expected(ask))
    return merged(base.payload, theirs.payload, mine, ask.form)


def _with(form: Mapping[str, str], config: Mapping[str, Any]) -> dict[str, str]:
    """A form with these settings, and no trace of a merge."""
    kept = {name: value for name, value in form.items() if name not in ("base", "go") and not name.startswith(TAKE)}
    return {**kept, **form_of(config)}


def _kept(ask: Ask, mine: Mapping[str, Any], **more: str) -> dict[str, str]:
    """What the form of a merge carries along, unseen."""
    return {**_with(ask.form, mine), **more}
