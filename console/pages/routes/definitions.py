"""Definitions: a list with their uses, one as a sentence with its history, drafts, publishing and rolling back."""

from typing import Any, Final

import msgspec

from console.api.bodies import decode, typed
from console.api.calls import Call
from console.api.problems import FieldError, ProblemError, invalid
from console.api.routes import definition_revisions as revision_operations
from console.api.routes import definitions as operations
from console.api.routes.definitions import Definition, NewDefinition
from console.api.routes.revisions import NewDefinitionRevision
from console.api.routes.sites import Reason
from console.pages.ask import ROWS, Ask, path_value
from console.pages.navigation import READ
from console.pages.page import Moved, Pages, Shown, right_of
from custom_events.catalog import definitions, revisions
from custom_events.matching.effective import SETTINGS

PAGES: Final = Pages()
_STATES: Final = ("draft", "published", "retired")
_START: Final = {
    "trigger": ["order.paid"],
    "conditions": {"field": "order.total", "op": ">=", "value": 200, "currency": "EUR"},
}
_READ_ONE: Final = right_of(operations.ROUTES, operations.read_definition)
_DRAFT: Final = right_of(revision_operations.ROUTES, revision_operations.draft_definition_revision)
_CREATE: Final = right_of(operations.ROUTES, operations.create_definition)
_PUBLISH: Final = right_of(revision_operations.ROUTES, revision_operations.publish_definition_revision)
_ROLL_BACK: Final = right_of(revision_operations.ROUTES, revision_operations.roll_back_definition)


@PAGES.show("/definitions", right=READ, template="definitions.html")
def definitions_page(call: Call, ask: Ask) -> Shown:
    """Every definition, by key, with how often it is used on the sites that one sees."""
    listed = operations.list_definitions(
        call,
        search=ask.text("search"),
        state=ask.choice("state", _STATES),  # pyright: ignore[reportArgumentType]
        is_system=ask.flag("is_system"),
        limit=ROWS,
        after=ask.text("after", longest=2_000),
    )
    return Shown(title="Definitions", content={"ask": ask, "list": listed, "states": _STATES})


@PAGES.show("/definitions/new", right=_CREATE, template="definition_edit.html")
def new_definition_page(call: Call, ask: Ask) -> Shown:  # noqa: ARG001  (every page takes both)
    """The form for a new definition."""
    form = {"config": _pretty(_START), **ask.form}
    return Shown(title="New definition", content={"definition": None, "form": form, "errors": ask.errors})


@PAGES.change("/definitions/new", right=_CREATE, form=new_definition_page)
def create_definition(call: Call, ask: Ask) -> Moved:
    """Make it, as a draft."""
    body = {
        "key": ask.field("key"),
        "name": ask.field("name"),
        "description": ask.field("description"),
        "reason": ask.field("reason"),
        "config": json_field(ask, "config"),
    }
    made = operations.create_definition(call, typed(body, NewDefinition)).content
    return Moved(to=f"definitions/{made.key}", said=f"{made.name} is a draft: publish it, and assign it to sites.")


@PAGES.show("/definitions/{definition_key}", right=_READ_ONE, template="definition.html")
def definition_page(call: Call, ask: Ask) -> Shown:
    """What applies as a sentence, the draft beside it, and every revision."""
    definition = _definition(call, ask)
    content: dict[str, Any] = {
        "definition": definition,
        "settings": SETTINGS,
        "history": revision_operations.list_definition_revisions(call, definition.key, limit=ROWS).items,
        "changes": _changes(call, definition.key, definition.published_number, definition.newest_number)
        if definition.draft
        else (),
    }
    return Shown(title=definition.name, content=content)


@PAGES.show("/definitions/{definition_key}/edit", right=_DRAFT, template="definition_edit.html")
def edit_page(call: Call, ask: Ask) -> Shown:
    """The form for a draft, made from the newest revision; after a conflict with what somebody else drafted beside what was typed."""
    definition = _definition(call, ask)
    newest = definitions.revision(call.connection, definition.key, definition.newest_number)
    form = {"config": _pretty(newest.payload), **ask.form, "expected": str(definition.newest_number)}
    return Shown(
        title=f"Edit {definition.name}", content={"definition": definition, "form": form, "errors": ask.errors}
    )


@PAGES.change("/definitions/{definition_key}/edit", right=_DRAFT, form=edit_page)
def draft(call: Call, ask: Ask) -> Moved:
    """Keep what was typed as a draft. Where somebody else drafted in between, nothing is written and both sides are shown."""
    key = ask.path["definition_key"]
    body = {
        "config": json_field(ask, "config"),
        "expected": path_value("number", ask.field("expected") or "0"),
        "reason": ask.field("reason"),
    }
    made = revision_operations.draft_definition_revision(call, key, typed(body, NewDefinitionRevision)).content
    return Moved(to=f"definitions/{key}", said=f"Revision {made.number} is a draft: it applies once it is published.")


@PAGES.show("/definitions/{definition_key}/publish/{number}", right=_PUBLISH, template="definition_publish.html")
def publish_page(call: Call, ask: Ask) -> Shown:
    """What would apply instead of what applies, and where: before anybody publishes."""
    definition, number = _definition(call, ask), ask.path["number"]
    content: dict[str, Any] = {
        "definition": definition,
        "number": number,
        "revision": revision_operations.read_definition_revision(call, definition.key, number),
        "changes": _changes(call, definition.key, definition.published_number, number),
        "needs_second": revisions.needs_second_person(),
    }
    return Shown(title=f"Publish revision {number} of {definition.name}", content=content)


@PAGES.change("/definitions/{definition_key}/publish/{number}", right=_PUBLISH)
def publish(call: Call, ask: Ask) -> Moved:
    """Let the draft apply."""
    key, number = ask.path["definition_key"], ask.path["number"]
    revision_operations.publish_definition_revision(call, key, number)
    return Moved(to=f"definitions/{key}", said=f"Revision {number} applies from the next batch on.")


@PAGES.show("/definitions/{definition_key}/revisions/{number}", right=_READ_ONE, template="definition_revision.html")
def revision_page(call: Call, ask: Ask) -> Shown:
    """One revision, and what differs from what applies."""
    definition, number = _definition(call, ask), ask.path["number"]
    revision = revision_operations.read_definition_revision(call, definition.key, number)
    content = {
        "definition": definition,
        "revision": revision,
        "number": number,
        "changes": _changes(call, definition.key, definition.published_number, number),
        "settings": SETTINGS,
    }
    return Shown(title=f"{definition.name}, revision {number}", content=content)


@PAGES.change("/definitions/{definition_key}/revisions/{number}/rollback", right=_ROLL_BACK)
def roll_back(call: Call, ask: Ask) -> Moved:
    """Publish an older revision's settings again, as a new revision."""
    key, number = ask.path["definition_key"], ask.path["number"]
    made = revision_operations.roll_back_definition(call, key, number, Reason(reason=ask.field("reason"))).content
    applies = "applies from the next batch on" if made.state == "published" else "waits for a second person"
    return Moved(to=f"definitions/{key}", said=f"Revision {made.number}, with the settings of {number}, {applies}.")


def json_field(ask: Ask, name: str) -> object:
    """The JSON value of a field. Raises 422 beside the field for what is none."""
    try:
        return decode(ask.field(name).encode() or b"null")
    except ProblemError as error:
        said = error.detail.removeprefix("The body is no JSON: ").rstrip(".")
        raise invalid(
            FieldError(field=name, problem=f"it is no JSON: {said}", remedy="settings as JSON, as shown before")
        ) from None


def _definition(call: Call, ask: Ask) -> Definition:
    return operations.shown(call, definitions.get(call.connection, ask.path["definition_key"]))


def _changes(call: Call, key: str, old: int | None, new: int) -> Any:
    return () if old == new else definitions.difference(call.connection, key, old=old, new=new).changes


def _pretty(plain: object) -> str:
    return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode()
