"""Sites: a list with their health, one with all that belongs to it; its secrets, and the key of its store's API. Its settings: site_editing.py; a new one: site_connecting.py."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any, Final

from console.api.calls import Call
from console.api.pages import MOST
from console.api.rights import of_site
from console.api.routes import assignments as assignment_operations
from console.api.routes import order_recovery, site_secrets
from console.api.routes import raw_events as raw_operations
from console.api.routes import sites as operations
from console.api.routes.figures import read_site_figures
from console.api.routes.order_recovery import NewStoreApiKey
from console.api.routes.site_secrets import Rotation
from console.api.routes.sites import Reason
from console.pages.ask import ROWS, Ask
from console.pages.navigation import READ
from console.pages.page import Moved, Pages, Shown, right_of
from console.pages.translations import _
from custom_events.access.roles import Role
from custom_events.browse.site_health import site_health
from custom_events.catalog import ads, connecting, signing, sites, store_api_keys
from custom_events.catalog.files.meanings import CONSENT_POLICIES
from custom_events.shopify_app import installation
from custom_events.values.deliveries import Platform
from custom_events.values.recovery import SENTENCES

PAGES: Final = Pages()
_STATES: Final = ("active", "paused", "removed")
# Settings that mean something for one platform alone, and are shown on its sites only.
_OF_PLATFORM: Final = {
    **dict.fromkeys(("cod_paid_when", "take_sub_orders", "payment_lost_statuses"), Platform.WOOCOMMERCE),
    "subscription_sources": Platform.SHOPIFY,
}
_QUIET_H: Final = 24  # without a delivery for as long: marked in the list
_OLD_DAYS: Final = 365  # a secret that is older: marked in the list


@PAGES.show("/sites", right=READ, template="sites.html")
def sites_page(call: Call, ask: Ask) -> Shown:
    """The sites that one may see, by name, with when each last sent something."""
    platform = ask.choice("platform", tuple(Platform))
    sort = ask.sort("name", "id")  # their numbers are in the order in which they were made
    listed = operations.list_sites(
        call,
        search=ask.text("search"),
        platform=None if platform is None else Platform(platform),
        state=ask.choice("state", _STATES),  # pyright: ignore[reportArgumentType]
        sort=sort,
        limit=ROWS,
        after=ask.text("after", longest=2_000),
    )
    health = site_health(call.connection, [site.id for site in listed.items], datetime.now(UTC))
    content = {
        "ask": ask,
        "list": listed,
        "sort": sort,
        "health": health,
        "quiet_h": _QUIET_H,
        "old_days": _OLD_DAYS,
        "platforms": tuple(Platform),
        "states": _STATES,
    }
    return Shown(title=_("Sites"), content=content)


@PAGES.show("/sites/{site_id}", right=right_of(operations.ROUTES, operations.read_site), template="site.html")
def site_page(call: Call, ask: Ask) -> Shown:
    """One site: what it sent and what came of it in seven days, how it is connected, what is assigned to it."""
    site_id = ask.path["site_id"]
    site = operations.shown(call, sites.get(call.connection, site_id))
    assigned = assignment_operations.list_assignments(call, site_id=site_id, limit=MOST).items
    in_force = [assignment for assignment in assigned if assignment.effective is not None and assignment.is_active]
    content: dict[str, Any] = {
        "site": site,
        "figures": read_site_figures(call, site_id),
        "arrivals": operations.read_arrivals(call, site_id),
        "refusal": connecting.refusal_sentence,
        "parked": raw_operations.list_parked(call, site_id).items,
        "secrets": signing.of(call.connection, site_id),
        "app": installation.of_site(call.connection, site_id),
        "instructions": operations.read_instructions(call, site_id),
        "assignments": assigned,
        "uses": Counter(assignment.effective.config.consent_needed for assignment in in_force),
        "policies": CONSENT_POLICIES,
        "accounts": _accounts(call, {assignment.effective.config.ads_action for assignment in in_force}),
        "now": datetime.now(UTC),
        "recovery": order_recovery.read_order_recovery(call, site_id),
        "gap_means": SENTENCES,
        "of_platform": _OF_PLATFORM,
        "key_form": store_api_keys.FORMS.get(site.platform),
        "form": ask.form,
        "errors": ask.errors,
    }
    return Shown(title=site.name, content=content)


@PAGES.change("/sites/{site_id}/pause", right=right_of(operations.ROUTES, operations.pause_site))
def pause(call: Call, ask: Ask) -> Moved:
    """What the site sends is taken and understood, and matches nothing."""
    operations.pause_site(call, ask.path["site_id"], Reason(reason=ask.field("reason")))
    return Moved(to=f"sites/{ask.path['site_id']}", said=_("The site is paused: what it sends matches nothing."))


@PAGES.change("/sites/{site_id}/resume", right=right_of(operations.ROUTES, operations.resume_site))
def resume(call: Call, ask: Ask) -> Moved:
    """What the site sends matches again."""
    operations.resume_site(call, ask.path["site_id"], Reason(reason=ask.field("reason")))
    return Moved(to=f"sites/{ask.path['site_id']}", said=_("The site is active: what it sends matches again."))


@PAGES.change("/sites/{site_id}/rotate", right=of_site(Role.ADMINISTRATOR), template="site_made.html")
def rotate(call: Call, ask: Ask) -> Shown:
    """A new secret, shown this once; those before stay good for a while."""
    site_id = ask.path["site_id"]
    made = site_secrets.rotate_secret(call, site_id, Rotation()).content
    site = operations.shown(call, sites.get(call.connection, site_id))
    instructions = operations.read_instructions(call, site_id)
    content = {"site": site, "secret": made, "instructions": instructions, "takes_connection": False, "is_new": False}
    return Shown(title=_("A new secret for %(name)s", name=site.name), content=content)


@PAGES.change(
    "/sites/{site_id}/secrets/{secret_id}/revoke", right=right_of(site_secrets.ROUTES, site_secrets.revoke_secret)
)
def revoke_secret(call: Call, ask: Ask) -> Moved:
    """A secret is good no longer, at once."""
    site_id = ask.path["site_id"]
    site_secrets.revoke_secret(call, site_id, ask.path["secret_id"])
    return Moved(to=f"sites/{site_id}", said=_("The secret is good no longer: what it signs is refused."))


def check_store_api_key(call: Call, ask: Ask) -> str:
    """Look at the key that is typed: it is neither encrypted nor kept, and its store is not called."""
    key = _typed_key(ask)
    store_api_keys.check(
        sites.get(call.connection, ask.path["site_id"]),
        store_url=key.store_url,
        consumer_key=key.consumer_key,
        consumer_secret=key.consumer_secret,
        allow_private=call.settings.store_api_private,
    )
    return ""


@PAGES.change(
    "/sites/{site_id}/store-api-key",
    right=right_of(order_recovery.ROUTES, order_recovery.set_store_api_key),
    form=site_page,
    template="site.html",
    checks=check_store_api_key,
)
def set_store_api_key(call: Call, ask: Ask) -> Moved:
    """Keep the key by which the store's orders are read."""
    site_id = ask.path["site_id"]
    order_recovery.set_store_api_key(call, site_id, _typed_key(ask))
    return Moved(
        to=f"sites/{site_id}", said=_("The key is kept, encrypted: the store's orders are read within the hour.")
    )


@PAGES.change(
    "/sites/{site_id}/store-api-key/remove",
    right=right_of(order_recovery.ROUTES, order_recovery.remove_store_api_key),
)
def remove_store_api_key(call: Call, ask: Ask) -> Moved:
    """The store's orders are read no more."""
    site_id = ask.path["site_id"]
    order_recovery.remove_store_api_key(call, site_id)
    return Moved(to=f"sites/{site_id}", said=_("The key is removed: the store's orders are read no more."))


def _typed_key(ask: Ask) -> NewStoreApiKey:
    return NewStoreApiKey(
        consumer_key=ask.field("consumer_key"),
        consumer_secret=ask.field("consumer_secret"),
        store_url=ask.field("store_url") or None,
    )


def _accounts(call: Call, actions: set[str | None]) -> list[ads.Account]:
    """The ads accounts to which what applies goes."""
    named = {action.partition("/")[0] for action in actions if action}
    return ads.accounts_of(call.connection, named) if named else []
