"""Where a Shopify shop's owner installs our app: the way to their consent, and back. Nobody is signed in here; what Shopify has signed says who asks."""

from typing import Final
from urllib.parse import parse_qsl

from console.api import cookies
from console.api.calls import Call
from console.api.envelope import CONTENT_SECURITY_POLICY
from console.api.rights import OPEN
from console.pages.ask import MOST_FIELDS, Ask
from console.pages.page import Answer, Moved, Pages, Shown
from console.pages.translations import _
from custom_events.errors import CustomEventsError, NotAdmitted, Transient
from custom_events.settings import Settings
from custom_events.shopify_app import installing
from custom_events.shopify_app.connecting import Connected
from custom_events.shopify_app.signatures import YOUNG_S

PAGES: Final = Pages()
COOKIE: Final = "custom_events_shopify"  # the nonce of an install, until Shopify leads back
_ADMIN: Final = "https://admin.shopify.com"
_TEMPLATE: Final = "shopify_app.html"


@PAGES.show("/shopify/install", right=OPEN, template=_TEMPLATE, is_secret=True)
def install_page(call: Call, ask: Ask) -> Answer:
    """The app's own address: leads to where the owner agrees, or connects the shop whose admin shows this."""
    del ask
    try:
        begun = installing.begin(call.engine, call.settings, _query(call))
    except CustomEventsError as error:
        return _refused(error)
    if isinstance(begun, Connected):
        return _connected(begun)
    return Moved(to="", away=begun.url, cookies=(_cookie(begun.nonce, call.settings),))


@PAGES.show("/shopify/callback", right=OPEN, template=_TEMPLATE, is_secret=True)
def callback_page(call: Call, ask: Ask) -> Answer:
    """Where Shopify leads the owner back to: the shop is connected."""
    del ask
    try:
        connected = installing.end(call.engine, call.settings, _query(call), _nonce(call))
    except CustomEventsError as error:
        return _refused(error)
    return _connected(connected)


def _query(call: Call) -> list[tuple[str, str]]:
    """As it was signed: each part once, in its order."""
    return parse_qsl(call.asked.query, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="replace")


def _connected(connected: Connected) -> Shown:
    shop = connected.look.shop
    # The shop's admin may show this page within itself.
    policy = CONTENT_SECURITY_POLICY.replace("frame-ancestors 'none'", f"frame-ancestors https://{shop} {_ADMIN}")
    return Shown(
        title=_("Connected"),
        content={"shop": shop, "problems": connected.look.problems, "wrong": ""},
        headers={"Content-Security-Policy": policy},
    )


def _refused(error: CustomEventsError) -> Shown:
    status = 403 if isinstance(error, NotAdmitted) else 503 if isinstance(error, Transient) else 400
    return Shown(
        title=_("Not connected"),
        content={"shop": "", "problems": (), "wrong": str(error)},
        status=status,
    )


def _cookie(nonce: str, settings: Settings) -> str:
    """The header that has the browser keep it. Lax: it goes along when Shopify leads back."""
    return cookies.written(COOKIE, nonce, settings, age_s=YOUNG_S, path=installing.CALLBACK)


def _nonce(call: Call) -> str:
    return call.asked.cookies.get(cookies.name_of(COOKIE, call.settings, path=installing.CALLBACK), "")
