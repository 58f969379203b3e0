"""One day of one conversion action, ours beside Google's, with the causes of every difference in words.

The question it answers is "42 sent, Google shows 7: why?" (PostHog/posthog issue 31164).
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.destinations.traits import TRAITS
from custom_events.ledger.codes import sentence_of
from custom_events.ledger.reconcile import OUR_CLIENT, first_day_of
from custom_events.queries import reconciliation as queries
from custom_events.values.conversions import Lane
from custom_events.values.summaries import Alert, Counts


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """One conversion action on one day of the account's time zone. sent = accepted + pending + refused + unknown + again + ended.

    `events` are rows carried by answered calls, as Google counts them; `google` None: it has not told of the day.
    """

    customer_id: str
    account: str
    lane: Lane
    action_id: str
    action: str | None
    one_per_click: bool
    day: date
    sent: int
    accepted: int
    pending: int
    refused: int
    unknown: int
    again: int
    ended: int
    unattributable: int
    already_there: int
    without_click: int
    retracted: int
    reasons: dict[str, int]
    events: int
    unanswered: int
    google: Counts | None
    google_status: str | None
    google_alerts: tuple[Alert, ...]
    google_read_at: datetime | None
    why: tuple[str, ...] = ()


def days(
    connection: sa.Connection, first_day: date, customer_id: str | None = None, action_id: str | None = None
) -> list[Day]:
    """The days since `first_day`, newest first, each with its causes, as the last reconciliation left them."""
    values = {"first_day": first_day, "customer_id": customer_id, "action_id": action_id, "client": OUR_CLIENT}
    listed = [_day(row) for row in connection.execute(queries.DAYS, values)]
    return [msgspec.structs.replace(day, why=tuple(causes(day))) for day in listed]


def all_days(connection: sa.Connection, now: datetime) -> list[Day]:
    """Every day of the window."""
    return days(connection, first_day_of(now))


def causes(day: Day) -> Iterator[str]:
    """Why the numbers are what they are: first what became of our rows, then why Google's count differs, then its pages."""
    yield from _ours(day)
    yield from _google(day)
    yield from _pages(day)


def _ours(day: Day) -> Iterator[str]:
    if day.pending:
        yield f"{day.pending} wait for Google's verdict, which comes half an hour to a day after the call"
    for reason, rows in sorted(day.reasons.items(), key=lambda pair: (-pair[1], pair[0])):
        yield f"{rows} x {reason}: {sentence_of(reason)}"
    if day.unattributable:
        yield (
            f"{day.unattributable} of the accepted are not attributable: nobody who clicked an ad fits. "
            "That is expected of orders that did not come from ads, and no error"
        )


def _google(day: Day) -> Iterator[str]:
    if day.google is None:
        if not TRAITS[day.lane].keeps_summaries:
            yield "Google has not told of this day yet: its counts come with the verdict, half an hour to a day after a call"
        else:
            yield "Google has not told of this day yet: its summaries follow hours later; read them again"
        return
    if day.google.pending:
        yield f"{day.google.pending} are pending at Google: adjustments wait there for their conversion for up to 24 hours"
    for alert in day.google_alerts:
        yield f"Google names {alert.code} for {alert.share:.0%} of all recent events: {sentence_of(alert.code)}"
    more = day.google.total - day.events
    if more > 0 and day.unanswered:
        yield f"Google counts {more} more than it answered: {day.unanswered} rows were in calls whose answer was lost"
    elif more > 0:
        yield f"Google counts {more} more than we sent: another system uploads to this conversion action as well"
    elif more < 0:
        yield f"Google counts {-more} fewer than it answered: its summaries follow hours later; read them again"
    if day.events > day.sent:
        yield f"{day.events - day.sent} rows of the day were sent more than once; Google counts every call"


def _pages(day: Day) -> Iterator[str]:
    if not day.accepted:
        return
    if day.without_click:
        yield (
            f"{day.without_click} went with a hashed e-mail or phone alone: Google's pages show such a conversion only "
            "when that person clicked an ad"
        )
    if day.retracted:
        yield f"{day.retracted} are retractions: they take a conversion off Google's pages"
    if day.one_per_click:
        yield "The action counts one conversion a click: further orders of the same click are taken and not shown"
    yield (
        "Google's pages show a conversion on the day of its click, not of its upload, up to some hours late, and share it "
        "between clicks by the action's attribution model"
    )


def _day(row: Any) -> Day:
    google = None
    if row.google_successful is not None:
        google = Counts(successful=row.google_successful, failed=row.google_failed, pending=row.google_pending)
    return Day(
        customer_id=row.customer_id,
        account=row.account_name,
        lane=Lane(row.lane),
        action_id=row.action_id,
        action=row.action_name,
        one_per_click=bool(row.one_per_click),
        google=google,
        google_status=row.status,
        google_alerts=tuple(Alert(**alert) for alert in row.alerts or ()),
        **{name: getattr(row, name) for name in _SAME},
    )


_SAME: Final = [
    "day",
    "sent",
    "accepted",
    "pending",
    "refused",
    "unknown",
    "again",
    "ended",
    "unattributable",
    "already_there",
    "without_click",
    "retracted",
    "reasons",
    "events",
    "unanswered",
    "google_read_at",
]
