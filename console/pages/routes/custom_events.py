"""Custom events: what matched, which assignment made it, and how its conversion stands."""

from typing import Final

from console.api.calls import Call
from console.api.routes import browsing
from console.pages.ask import ROWS, Ask
from console.pages.navigation import READ
from console.pages.page import Pages, Shown
from console.pages.translations import _
from console.pages.visible import chosen_site, site_choice, site_names
from custom_events.catalog import assignments, definition_lists

PAGES: Final = Pages()
_STATES: Final = ("queued", "withheld", "withdrawn")
_MOST_DEFINITIONS: Final = 500  # in one field to choose from


@PAGES.show("/custom-events", right=READ, template="custom_events.html")
def custom_events_page(call: Call, ask: Ask) -> Shown:
    """What matched, the newest first by the store's clock."""
    site_id = chosen_site(call, ask)
    listed = browsing.list_custom_events(
        call,
        site_id=site_id,
        assignment_id=ask.number("assignment_id"),
        definition_id=ask.number("definition_id"),
        state=ask.choice("state", _STATES),
        reason=ask.text("reason"),
        since=ask.moment("since"),
        until=ask.moment("until"),
        order=ask.order(),
        limit=ROWS,
        after=ask.text("after", longest=2_000),
    )
    known = definition_lists.names(call.connection, _MOST_DEFINITIONS)
    content = {
        "ask": ask,
        "list": listed,
        "names": site_names(call, listed.items),
        "assignments": assignments.names(
            call.connection, [custom_event.assignment_id for custom_event in listed.items]
        ),
        "sites": site_choice(call),
        "site_id": site_id,
        "states": _STATES,
        "definitions": [(definition.id, definition.name) for definition in known],
    }
    return Shown(title=_("Custom events"), content=content)
