"""Alarms: what is wrong, what was, and what to do about it."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from fastapi import Query

from console.api.calls import Call
from console.api.operations import Routes
from console.api.pages import LIMIT, After, Limit, Page, by_number, page_of, read_after
from console.api.parameters import LONGEST_SEARCH, ByTime, Text
from console.api.rights import of_all_sites
from custom_events.access.roles import Role
from custom_events.values.time_order import TimeOrder
from custom_events.watching import state
from custom_events.watching.alarms import Severity
from custom_events.watching.state import Episode

ROUTES: Final = Routes("alarms", "What is wrong, what was, and what to do about it.")

_NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
_EXAMPLE: Final = Episode(
    id=5,
    key="AccountParked{account=1234567890}",
    name="AccountParked",
    severity=Severity.CRITICAL,
    place={"account": "1234567890"},
    sentence="Nothing is sent to account 1234567890.",
    remedy="Mend what the reason says, then release it.",
    opened_at=_NOON,
    seen_at=_NOON,
    told={"email": _NOON},
)


@ROUTES.get(
    "/alarms", right=of_all_sites(Role.VIEWER), answer=Page[Episode], example=Page(items=(_EXAMPLE,), next=None)
)
def list_alarms(
    call: Call,
    is_now: Annotated[
        Literal["open", "past"] | None, Query(alias="state", description="Only those that are open, or are past.")
    ] = None,
    name: Annotated[str | None, Query(max_length=LONGEST_SEARCH, description="Only those of this name."), Text] = None,
    order: ByTime = TimeOrder.NEWEST,
    limit: Limit = LIMIT,
    after: After = None,
) -> Page[Episode]:
    """Alarms: one for each time that something was wrong, from the first look that found it to the last."""
    episodes = state.page(
        call.connection,
        is_open=None if is_now is None else is_now == "open",
        name=name,
        order=order,
        after=read_after(after, by_number(order), (int,)),
        limit=limit + 1,
    )
    return page_of(episodes, limit, by_number(order), lambda alarm: (alarm.id,), lambda alarm: alarm)
