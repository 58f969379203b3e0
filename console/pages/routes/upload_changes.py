"""Many uploads at once, of a site or of an ads account: held ones released, refused ones sent again, waiting ones withheld."""

from typing import Final
from urllib.parse import urlencode

from console.api.calls import Call
from console.api.routes import ads_accounts, uploads
from console.api.routes.ads_accounts import HeldRows, WithheldRows
from console.api.routes.uploads import Chosen, HoldOfSite
from console.pages.ask import Ask
from console.pages.page import Moved, Pages, right_of
from console.pages.translations import _, ngettext
from custom_events.catalog import ads

PAGES: Final = Pages()
_OF_SITE: Final = uploads.ROUTES
_OF_ACCOUNT: Final = ads_accounts.ROUTES


@PAGES.change("/sites/{site_id}/uploads/release", right=right_of(_OF_SITE, uploads.release_uploads_of_site))
def release_of_site(call: Call, ask: Ask) -> Moved:
    """Let what is held of a site go."""
    changed = uploads.release_uploads_of_site(call, ask.path["site_id"], _chosen(ask))
    return _back_to_site(ask, "held", _("%(conversions)s released.", conversions=_conversions(changed.rows)))


@PAGES.change("/sites/{site_id}/uploads/retry", right=right_of(_OF_SITE, uploads.retry_uploads_of_site))
def retry_of_site(call: Call, ask: Ask) -> Moved:
    """Send what was refused of a site once more."""
    changed = uploads.retry_uploads_of_site(call, ask.path["site_id"], _chosen(ask))
    return _back_to_site(
        ask, "rejected", _("%(conversions)s sent again with the next request.", conversions=_conversions(changed.rows))
    )


@PAGES.change("/sites/{site_id}/uploads/withhold", right=right_of(_OF_SITE, uploads.withhold_uploads_of_site))
def withhold_of_site(call: Call, ask: Ask) -> Moved:
    """Never send what waits of a site, or of an order of it."""
    body = HoldOfSite(why=ask.field("why") or "no reason given", order_id=ask.field("order_id") or None)
    changed = uploads.withhold_uploads_of_site(call, ask.path["site_id"], body)
    return _back_to_site(ask, "withheld", _("%(conversions)s withheld.", conversions=_conversions(changed.rows)))


@PAGES.change(
    "/ads-accounts/{customer_id}/uploads/release", right=right_of(_OF_ACCOUNT, ads_accounts.release_uploads_of_account)
)
def release_of_account(call: Call, ask: Ask) -> Moved:
    """Let what is held of an account go."""
    body = HeldRows(reason=ask.field("reason") or None)
    changed = ads_accounts.release_uploads_of_account(call, ask.path["customer_id"], body)
    return _back_to_account(call, ask, "held", _("%(conversions)s released.", conversions=_conversions(changed.rows)))


@PAGES.change(
    "/ads-accounts/{customer_id}/uploads/retry", right=right_of(_OF_ACCOUNT, ads_accounts.retry_uploads_of_account)
)
def retry_of_account(call: Call, ask: Ask) -> Moved:
    """Send what was refused of an account once more."""
    changed = ads_accounts.retry_uploads_of_account(call, ask.path["customer_id"], _chosen(ask))
    return _back_to_account(
        call,
        ask,
        "rejected",
        _("%(conversions)s sent again with the next request.", conversions=_conversions(changed.rows)),
    )


@PAGES.change(
    "/ads-accounts/{customer_id}/uploads/withhold",
    right=right_of(_OF_ACCOUNT, ads_accounts.withhold_uploads_of_account),
)
def withhold_of_account(call: Call, ask: Ask) -> Moved:
    """Never send what waits of a conversion action of an account."""
    body = WithheldRows(why=ask.field("why") or "no reason given", action_id=ask.field("action_id") or None)
    changed = ads_accounts.withhold_uploads_of_account(call, ask.path["customer_id"], body)
    return _back_to_account(
        call, ask, "withheld", _("%(conversions)s withheld.", conversions=_conversions(changed.rows))
    )


def _chosen(ask: Ask) -> Chosen:
    return Chosen(order_id=ask.field("order_id") or None, reason=ask.field("reason") or None)


def _conversions(rows: int) -> str:
    return ngettext("%(rows)s upload is", "%(rows)s uploads are", rows, rows=f"{rows:,}")


def _back_to_site(ask: Ask, state: str, said: str) -> Moved:
    return Moved(to=f"uploads?{urlencode({'site_id': ask.path['site_id'], 'state': state})}", said=said)


def _back_to_account(call: Call, ask: Ask, state: str, said: str) -> Moved:
    account = ads.get_account(call.connection, ask.path["customer_id"])
    return Moved(to=f"uploads?{urlencode({'account_id': account.id, 'state': state})}", said=said)
