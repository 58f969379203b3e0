"""Many assignments at once: chosen, tried row by row, applied, looked at, undone; CSV in."""

from typing import Any, Final

import msgspec

from console.api.calls import Answer, Call
from console.api.rights import of_some_site
from console.api.routes import bulk_changes as operations
from console.api.routes.bulk_changes import BulkImport, Undo
from console.pages import bulk_forms, row_words
from console.pages.ask import ROWS, Ask
from console.pages.bulk_forms import IMPORT, OF_SITES, VERBS
from console.pages.navigation import READ
from console.pages.page import Answer as PageAnswer
from console.pages.page import Moved, Pages, Shown, right_of
from console.pages.routes.assignment_list import FILTERS, MOST_DEFINITIONS, chosen_by, kept_filters
from console.pages.routes.assignments import TEXTS, quick_choices
from console.pages.translations import N_, _, ngettext, translated
from console.pages.visible import site_names
from custom_events.access.roles import Role
from custom_events.catalog import definition_lists, sites
from custom_events.catalog.bulk.outcomes import BulkResult, RowOutcome, Word
from custom_events.matching.effective import SETTINGS

PAGES: Final = Pages()
MOST_SITES: Final = 150  # to tick one by one: a form has 200 fields at most; of more, a part of the name finds them
SHOWN_ROWS: Final = 500  # of a preview at once, those that fail first; all of them are in what is applied
TRIED_BY_CHECKS: Final = 10  # rows that are tried while a form is filled in: a third of a second (30 ms a row)
_BULK_CHANGE: Final = N_("Bulk change")
_EDIT: Final = of_some_site(Role.EDITOR)
_UNDO: Final = right_of(operations.ROUTES, operations.undo_bulk_change)


@PAGES.show("/bulk-changes", right=READ, template="bulk_changes.html")
def bulk_changes_page(call: Call, ask: Ask) -> Shown:
    """The bulk changes of the last 30 days; the newest may be undone after a preview."""
    listed = operations.list_bulk_changes(
        call, search=ask.text("search"), limit=ROWS, after=ask.text("after", longest=2_000)
    )
    return Shown(title=_("Bulk changes"), content={"ask": ask, "list": listed, "verbs": VERBS})


@PAGES.show("/bulk-changes/new", right=_EDIT, template="bulk_new.html")
def new_bulk_change_page(call: Call, ask: Ask) -> Shown:
    """The form of one action, for what was ticked in the list or for all that match its filters."""
    action = ask.form.get("action") or ask.choice("action", tuple(VERBS)) or IMPORT
    asked = msgspec.structs.replace(ask, query={**ask.query, **ask.form})
    takes_all = asked.query.get("all") == "yes"
    chosen_by(asked)
    errors = {bulk_forms.by_field(error).field: error for error in ask.errors.values()}
    content: dict[str, Any] = {
        "action": action,
        "verb": translated(VERBS.get(action, _BULK_CHANGE)),
        "form": asked.query,
        "errors": errors,
        "of_sites": action in OF_SITES,
        "takes_all": takes_all,
        "chosen": asked.ids("assignment_ids") if not takes_all else (),
        "filters": kept_filters(asked),
        "ticked": asked.ids("site_ids"),
        "settings": SETTINGS,
        "texts": TEXTS,
        "quick": quick_choices(call),
        **_choices(call, action),
    }
    return Shown(title=translated(VERBS.get(action, _BULK_CHANGE)), content=content)


def check(call: Call, ask: Ask) -> str:
    """What the preview would say, in a line; of many rows only how many they are. No operation is begun for it."""
    prepared = operations.prepared_of(call, bulk_forms.read_request(ask, dry_run=True))
    rows = len(prepared.rows)
    if rows > TRIED_BY_CHECKS:
        return _("%(rows)s rows; the preview tries each of them.", rows=f"{rows:,}")
    result = operations.tried(call, prepared)
    counts = msgspec.to_builtins(result.counts)
    said = ", ".join(f"{counts[word]:,} {translated(text)}" for word, text in row_words.TRIED.items() if counts[word])
    why = next((error for row in result.rows for error in row.errors), None)
    return said + (f": {why.problem}; {why.remedy}." if why is not None else ".")


@PAGES.change(
    "/bulk-changes/preview", right=_EDIT, form=new_bulk_change_page, template="bulk_preview.html", checks=check
)
def preview(call: Call, ask: Ask) -> PageAnswer:
    """What would become of each row; nothing is changed. With many rows it is an operation, which shows it when it has ended."""
    request = bulk_forms.read_request(ask, dry_run=True)
    answer = _ask(call, request)
    if answer.status is not None:
        return Moved(to=f"operations/{answer.content.id}", said=_("Each row is tried; nothing is changed yet."))
    content = {
        **shown_result(call, answer.content),
        "kept": msgspec.json.encode(request).decode(),
        "verb": translated(VERBS[ask.field("action")]),
        "back": {name: ask.form[name] for name in (*FILTERS, "action", "all", "assignment_ids") if ask.form.get(name)},
    }
    return Shown(title=_("Preview: %(action)s", action=translated(VERBS[ask.field("action")])), content=content)


@PAGES.change("/bulk-changes", right=_EDIT)
def apply(call: Call, ask: Ask) -> Moved:
    """Do what was previewed."""
    request = bulk_forms.read_kept(ask.form.get("request", ""))
    mode = bulk_forms.read_mode(ask).mode
    return applied(_ask(call, msgspec.structs.replace(request, mode=mode)))


@PAGES.show(
    "/bulk-changes/{bulk_change_id}",
    right=right_of(operations.ROUTES, operations.read_bulk_change),
    template="bulk_change.html",
)
def bulk_change_page(call: Call, ask: Ask) -> Shown:
    """One bulk change, row by row; undone after a preview."""
    listed = operations.read_bulk_change(call, ask.path["bulk_change_id"])
    rows = operations.list_bulk_change_rows(call, listed.id, limit=ROWS, after=ask.text("after", longest=2_000))
    content = {
        "ask": ask,
        "change": listed,
        "list": rows,
        "names": site_names(call, rows.items),
        "said": row_words,
    }
    return Shown(title=_("Bulk change %(number)s", number=listed.id), content=content)


@PAGES.change("/bulk-changes/{bulk_change_id}/undo/preview", right=_UNDO, template="bulk_undo.html")
def preview_undo(call: Call, ask: Ask) -> PageAnswer:
    """What an undo would do to each row; nothing is changed. With many rows it is an operation, which shows it when it has ended."""
    number = ask.path["bulk_change_id"]
    answer = operations.undo_bulk_change(call, number, Undo(mode="row_by_row", dry_run=True))
    if answer.status is not None:
        return Moved(to=f"operations/{answer.content.id}", said=_("Each row is tried; nothing is undone yet."))
    content = {**shown_result(call, answer.content), "number": number}
    return Shown(title=_("Preview: undo bulk change %(number)s", number=number), content=content)


@PAGES.change("/bulk-changes/{bulk_change_id}/undo", right=_UNDO)
def undo(call: Call, ask: Ask) -> Moved:
    """What applied before applies again."""
    body = Undo(mode=bulk_forms.read_mode(ask).mode, reason=ask.field("reason"))
    return applied(operations.undo_bulk_change(call, ask.path["bulk_change_id"], body), undone=True)


def applied(answer: Answer, *, undone: bool = False) -> Moved:
    """To what was done, or to the operation that does it."""
    if answer.status is not None:
        return Moved(
            to=f"operations/{answer.content.id}",
            said=_("It is under way. You may leave: it is found among the operations."),
        )
    counts = answer.content.counts
    rows = counts.made + counts.changed
    shown = f"{rows:,}"
    said = (
        ngettext("%(rows)s row is undone.", "%(rows)s rows are undone.", rows, rows=shown)
        if undone
        else ngettext("%(rows)s row is done.", "%(rows)s rows are done.", rows, rows=shown)
    )
    failed = " " + _("%(failed)s failed: see why.", failed=counts.failed) if counts.failed else ""
    return Moved(to=f"bulk-changes/{answer.content.bulk_change_id}", said=said + failed)


def shown_result(call: Call, result: BulkResult) -> dict[str, Any]:
    """What a template needs to show a result: the rows, those that fail first, and the names of their sites."""
    rows: list[RowOutcome] = sorted(result.rows, key=lambda row: (row.outcome is not Word.FAILED, row.number))
    return {
        "result": result,
        "rows": rows[:SHOWN_ROWS],
        "names": site_names(call, rows[:SHOWN_ROWS]),
        "said": row_words,
    }


def _ask(call: Call, request: bulk_forms.Request) -> Answer:
    if isinstance(request, BulkImport):
        return operations.import_assignments(call, request)
    return operations.make_bulk_change(call, request)


def _choices(call: Call, action: str) -> dict[str, Any]:
    """The sites that may be edited and those that may be seen, and the definitions that there are."""
    if action == IMPORT:
        return {"sites": (), "sources": (), "definitions": ()}
    listed = []
    for role in (Role.EDITOR, Role.VIEWER):
        visible = sites.search(call.connection, only=call.caller.sites(role), limit=MOST_SITES + 1)
        listed.append([(choice.id, choice.name) for choice in visible] if len(visible) <= MOST_SITES else [])
    known = definition_lists.search(call.connection, limit=MOST_DEFINITIONS)
    definitions = [(choice.key, f"{choice.name} ({choice.key})") for choice in known if choice.state != "retired"]
    return {"sites": listed[0], "sources": listed[1], "definitions": definitions}
