"""Ads accounts: how each stands, what is stopped and why; held and released."""

from datetime import UTC, datetime
from typing import Final

from console.api.calls import Call
from console.api.routes import ads_accounts as operations
from console.api.routes.uploads import Hold
from console.pages.ask import Ask
from console.pages.page import Moved, Pages, Shown, right_of
from custom_events.catalog import ads
from custom_events.ledger import overview

PAGES: Final = Pages()


@PAGES.show(
    "/ads-accounts", right=right_of(operations.ROUTES, operations.list_ads_accounts), template="ads_accounts.html"
)
def ads_accounts_page(call: Call, ask: Ask) -> Shown:  # noqa: ARG001  (every page takes both)
    """Every account with its figures."""
    return Shown(title="Ads accounts", content={"accounts": overview.overview(call.connection, datetime.now(UTC))})


@PAGES.show(
    "/ads-accounts/{customer_id}",
    right=right_of(operations.ROUTES, operations.read_standing),
    template="ads_account.html",
)
def ads_account_page(call: Call, ask: Ask) -> Shown:
    """One account: what waits for it, what is stopped, its conversion actions."""
    account = operations.read_standing(call, ask.path["customer_id"])
    actions = ads.actions(call.connection, account.customer_id)
    return Shown(title=account.name, content={"account": account, "actions": actions})


@PAGES.change("/ads-accounts/{customer_id}/hold", right=right_of(operations.ROUTES, operations.hold_ads_account))
def hold(call: Call, ask: Ask) -> Moved:
    """Send nothing for it until it is released."""
    customer_id = ask.path["customer_id"]
    operations.hold_ads_account(call, customer_id, Hold(why=ask.field("why") or "no reason given"))
    return Moved(to=f"ads-accounts/{customer_id}", said="Nothing is sent for this account until it is released.")


@PAGES.change("/ads-accounts/{customer_id}/release", right=right_of(operations.ROUTES, operations.release_ads_account))
def release(call: Call, ask: Ask) -> Moved:
    """Send for it again."""
    customer_id = ask.path["customer_id"]
    operations.release_ads_account(call, customer_id)
    return Moved(to=f"ads-accounts/{customer_id}", said="Conversions are sent for this account again.")
