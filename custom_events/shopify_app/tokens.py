"""A shop's access token, fresh whenever it is asked for.

One refresh at a time for a shop, across processes: whoever renews holds the row while Shopify answers, and who waited finds what the other one
got. Both tokens are stored in that transaction. Where the answer is lost it is rolled back, and the next one asks with the same refresh token,
which Shopify takes again.
"""

from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from custom_events import secrets
from custom_events.errors import NeedsAction, Transient
from custom_events.queries import shopify_app as sql
from custom_events.queries.sites import database_now
from custom_events.settings import Settings
from custom_events.shopify_app import installation, token_endpoint
from custom_events.shopify_app.app_settings import App, app_of
from custom_events.shopify_app.token_endpoint import Grant

EARLY: Final = timedelta(minutes=5)  # before its end a token is renewed: a page of orders takes less
WAIT_MS: Final = 60_000  # for another process that renews: three answers of Shopify's
LASTING_ENDS: Final = "1 January 2027"  # from then on Shopify takes no token that never expires


def access_token(engine: sa.Engine, settings: Settings, site_id: int, *, renew: bool = False) -> tuple[str, str]:
    """The shop of a site and an access token for it that is good for a while; `renew`: another one than before, which Shopify refuses.

    Raises NotFound, NeedsAction where the app is uninstalled or its owner must agree again, Transient where Shopify does not answer.
    """
    app, key = app_of(settings), secrets.key(settings)
    with engine.connect() as connection:
        row = connection.execute(sql.BY_SITE, {"site": site_id}).one_or_none()
        now = database_now(connection)
    if row is None:
        raise installation.not_installed(site_id)
    used = _tokens(row, key)
    if not renew and _is_fresh(row, now):
        return row.shop, used.access
    return row.shop, _renew(engine, app, key, site_id, refused=used.access if renew else None)


def migrate(engine: sa.Engine, settings: Settings, site_id: int) -> bool:
    """Exchange a token that never expires for a pair that does. Whether there was one. Raises as `access_token` does."""
    app, key = app_of(settings), secrets.key(settings)
    with engine.begin() as connection:
        row = _held(connection, site_id)
        tokens = _tokens(row, key)
        if tokens.refresh is not None:
            return False
        grant = token_endpoint.of_lasting(app, row.shop, tokens.access, database_now(connection))
        store(connection, row.site_id, row.shop, grant, key)
        return True


def store(connection: sa.Connection, site_id: int, shop: str, grant: Grant, key: bytes) -> None:
    """Both tokens and their ends, in the caller's transaction."""
    values = {
        "site": site_id,
        "scopes": list(grant.scopes),
        "tokens": installation.encrypted(grant.tokens, site_id, shop, key),
        "access_expires_at": grant.access_expires_at,
        "refresh_expires_at": grant.refresh_expires_at,
    }
    connection.execute(sql.RENEW, values)


def _renew(engine: sa.Engine, app: App, key: bytes, site_id: int, *, refused: str | None) -> str:
    with engine.begin() as connection:
        row = _held(connection, site_id)
        tokens = _tokens(row, key)
        now = database_now(connection)
        if tokens.access != refused and _is_fresh(row, now):
            return tokens.access  # another one has renewed it meanwhile
        if tokens.refresh is None:
            raise token_endpoint.GrantRefused(
                f"{row.shop} takes our token no more, and there is nothing to renew it by: the owner has to install the app again.",
                who="site owner",
            )
        grant = token_endpoint.of_refresh(app, row.shop, tokens.refresh, now)
        store(connection, site_id, row.shop, grant, key)
        return grant.tokens.access


def _held(connection: sa.Connection, site_id: int) -> sa.Row[*tuple[Any, ...]]:
    connection.execute(sql.LIMIT_WAIT, {"limit_ms": WAIT_MS})
    try:
        row = connection.execute(sql.BY_SITE_LOCKED, {"site": site_id}).one_or_none()
    except OperationalError:  # another process has held the row all the while
        raise Transient(f"The tokens of site {site_id} are being renewed elsewhere", retry_after_s=5.0) from None
    if row is None:
        raise installation.not_installed(site_id)
    return row


def _tokens(row: sa.Row[*tuple[Any, ...]], key: bytes) -> installation.Tokens:
    if row.tokens_encrypted is None:
        raise NeedsAction(
            f"The app was removed from {row.shop}: the owner has to install it again (`custom-events shopify install-url {row.shop}`).",
            who="site owner",
        )
    return installation.decrypted(bytes(row.tokens_encrypted), row.site_id, row.shop, key)


def _is_fresh(row: sa.Row[*tuple[Any, ...]], now: datetime) -> bool:
    return row.access_expires_at is None or row.access_expires_at - EARLY > now
