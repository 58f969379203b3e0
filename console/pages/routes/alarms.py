"""Alarms: what is wrong, what was, and what to do about it."""

from typing import Final

from console.api.calls import Call
from console.api.routes import alarms as operations
from console.pages import evidence
from console.pages.ask import ROWS, Ask
from console.pages.page import Pages, Shown, right_of
from console.pages.translations import _
from custom_events.watching.alarms import WATCHES

PAGES: Final = Pages()


@PAGES.show("/alarms", right=right_of(operations.ROUTES, operations.list_alarms), template="alarms.html")
def alarms_page(call: Call, ask: Ask) -> Shown:
    """One line for each time that something was wrong, the newest first."""
    listed = operations.list_alarms(
        call,
        is_now=ask.choice("state", ("open", "past")),  # pyright: ignore[reportArgumentType]
        name=ask.text("name"),
        order=ask.order(),
        limit=ROWS,
        after=ask.text("after", longest=2_000),
    )
    names = sorted({watch.name for watch in WATCHES})
    seen = {alarm.id: None if alarm.closed_at else evidence.of(call, alarm) for alarm in listed.items}
    return Shown(title=_("Alarms"), content={"ask": ask, "list": listed, "names": names, "seen": seen})
