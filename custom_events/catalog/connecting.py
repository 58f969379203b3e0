"""Connecting a store: the address it posts to, what to enter there, and what came of it so far."""

import base64
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

import msgspec
import sqlalchemy as sa

from custom_events.catalog.sites import Site
from custom_events.platforms.registry import PLATFORMS
from custom_events.queries import deliveries as sql
from custom_events.queries.sites import database_now
from custom_events.settings import Settings
from custom_events.values.deliveries import Refusal
from custom_events.values.platforms import Platform

WEEKS_LOOKED_BACK: Final = 14  # for a site's last delivery; bodies are kept 90 days by default
CONNECTION_PREFIX: Final = "custom-events-1:"  # says what a pasted line is, and the version of what follows
LOOKED_BACK: Final = timedelta(hours=1)  # for what came to a site: whoever connects a store has just tried

_REFUSALS: Final[dict[str, str]] = {
    Refusal.NO_SUCH_SITE: "the address or shop domain in the delivery belongs to no site: compare it with the address above",
    Refusal.NO_SIGNATURE: "the delivery came without a signature: give the webhook a secret in the store",
    Refusal.MALFORMED_SIGNATURE: "the signature could not be read: does a proxy between the store and us change headers?",
    Refusal.WRONG_SIGNATURE: "the signature fits none of the site's secrets: enter the same secret here and in the store",
    Refusal.TOO_OLD: "the signed time is too far from this machine's: set the clock of the sender",
    Refusal.TOO_LARGE: "the body is larger than CUSTOM_EVENTS_BODY_LIMIT_BYTES",
    Refusal.SITE_REMOVED: "the site was removed: custom-events site resume brings it back",
    Refusal.BUSY: "the receiver had no room or no database: look at its /readyz",
}


class Arrivals(msgspec.Struct, frozen=True, kw_only=True):
    """What came since a moment: the newest delivery that landed, and how often which reason refused others."""

    raw_id: int | None = None
    received_at: datetime | None = None
    topic: str | None = None
    refused: dict[str, int] = {}  # the newest reason first


def address(settings: Settings, site: Site) -> str:
    """Where this store posts its webhooks."""
    base = settings.receiver_url or f"http://{settings.receiver_host}:{settings.receiver_port}"
    return f"{base.rstrip('/')}/webhooks/{site.platform.value}/{site.site_key}"


def instructions(site: Site, url: str) -> list[str]:
    """What to enter in the store, line by line. The secret is shown or asked for elsewhere."""
    return PLATFORMS[site.platform].instructions(site.site_key, url)


def connection_string(platform: Platform, url: str, secret: str, key_id: str | None) -> str | None:
    """All that the platform's own plugin needs to post to `url`, as one line to paste; None where there is no plugin. It holds the secret:
    show it where the secret is shown, and no more than once."""
    if not PLATFORMS[platform].has_plugin:
        return None
    fields = {"url": url, "key_id": key_id, "secret": secret}
    document = msgspec.json.encode({name: value for name, value in fields.items() if value is not None})
    return CONNECTION_PREFIX + base64.urlsafe_b64encode(document).decode().rstrip("=")


def arrivals(connection: sa.Connection, site: Site, since: datetime) -> Arrivals:
    """What came to the site's address since then."""
    values = {"site": site.id, "platform": site.platform.value, "since": since}
    landed = connection.execute(sql.LANDED_SINCE, values).one_or_none()
    refused = {row.reason: row.refusals for row in connection.execute(sql.REFUSED_SINCE, values)}
    if landed is None:
        return Arrivals(refused=refused)
    return Arrivals(raw_id=landed.id, received_at=landed.received_at, topic=landed.topic, refused=refused)


def arrivals_since(connection: sa.Connection, site: Site, since: datetime | None) -> Arrivals:
    """The same; None: of the last `LOOKED_BACK`."""
    return arrivals(connection, site, since if since is not None else database_now(connection) - LOOKED_BACK)


def refusal_sentence(reason: str) -> str:
    """Why a delivery was refused, and what to do."""
    return _REFUSALS.get(reason, reason)


def last_deliveries(
    connection: sa.Connection, now: datetime, *, only: Collection[int] | None = None
) -> dict[int, datetime]:
    """When the newest delivery of each of these sites (None: all) landed, by site id, as far as bodies are kept."""
    today = now.date()
    week = today - timedelta(days=today.weekday(), weeks=WEEKS_LOOKED_BACK)
    values = {"week": week, "only": None if only is None else sorted(only)}
    return {row.site_id: row.received_at for row in connection.execute(sql.LAST_LANDED, values)}


def store_makes_secret(platform: Platform) -> bool:
    """Whether the store makes the secret that signs its deliveries, and somebody enters it here; else it is given ours."""
    return PLATFORMS[platform].makes_secret
