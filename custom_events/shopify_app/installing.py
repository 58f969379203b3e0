"""The two ways in which a shop gets our app: its owner agrees (authorization code), or opens it in the admin (token exchange)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

import msgspec
import sqlalchemy as sa

from custom_events import secrets
from custom_events.errors import NotAdmitted
from custom_events.platforms.shopify.app_topics import SCOPES
from custom_events.platforms.shopify.shops import checked_shop, shop_url
from custom_events.queries.sites import database_now
from custom_events.settings import Settings
from custom_events.shopify_app import signatures, token_endpoint
from custom_events.shopify_app.app_settings import App, app_of
from custom_events.shopify_app.connecting import Connected, connect

INSTALL: Final = "/shopify/install"
CALLBACK: Final = "/shopify/callback"
ACTOR: Final = "shopify-app"  # who is written into the audit trail: the shop's owner, whom Shopify does not name

Query = Sequence[tuple[str, str]]


class Begun(msgspec.Struct, frozen=True):
    """Where the owner agrees, and what their browser keeps meanwhile."""

    url: str
    nonce: str


def install_url(settings: Settings, shop: str) -> str:
    """The link with which a shop's owner begins. Raises InvalidConfiguration for what is no shop, and without an app."""
    app = app_of(settings)
    return f"{app.console_url}{INSTALL}?{urlencode({'shop': checked_shop(shop)})}"


def begin(engine: sa.Engine, settings: Settings, query: Query) -> Begun | Connected:
    """Somebody followed a link to install, or opened the app: where they agree; or the shop, connected, where Shopify's session token came
    along. A signature of Shopify's is checked wherever there is one.

    Raises InvalidConfiguration for what is no shop, NotAdmitted for what is not to be believed, and what `connect` raises.
    """
    app, now = app_of(settings), _now(engine)
    parameters = dict(query)
    shop = checked_shop(parameters.get("shop"))
    if "hmac" in parameters:
        signatures.check_query(app, query, now)
    if session_token := parameters.get("id_token"):
        if signatures.shop_of_session(app, session_token, now) != shop:
            raise NotAdmitted("The session token is of another shop than the link.")
        grant = token_endpoint.of_session(app, shop, session_token, now)
        return connect(engine, settings, shop, grant, actor=ACTOR)
    state, nonce = signatures.begin(shop, secrets.key(settings), now)
    return Begun(_authorization_url(app, shop, state), nonce)


def end(engine: sa.Engine, settings: Settings, query: Query, nonce: str) -> Connected:
    """The owner has agreed, and Shopify led them back: the shop becomes a site. `nonce` is what their browser kept.

    Raises NotAdmitted for what Shopify has not signed or this browser has not begun, GrantRefused, Transient, and what `connect` raises.
    """
    app, now = app_of(settings), _now(engine)
    parameters = dict(query)
    shop = checked_shop(parameters.get("shop"))
    signatures.check_query(app, query, now)
    signatures.check_state(parameters.get("state", ""), nonce, shop, secrets.key(settings), now)
    grant = token_endpoint.of_code(app, shop, parameters.get("code", ""), now)
    return connect(engine, settings, shop, grant, actor=ACTOR)


def _authorization_url(app: App, shop: str, state: str) -> str:
    parameters = {
        "client_id": app.client_id,
        "scope": ",".join(SCOPES),
        "redirect_uri": app.console_url + CALLBACK,
        "state": state,
    }
    return f"{shop_url(shop, app.base_url)}/admin/oauth/authorize?{urlencode(parameters)}"


def _now(engine: sa.Engine) -> datetime:
    with engine.connect() as connection:
        return database_now(connection)
