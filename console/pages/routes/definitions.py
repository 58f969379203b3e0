"""Definitions: a list with their uses, one as a sentence with its history, rolling back, retiring and restoring."""

from typing import Any, Final

from console.api.calls import Call
from console.api.routes import definition_revisions as revision_operations
from console.api.routes import definitions as operations
from console.api.routes.definitions import Definition
from console.api.routes.sites import Reason
from console.pages.ask import ROWS, Ask
from console.pages.definition_form import json_field as json_field  # noqa: PLC0414  (assignments have it from here)
from console.pages.differences import Difference, of_definitions
from console.pages.navigation import READ
from console.pages.page import Moved, Pages, Shown, right_of
from console.pages.translations import _
from custom_events.catalog import definitions
from custom_events.matching.effective import SETTINGS

PAGES: Final = Pages()
_STATES: Final = ("draft", "published", "retired")
_READ_ONE: Final = right_of(operations.ROUTES, operations.read_definition)
_ROLL_BACK: Final = right_of(revision_operations.ROUTES, revision_operations.roll_back_definition)
_RETIRE: Final = right_of(operations.ROUTES, operations.retire_definition)
_RESTORE: Final = right_of(operations.ROUTES, operations.restore_definition)


@PAGES.show("/definitions", right=READ, template="definitions.html")
def definitions_page(call: Call, ask: Ask) -> Shown:
    """Every definition, by key, with how often it is used on the sites that one sees."""
    sort = ask.sort("key")
    listed = operations.list_definitions(
        call,
        search=ask.text("search"),
        state=ask.choice("state", _STATES),  # pyright: ignore[reportArgumentType]
        is_system=ask.flag("is_system"),
        sort=sort,
        limit=ROWS,
        after=ask.text("after", longest=2_000),
    )
    return Shown(title=_("Definitions"), content={"ask": ask, "list": listed, "states": _STATES, "sort": sort})


@PAGES.show("/definitions/{definition_key}", right=_READ_ONE, template="definition.html")
def definition_page(call: Call, ask: Ask) -> Shown:
    """What applies as a sentence, the draft beside it, and every revision."""
    definition = _definition(call, ask)
    content: dict[str, Any] = {
        "definition": definition,
        "settings": SETTINGS,
        "ask": ask,
        "history": revision_operations.list_definition_revisions(
            call, definition.key, limit=ROWS, after=ask.text("after", longest=2_000)
        ),
        "changes": changes_between(call, definition.key, definition.published_number, definition.newest_number)
        if definition.draft
        else (),
    }
    return Shown(title=definition.name, content=content)


@PAGES.show("/definitions/{definition_key}/revisions/{number}", right=_READ_ONE, template="definition_revision.html")
def revision_page(call: Call, ask: Ask) -> Shown:
    """One revision: what it changed, what differs from what applies, and the way back to it."""
    definition, number = _definition(call, ask), ask.path["number"]
    revision = revision_operations.read_definition_revision(call, definition.key, number)
    content = {
        "definition": definition,
        "revision": revision,
        "number": number,
        "changes": changes_between(call, definition.key, definition.published_number, number),
        "changed": changes_between(call, definition.key, number - 1, number) if number > 1 else (),
        "settings": SETTINGS,
    }
    return Shown(title=_("%(name)s, revision %(number)s", name=definition.name, number=number), content=content)


@PAGES.change("/definitions/{definition_key}/revisions/{number}/rollback", right=_ROLL_BACK)
def roll_back(call: Call, ask: Ask) -> Moved:
    """Publish an older revision's settings again, as a new revision."""
    key, number = ask.path["definition_key"], ask.path["number"]
    made = revision_operations.roll_back_definition(call, key, number, Reason(reason=ask.field("reason"))).content
    applies = _("applies from the next batch on") if made.state == "published" else _("waits for a second person")
    return Moved(
        to=f"definitions/{key}",
        said=_(
            "Revision %(number)s, with the settings of %(source)s, %(applies)s.",
            number=made.number,
            source=number,
            applies=applies,
        ),
    )


@PAGES.change("/definitions/{definition_key}/retire", right=_RETIRE)
def retire(call: Call, ask: Ask) -> Moved:
    """Nothing of it applies any more."""
    key = ask.path["definition_key"]
    made = operations.retire_definition(call, key, Reason(reason=ask.field("reason"))).content
    return Moved(
        to=f"definitions/{key}",
        said=_("%(name)s is retired: nothing of it applies any more, on no site.", name=made.name),
    )


@PAGES.change("/definitions/{definition_key}/restore", right=_RESTORE)
def restore(call: Call, ask: Ask) -> Moved:
    """What was published last applies again."""
    key = ask.path["definition_key"]
    made = operations.restore_definition(call, key, Reason(reason=ask.field("reason"))).content
    said = _("applies again") if made.state == "published" else _("is a draft again, which waits for a second person")
    return Moved(
        to=f"definitions/{key}",
        said=_(
            "Revision %(newest_number)s of %(name)s %(said)s.",
            newest_number=made.newest_number,
            name=made.name,
            said=said,
        ),
    )


def _definition(call: Call, ask: Ask) -> Definition:
    return operations.shown(call, definitions.get(call.connection, ask.path["definition_key"]))


def changes_between(call: Call, key: str, old: int | None, new: int) -> tuple[Difference, ...]:
    """What differs between two revisions of a definition. `old` None: nothing applied."""
    if old == new:
        return ()
    before = None if old is None else definitions.revision(call.connection, key, old).payload
    return of_definitions(before, definitions.revision(call.connection, key, new).payload)
