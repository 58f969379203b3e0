"""What a shop's owner does in a browser, and what tests look at afterwards."""

from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

import httpx
import sqlalchemy as sa

from custom_events import secrets
from custom_events.queries import shopify_app as sql
from custom_events.settings import Settings
from custom_events.shopify_app import installation, installing
from custom_events.shopify_app.connecting import Connected

SHOP = "northlight-demo.myshopify.com"


def agreed(url: str) -> list[tuple[str, str]]:
    """The owner agrees: what Shopify leads their browser back with."""
    answer = httpx.get(url, trust_env=False)
    assert answer.status_code == 302, answer.text
    return parse_qsl(urlsplit(answer.headers["location"]).query, keep_blank_values=True)


def install(engine: sa.Engine, settings: Settings, begun: installing.Begun) -> Connected:
    """All of an install."""
    return installing.end(engine, settings, agreed(begun.url), begun.nonce)


def stored(engine: sa.Engine, settings: Settings, site_id: int) -> installation.Tokens:
    """The tokens of a site."""
    with engine.connect() as connection:
        row = connection.execute(sql.BY_SITE, {"site": site_id}).one()
    return installation.decrypted(bytes(row.tokens_encrypted), site_id, row.shop, secrets.key(settings))


def expire(engine: sa.Engine, site_id: int, at: datetime | None = None) -> None:
    """Let the access token be over, as if an hour had gone by here."""
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE app.shopify_installations SET access_expires_at = COALESCE(:at, now()) WHERE site_id = :site"
            ),
            {"at": at, "site": site_id},
        )
