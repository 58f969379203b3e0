"""All assignments in one table: filtered, sorted, kept as views, chosen for bulk changes; and the same as CSV."""

import re
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from console.api.calls import Call
from console.api.problems import FieldError, invalid
from console.api.rights import SIGNED_IN
from console.api.routes import assignments as operations
from console.api.routes import saved_views as view_operations
from console.api.routes.saved_views import NewSavedView
from console.pages import words
from console.pages.ask import ROWS, Ask
from console.pages.navigation import READ
from console.pages.page import Moved, Pages, Shown
from console.pages.routes.assignments import ALSO
from console.pages.translations import _
from console.pages.visible import account_choice, site_choice, site_names
from custom_events.catalog import definition_lists
from custom_events.matching.effective import SETTINGS

PAGES: Final = Pages()
STATES: Final = ("enabled", "disabled", "draft")
_OWN: Final = ("assignment", "definition and assignment")  # where a setting that is overridden comes from
ANY, NOTHING = "any", "nothing"  # of the settings that are overridden
FILTERS: Final = ("search", "site_id", "definition", "state", "ads_account", "overridden")
SORTS: Final = ("id", "site", "label", "definition")
MOST_DEFINITIONS: Final = 500  # in one field to choose from
_CUSTOMER: Final = re.compile(r"[0-9]{3}-?[0-9]{3}-?[0-9]{4}\Z")


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """Which assignments the query asks for, as lists of the API take it."""

    search: str | None = None
    site_id: int | None = None
    definition: str | None = None
    active: bool | None = None
    has_overrides: bool | None = None
    published: bool | None = None
    overridden: str | None = None
    ads_account: str | None = None


def chosen_by(ask: Ask) -> Chosen:
    """The filters of the query. Raises 422 for what cannot be used."""
    state = ask.choice("state", STATES)
    overridden = ask.choice("overridden", (ANY, NOTHING, *SETTINGS, ALSO))
    account = ask.text("ads_account")
    if account is not None and not _CUSTOMER.match(account):
        wrong = f"{account!r} is no customer id"
        raise invalid(FieldError(field="ads_account", place="query", problem=wrong, remedy="ten digits"))
    return Chosen(
        search=ask.text("search"),
        site_id=ask.number("site_id"),
        definition=ask.text("definition"),
        active={"enabled": True, "disabled": False}.get(state or ""),
        published={"enabled": True, "draft": False}.get(state or ""),
        has_overrides={ANY: True, NOTHING: False}.get(overridden or ""),
        overridden=None if overridden in (ANY, NOTHING) else overridden,
        ads_account=account,
    )


@PAGES.show("/assignments", right=READ, template="assignments.html")
def assignments_page(call: Call, ask: Ask) -> Shown:
    """The assignments of the sites that one sees: all of them in one table."""
    sort = ask.sort(*SORTS)
    chosen = chosen_by(ask)
    listed = operations.list_assignments(
        call,
        **msgspec.structs.asdict(chosen),
        sort=sort,
        limit=ROWS,
        after=ask.text("after", longest=2_000),
    )
    content: dict[str, Any] = {
        "ask": ask,
        "list": listed,
        "sort": sort,
        "names": site_names(call, listed.items),
        "sites": site_choice(call),
        "states": STATES,
        "overridable": [(name, name) for name in (*SETTINGS, ALSO)],
        "accounts": account_choice(call),
        "definitions": [definition.key for definition in definition_lists.names(call.connection, MOST_DEFINITIONS)],
        "overridden": {row.id: _overridden(row) for row in listed.items},
        "filters": kept_filters(ask),
        "views": view_operations.list_saved_views(call, "assignments").items,
        "view_query": view_query(ask),
        "csv_query": _csv_query(chosen),
    }
    return Shown(title=_("Assignments"), content=content)


@PAGES.change("/assignments/views", right=SIGNED_IN)
def keep_view(call: Call, ask: Ask) -> Moved:
    """Keep the filters of the list under a name."""
    body = NewSavedView(list="assignments", name=ask.field("name"), query=ask.field("query"))
    made = view_operations.create_saved_view(call, body).content
    return Moved(to=f"assignments?{made.query}", said=_("%(name)s is kept among your views.", name=made.name))


@PAGES.change("/assignments/views/{saved_view_id}/remove", right=SIGNED_IN)
def remove_view(call: Call, ask: Ask) -> Moved:
    """Remove one of one's own views."""
    view_operations.delete_saved_view(call, ask.path["saved_view_id"])
    return Moved(to="assignments", said=_("The view is removed; the assignments stay as they are."))


def kept_filters(ask: Ask) -> dict[str, str]:
    """The filters that are set, as they stand in the query."""
    return {name: ask.query[name] for name in FILTERS if ask.query.get(name)}


def view_query(ask: Ask) -> str:
    """Filters and sorting, as a saved view keeps them."""
    return urlencode({name: value for name in (*FILTERS, "sort") if (value := ask.query.get(name))})


def _csv_query(chosen: Chosen) -> str:
    """The same filters for the API, whose file is to hold what the list shows."""
    filters = {name: value for name, value in msgspec.structs.asdict(chosen).items() if value is not None}
    return urlencode(
        {name: str(value).lower() if isinstance(value, bool) else value for name, value in filters.items()}
    )


def _overridden(assignment: Any) -> str:
    """The settings in which an assignment differs from its definition, in words."""
    if assignment.effective is None:
        return ""
    settings = assignment.effective.settings
    return ", ".join(words.setting_name(setting.name) for setting in settings if setting.origin in _OWN)
