"""What is parked and what is withheld, by reason, with what to do; parked deliveries understood once more."""

from collections import Counter
from datetime import datetime
from typing import Any, Final

import msgspec

from console.api.calls import Answer, Call
from console.api.routes import browsing
from console.api.routes import raw_events as operations
from console.api.routes.raw_events import ParkedToReplay
from console.pages.ask import Ask
from console.pages.navigation import READ
from console.pages.page import Moved, Pages, Shown, right_of
from console.pages.translations import _
from console.pages.visible import chosen_site, site_choice
from custom_events.watching import sums

PAGES: Final = Pages()
SAMPLES: Final = 3  # of a reason, the newest
REASONS_SAMPLED: Final = 8  # reasons with samples, the most frequent ones: each costs a look into the lists
PRIVACY: Final = ("redact_customer", "redact_shop", "data_request")  # reasons that a replay does not change
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
        of_all = sums.reasons(call.connection)
        parked, withheld = _reasons(of_all.parked), _reasons(of_all.withheld)
    else:
        listed = operations.list_parked(call, site_id).items
        parked = [Reason(**msgspec.structs.asdict(row)) for row in listed]
        rows = browsing.list_uploads(call, site_id=site_id, state="withheld", limit=COUNTED).items
        withheld = _reasons(Counter(row.reason or "" for row in rows))
    content |= {
        "parked": parked,
        "privacy": PRIVACY,
        "withheld": withheld,
        "counted": None if site_id is None else COUNTED,
        "parked_samples": _parked_samples(call, site_id, parked),
        "withheld_samples": _withheld_samples(call, site_id, withheld),
    }
    return Shown(title=_("Parked and withheld"), content=content)


@PAGES.change("/sites/{site_id}/parked/replay", right=right_of(operations.ROUTES, operations.replay_parked_of_site))
def replay_of_site(call: Call, ask: Ask) -> Moved:
    """A site's parked deliveries, of one reason where it is given, are understood once more."""
    return _moved(operations.replay_parked_of_site(call, ask.path["site_id"], _asked(ask)))


@PAGES.change("/parked/replay", right=right_of(operations.ROUTES, operations.replay_parked))
def replay_of_all(call: Call, ask: Ask) -> Moved:
    """The same for all sites."""
    return _moved(operations.replay_parked(call, _asked(ask)))


def _asked(ask: Ask) -> ParkedToReplay:
    return ParkedToReplay(reason=ask.field("reason") or None)


def _moved(answer: Answer) -> Moved:
    return Moved(to=f"operations/{answer.content.id}", said=_("They are put back, to be understood once more."))


def _parked_samples(call: Call, site_id: int | None, reasons: list[Reason]) -> dict[str, Any]:
    """The newest deliveries of each of the first reasons."""
    return {
        reason.reason: browsing.list_raw_events(
            call, site_id=site_id, outcome="parked", reason=reason.reason, limit=SAMPLES
        ).items
        for reason in reasons[:REASONS_SAMPLED]
        if reason.reason
    }


def _withheld_samples(call: Call, site_id: int | None, reasons: list[Reason]) -> dict[str, Any]:
    """The newest withheld conversions of each of the first reasons."""
    return {
        reason.reason: browsing.list_uploads(
            call, site_id=site_id, state="withheld", reason=reason.reason, limit=SAMPLES
        ).items
        for reason in reasons[:REASONS_SAMPLED]
        if reason.reason
    }


def _reasons(counts: dict[str, int] | Counter[str]) -> list[Reason]:
    return [
        Reason(reason=reason, rows=rows)
        for reason, rows in sorted(counts.items(), key=lambda reason_rows: -reason_rows[1])
    ]
