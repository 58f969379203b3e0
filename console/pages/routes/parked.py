"""What is parked and what is withheld, by reason, with what to do; parked deliveries understood once more."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from console.api.calls import Call
from console.api.rights import of_all_sites, of_site
from console.api.routes import browsing
from console.api.routes import raw_events as operations
from console.pages.ask import Ask
from console.pages.navigation import READ
from console.pages.page import Moved, Pages, Shown
from console.pages.visible import chosen_site, site_choice
from custom_events.access.roles import Role
from custom_events.catalog import raw_events
from custom_events.watching.status import status

PAGES: Final = Pages()
COUNTED: Final = 500  # the newest withheld conversions of a site, counted by reason


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows have a reason; the first and the last of them, where that is known."""

    reason: str
    rows: int
    first_at: datetime | None = None
    last_at: datetime | None = None


@PAGES.show("/parked", right=READ, template="parked.html")
def parked_page(call: Call, ask: Ask) -> Shown:
    """By reason: of all sites from the tallies, of one site of its last days."""
    site_id = chosen_site(call, ask)
    content: dict[str, Any] = {"ask": ask, "sites": site_choice(call), "site_id": site_id}
    if site_id is None:
        sums = status(call.connection, call.settings, datetime.now(UTC)).sums
        parked, withheld = _reasons(sums.parked), _reasons(sums.withheld)
    else:
        listed = operations.list_parked(call, site_id).items
        parked = [Reason(**msgspec.structs.asdict(parked_reason)) for parked_reason in listed]
        rows = browsing.list_uploads(call, site_id=site_id, state="withheld", limit=COUNTED).items
        withheld = _reasons(Counter(row.reason or "" for row in rows))
    content |= {"parked": parked, "withheld": withheld, "counted": None if site_id is None else COUNTED}
    return Shown(title="Parked and withheld", content=content)


@PAGES.change("/sites/{site_id}/parked/replay", right=of_site(Role.EDITOR))
def replay_of_site(call: Call, ask: Ask) -> Moved:
    """A site's parked deliveries, of one reason where it is given, are understood once more."""
    rows = raw_events.requeue_parked(
        call.connection, actor=call.actor, site_id=ask.path["site_id"], reason=ask.field("reason") or None
    )
    return Moved(to=f"parked?site_id={ask.path['site_id']}", said=_said(rows))


@PAGES.change("/parked/replay", right=of_all_sites(Role.EDITOR))
def replay_of_all(call: Call, ask: Ask) -> Moved:
    """The same for all sites."""
    rows = raw_events.requeue_parked(call.connection, actor=call.actor, reason=ask.field("reason") or None)
    return Moved(to="parked", said=_said(rows))


def _reasons(counts: dict[str, int] | Counter[str]) -> list[Reason]:
    return [
        Reason(reason=reason, rows=rows)
        for reason, rows in sorted(counts.items(), key=lambda reason_rows: -reason_rows[1])
    ]


def _said(rows: int) -> str:
    if rows == raw_events.REQUEUED_AT_ONCE:
        return f"{rows:,} deliveries are understood once more. There may be more: replay again when they are through."
    return f"{rows:,} {'delivery is' if rows == 1 else 'deliveries are'} understood once more."
