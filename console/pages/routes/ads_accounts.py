"""Ads accounts: how each stands, what is stopped and why; held and released."""

from datetime import UTC, datetime
from typing import Final, get_args

from console.api.calls import Call
from console.api.pages import LONGEST_CURSOR
from console.api.routes import ads_accounts as operations
from console.api.routes import comparisons
from console.api.routes.uploads import Hold
from console.pages.ask import ROWS, Ask
from console.pages.charts import Chart, Series, day_label
from console.pages.page import Moved, Pages, Shown, right_of
from console.pages.translations import _
from custom_events.catalog import ads
from custom_events.ledger import overview
from custom_events.ledger.differences import Day
from custom_events.values.conversions import Lane

PAGES: Final = Pages()
_STATES: Final = get_args(operations.State)


@PAGES.show(
    "/ads-accounts", right=right_of(operations.ROUTES, operations.list_ads_accounts), template="ads_accounts.html"
)
def ads_accounts_page(call: Call, ask: Ask) -> Shown:
    """The accounts with their figures, by customer id."""
    lane = ask.choice("lane", tuple(Lane))
    listed = operations.list_ads_accounts(
        call,
        search=ask.text("search"),
        lane=None if lane is None else Lane(lane),
        state=ask.choice("state", _STATES),  # pyright: ignore[reportArgumentType]
        limit=ROWS,
        after=ask.text("after", longest=LONGEST_CURSOR),
    )
    customer_ids = [account.customer_id for account in listed.items]
    content = {
        "ask": ask,
        "list": listed,
        "accounts": overview.overview(call.connection, datetime.now(UTC), customer_ids=customer_ids),
        "lanes": tuple(Lane),
    }
    return Shown(title=_("Ads accounts"), content=content)


@PAGES.show(
    "/ads-accounts/{customer_id}",
    right=right_of(operations.ROUTES, operations.read_standing),
    template="ads_account.html",
)
def ads_account_page(call: Call, ask: Ask) -> Shown:
    """One account: what waits for it, what is stopped, its conversion actions."""
    standing = operations.read_standing(call, ask.path["customer_id"])
    actions = ads.actions(call.connection, standing.customer_id)
    probe = ads.kept_probe(call.connection, standing.customer_id)
    account = ads.get_account(call.connection, standing.customer_id)
    content = {"standing": standing, "actions": actions, "probe": probe, "account": account}
    return Shown(title=standing.name, content=content)


@PAGES.change("/ads-accounts/{customer_id}/probe", right=right_of(operations.ROUTES, operations.probe_ads_account))
def probe(call: Call, ask: Ask) -> Moved:
    """Ask Google, without effect, what the account allows; the answers stand on its page."""
    customer_id = ask.path["customer_id"]
    kept = operations.probe_ads_account(call, customer_id)
    said = _("Nothing is in the way of conversions.") if kept.fine else _("Something is in the way: see what.")
    return Moved(to=f"ads-accounts/{customer_id}#probe", said=said)


@PAGES.show(
    "/ads-accounts/{customer_id}/comparison",
    right=right_of(comparisons.ROUTES, comparisons.read_comparison),
    template="comparison.html",
)
def comparison_page(call: Call, ask: Ask) -> Shown:
    """What we sent beside what Google counted, day by day, and why they differ."""
    comparison = comparisons.read_comparison(call, ask.path["customer_id"])
    account = ads.get_account(call.connection, comparison.customer_id)
    action_id = ask.text("action_id")
    days = [day for day in comparison.days if action_id in (None, day.action_id)]
    actions = {day.action_id: day.action or day.action_id for day in comparison.days}
    content = {
        "ask": ask,
        "account": account,
        "first_day": comparison.first_day,
        "days": days,
        "actions": list(actions.items()),
        "chart": _chart(days),
    }
    return Shown(title=_("%(name)s and Google's counts", name=account.name), content=content)


@PAGES.change("/ads-accounts/{customer_id}/hold", right=right_of(operations.ROUTES, operations.hold_ads_account))
def hold(call: Call, ask: Ask) -> Moved:
    """Send nothing for it until it is released."""
    customer_id = ask.path["customer_id"]
    operations.hold_ads_account(call, customer_id, Hold(why=ask.field("why") or "no reason given"))
    return Moved(to=f"ads-accounts/{customer_id}", said=_("Nothing is sent for this account until it is released."))


@PAGES.change("/ads-accounts/{customer_id}/release", right=right_of(operations.ROUTES, operations.release_ads_account))
def release(call: Call, ask: Ask) -> Moved:
    """Send for it again."""
    customer_id = ask.path["customer_id"]
    operations.release_ads_account(call, customer_id)
    return Moved(to=f"ads-accounts/{customer_id}", said=_("Conversions are sent for this account again."))


def _chart(days: list[Day]) -> Chart:
    """Ours beside Google's by day, all actions that are shown together; nothing stands where Google has not told of a day."""
    listed = sorted({day.day for day in days})
    of_day = {day: [count for count in days if count.day == day] for day in listed}
    taken = [[count.google.successful for count in of_day[day] if count.google is not None] for day in listed]
    return Chart(
        id="days",
        title=_("Sent and taken"),
        unit=_("by day of the call"),
        kind="lines",
        labels=tuple(day_label(day) for day in listed),
        series=(
            Series(name=_("sent"), values=tuple(sum(count.sent for count in of_day[day]) for day in listed)),
            Series(
                name=_("accepted by our ledger"),
                values=tuple(sum(count.accepted for count in of_day[day]) for day in listed),
            ),
            Series(
                name=_("taken, as Google counts"), values=tuple(sum(counts) if counts else None for counts in taken)
            ),
        ),
    )
