"""The way to Dagster's page, for administrators: their session of the console opens it."""

import re
import time
from typing import Final
from urllib.parse import urlencode

from console.api.calls import Call
from console.pages.ask import Ask
from console.pages.navigation import MANAGE
from console.pages.page import Answer, Moved, Pages, Shown
from custom_events.access import dagster_entry

PAGES: Final = Pages()
_OF_DAGSTER: Final = re.compile(
    r"/(?![/\\])[!-~]*"
)  # a path of its own, with a query: nothing that leads to another host


@PAGES.show("/dagster", right=MANAGE, template="dagster.html")
def dagster_page(call: Call, ask: Ask) -> Shown:  # noqa: ARG001  (every page takes both)
    """A link that opens Dagster's page; without a key of ours, what to set."""
    settings = call.settings
    content = {"opens": settings.dagster_token is not None, "changes": settings.dagster_changes}
    return Shown(title="Dagster", content=content)


@PAGES.show("/dagster/open", right=MANAGE, template="dagster.html", is_secret=True)
def open_dagster(call: Call, ask: Ask) -> Answer:
    """On to Dagster's page with a ticket for this session, at the path that somebody came from. Changes nothing: who is led here by another
    site sees the page of Dagster, and that site nothing of it. A program that asks by an API key is shown the way."""
    settings, session_id = call.settings, call.caller.session_id
    if settings.dagster_token is None or session_id is None:
        return dagster_page(call, ask)
    key = settings.dagster_token.get_secret_value().encode()
    base = settings.dagster_url or f"http://{settings.dagster_host}:{settings.dagster_port}"
    path = ask.query.get("path", "/")
    path = path if _OF_DAGSTER.fullmatch(path) else "/"
    query = urlencode({"ticket": dagster_entry.ticket(session_id, key, now=time.time())})
    return Moved(to="", away=f"{base.rstrip('/')}{path}{'&' if '?' in path else '?'}{query}")
