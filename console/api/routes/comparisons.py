"""Our ledger beside Google's own counts: "42 sent, 7 shown: why?"."""

from datetime import UTC, date, datetime
from typing import Annotated, Final

import msgspec
from fastapi import Query

from console.api.calls import Call
from console.api.operations import Routes
from console.api.routes.ads_accounts import READ, CustomerId
from console.api.routes.ads_accounts import ROUTES as ACCOUNTS
from custom_events.catalog import ads
from custom_events.ledger import differences
from custom_events.ledger.differences import Day
from custom_events.ledger.reconcile import WINDOW, first_day_of
from custom_events.values.conversions import Lane
from custom_events.values.summaries import Counts

ROUTES: Final = Routes(ACCOUNTS.tag, ACCOUNTS.about)


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A row for each conversion action and day of the account's time zone from `first_day` on, the newest first, with the causes of every difference
    in sentences, as the last reconciliation left them; `google` is null where Google has not told of the day."""

    customer_id: str
    first_day: date
    days: tuple[Day, ...]


_EXAMPLE: Final = Comparison(
    customer_id="1234567890",
    first_day=date(2026, 11, 3),
    days=(
        Day(
            customer_id="1234567890",
            account="Shop Berlin",
            lane=Lane.GOOGLE_ADS,
            action_id="7001",
            action="Purchase",
            one_per_click=False,
            day=date(2026, 11, 29),
            sent=42,
            accepted=42,
            pending=0,
            refused=0,
            unknown=0,
            again=0,
            ended=0,
            unattributable=35,
            already_there=0,
            without_click=35,
            retracted=0,
            reasons={},
            events=42,
            unanswered=0,
            google=Counts(successful=7, failed=35, pending=0),
            google_status="GOOD",
            google_alerts=(),
            google_read_at=datetime(2026, 11, 30, 12, tzinfo=UTC),
            why=("35 of the accepted are not attributable: nobody who clicked an ad fits.",),
        ),
    ),
)


@ROUTES.get("/ads-accounts/{customer_id}/comparison", right=READ, answer=Comparison, example=_EXAMPLE)
def read_comparison(
    call: Call,
    customer_id: CustomerId,
    days: Annotated[
        int, Query(ge=1, le=WINDOW.days, description="Of how many days, as far back as Google's own summaries go.")
    ] = WINDOW.days,
) -> Comparison:
    """What we sent beside what Google counted, day by day, and why they differ ("42 sent, 7 shown")."""
    account = ads.get_account(call.connection, customer_id)
    first_day = first_day_of(datetime.now(UTC), days)
    compared = differences.days(call.connection, first_day, account.customer_id)
    return Comparison(customer_id=account.customer_id, first_day=first_day, days=tuple(compared))
