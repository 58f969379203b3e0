"""Connecting a store in steps: which kind, what it is called, what to enter there, and waiting for its first signed event."""

import secrets as tokens
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from console.api.calls import Call
from console.api.problems import FieldError, invalid
from console.api.rights import of_all_sites
from console.api.routes import browsing, site_secrets
from console.api.routes import raw_events as raw_operations
from console.api.routes import sites as operations
from console.api.routes.site_secrets import NewSecret
from console.api.routes.sites import NewSite
from console.pages.ask import Ask
from console.pages.checking import check_all
from console.pages.page import Moved, Pages, Shown, right_of
from console.pages.translations import N_, _, translated
from custom_events.access.roles import Role
from custom_events.catalog import connecting, signing, sites
from custom_events.catalog.sites import SITE_KEY_BYTES
from custom_events.values.deliveries import Platform

PAGES: Final = Pages()
STEPS: Final = (N_("Choose the store"), N_("Describe it"), N_("Enter it in the store"), N_("Wait for the first event"))
POLL_S: Final = 2  # seconds between two looks for the first event: somebody sits and waits for it
REFUSED_SHOWN: Final = 5  # refused deliveries, the newest first
# Makes a site and what its store signs with, which administrators give.
_CREATE: Final = of_all_sites(Role.ADMINISTRATOR)


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of store to connect: what it is called, what it needs, and which fields of the form it has."""

    name: str
    platform: Platform
    about: str
    signing_hint: str
    has_domain: bool = False
    lines: tuple[str, ...] = ()  # what to do in the store, where it is not what the platform's own webhooks need
    takes_connection: bool = False  # the store is given one line that holds address and secret, and nothing else


WAYS: Final[dict[str, Way]] = {
    "shopify": Way(
        name="Shopify",
        platform=Platform.SHOPIFY,
        about=N_("Webhooks of a shop's own settings, or of an app. Shopify shows the secret that signs them."),
        signing_hint=N_(
            "Shopify shows it under Settings > Notifications > Webhooks, once the first webhook is made; of an app it is the client "
            "secret. Not at hand yet? Leave it empty, and add it to the site afterwards."
        ),
        has_domain=True,
    ),
    "woocommerce": Way(
        name=N_("WooCommerce plugin"),
        platform=Platform.WOOCOMMERCE,
        about=N_(
            "Our plugin in WordPress: it tries again what was not delivered, and tells clicks and consent with each order."
        ),
        signing_hint=N_("Leave it empty: one is made, and stands in the connection string that the plugin takes."),
        lines=(
            N_("In WordPress: Plugins > Add Plugin > Upload Plugin, and activate it."),
            N_("Under WooCommerce > Custom Events paste the connection string, and save."),
            N_("Press the button there that sends a test event: it arrives here within seconds."),
        ),
        takes_connection=True,
    ),
    "webhook": Way(
        name=N_("WooCommerce, native webhook"),
        platform=Platform.WOOCOMMERCE,
        about=N_("Webhooks of WooCommerce itself, without a plugin. They are made by hand, one for each topic."),
        signing_hint=N_("Leave it empty: one is made, to be entered in each webhook."),
    ),
    "stripe": Way(
        name="Stripe",
        platform=Platform.STRIPE,
        about=N_("Checkout sessions, invoices and subscriptions of a Stripe account, by its own webhooks."),
        signing_hint=N_(
            "Stripe's signing secret of the destination (whsec_...): it is shown when the destination is made."
        ),
    ),
    "bigcommerce": Way(
        name="BigCommerce",
        platform=Platform.BIGCOMMERCE,
        about=N_("Hooks of a store name its orders, which are then read from its API by an access token of yours."),
        signing_hint=N_(
            "Leave it empty: one is made, to be sent as a header of each hook. The access token is entered on the site's page."
        ),
    ),
    "custom": Way(
        name=N_("Custom sender"),
        platform=Platform.CUSTOM,
        about=N_("A program of your own, or a server-side tag manager, posts signed JSON."),
        signing_hint=N_("Leave it empty: one is made, with which the sender signs."),
    ),
}


@PAGES.show("/sites/new", right=_CREATE, template="site_new.html")
def new_site_page(call: Call, ask: Ask) -> Shown:  # noqa: ARG001  (every page takes both)
    """Which kind of store; then its form. Its key is in the form already, so that sending it twice makes one site."""
    name = ask.form.get("way") or ask.choice("way", tuple(WAYS)) or ""
    form = {"site_key": tokens.token_urlsafe(SITE_KEY_BYTES), "time_zone": "Europe/Berlin", **ask.form}
    content = {
        "form": form,
        "errors": ask.errors,
        "ways": WAYS,
        "way": WAYS.get(name),
        "chosen": name,
        "steps": _steps(),
    }
    return Shown(title=_("Connect a store"), content=content)


def check_site(call: Call, ask: Ask) -> str:
    """Check as making the site does, but for its secret: one that is typed is looked at, and none is made, encrypted or kept."""
    way, secret = _way(ask), ask.field("secret")
    check_all(lambda: operations.create_site(call, _new_site(ask, way)), *_rules_of(secret))
    return ""


@PAGES.change("/sites/new", right=_CREATE, form=new_site_page, template="site_made.html", checks=check_site)
def create_site(call: Call, ask: Ask) -> Shown:
    """Make the site and its secret, which is shown this once."""
    way = _way(ask)
    made = operations.create_site(call, _new_site(ask, way)).content
    typed_secret = ask.field("secret") or None
    waits_for_secret = typed_secret is None and connecting.store_makes_secret(way.platform)
    secret = (
        None if waits_for_secret else site_secrets.add_secret(call, made.id, NewSecret(secret=typed_secret)).content
    )
    instructions = operations.read_instructions(call, made.id)
    if way.lines:
        instructions = msgspec.structs.replace(instructions, lines=tuple(map(translated, way.lines)))
    content = {
        "site": made,
        "secret": secret,
        "instructions": instructions,
        "takes_connection": way.takes_connection,
        "is_new": True,
        "steps": _steps(),
    }
    return Shown(title=_("%(name)s is made", name=made.name), content=content)


@PAGES.show(
    "/sites/{site_id}/connect", right=right_of(operations.ROUTES, operations.read_site), template="site_connect.html"
)
def connect_page(call: Call, ask: Ask) -> Shown:
    """Whether the first signed event is there; meanwhile what was refused, and why."""
    site = operations.shown(call, sites.get(call.connection, ask.path["site_id"]))
    arrivals = operations.read_arrivals(call, site.id)
    fate = raw_operations.read_raw_event(call, arrivals.raw_id) if arrivals.raw_id is not None else None
    now = datetime.now(UTC)
    good = [
        secret
        for secret in signing.of(call.connection, site.id)
        if secret.valid_until is None or secret.valid_until > now
    ]
    content: dict[str, Any] = {
        "site": site,
        "arrivals": arrivals,
        "fate": fate,
        "refused": browsing.list_refused_events(call, site_id=site.id, limit=REFUSED_SHOWN).items
        if arrivals.refused
        else (),
        "means": connecting.refusal_sentence,
        "has_secret": bool(good),
        "errors": ask.errors,
        "connecting": "connecting" in ask.form or not ask.form,
        "instructions": operations.read_instructions(call, site.id),
        "poll_s": POLL_S,
        "steps": _steps(),
    }
    return Shown(
        title=_("Waiting for %(name)s", name=site.name) if fate is None else _("%(name)s is connected", name=site.name),
        content=content,
    )


def check_secret(call: Call, ask: Ask) -> str:  # noqa: ARG001  (every check takes both)
    """Look at the secret that is typed; it is neither encrypted nor kept."""
    check_all(*_rules_of(ask.field("secret")))
    return ""


@PAGES.change(
    "/sites/{site_id}/secrets",
    right=right_of(site_secrets.ROUTES, site_secrets.add_secret),
    form=connect_page,
    template="site_connect.html",
    checks=check_secret,
)
def add_secret(call: Call, ask: Ask) -> Moved:
    """Keep a secret that the store shows, beside those that the site has."""
    site_id = ask.path["site_id"]
    if not ask.field("secret"):
        raise invalid(FieldError(field="secret", problem="it is missing", remedy="the secret that the store shows"))
    site_secrets.add_secret(call, site_id, NewSecret(secret=ask.field("secret")))
    to = f"sites/{site_id}/connect" if "connecting" in ask.form else f"sites/{site_id}"
    return Moved(to=to, said=_("The secret is kept, encrypted: deliveries that it signs are taken from now on."))


def _way(ask: Ask) -> Way:
    """The kind of store that is chosen. Raises 422."""
    way = WAYS.get(ask.field("way"))
    if way is None:
        raise invalid(FieldError(field="way", problem="no kind of store is chosen", remedy=f"one of {', '.join(WAYS)}"))
    return way


def _new_site(ask: Ask, way: Way) -> NewSite:
    return NewSite(
        platform=way.platform,
        name=ask.field("name"),
        shop_domain=ask.field("shop_domain") or None,
        currency=ask.field("currency").upper() or None,
        time_zone=ask.field("time_zone") or "UTC",
        site_key=ask.field("site_key") or None,
    )


def _rules_of(secret: str) -> list[Callable[[], None]]:
    """What is checked of a typed secret; nothing of one that is not typed yet."""
    return [lambda: signing.check(secret)] if secret else []


def _steps() -> list[str]:
    return [translated(step) for step in STEPS]
