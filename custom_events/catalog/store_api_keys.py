"""Keys by which orders are read from a site's own store: consumer key and secret of WooCommerce, of BigCommerce the store's hash and an access
token. Encrypted at rest, never shown again."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec
import sqlalchemy as sa

from custom_events import secrets
from custom_events.catalog import audit, key_ring, sites
from custom_events.catalog.sites import Site
from custom_events.errors import Fault, InvalidConfiguration, NotFound
from custom_events.platforms.bigcommerce.orders_api import API as BIGCOMMERCE_API
from custom_events.platforms.registry import PLATFORMS
from custom_events.platforms.store_client import checked_url
from custom_events.queries import recovery as queries
from custom_events.values.platforms import Platform

SHOWN_CHARACTERS: Final = 7  # of the key's end, as WooCommerce's own page shows it
LONGEST: Final = 200  # characters of a key; WooCommerce's have 43


class KeyForm(msgspec.Struct, frozen=True, kw_only=True):
    """What people enter of a platform's key, and how it looks."""

    key_title: str
    secret_title: str
    key_pattern: re.Pattern[str]
    secret_pattern: re.Pattern[str]
    key_remedy: str
    secret_remedy: str
    address: Callable[[str, str | None], str]  # from the key and the site's domain; "": nobody knows it


_WOO_PLACE: Final = "copy it whole from WooCommerce > Settings > Advanced > REST API"
FORMS: Final = {
    Platform.WOOCOMMERCE: KeyForm(
        key_title="Consumer key",
        secret_title="Consumer secret",  # noqa: S106  (a title)
        key_pattern=re.compile(r"ck_[!-~]*"),
        secret_pattern=re.compile(r"cs_[!-~]*"),
        key_remedy=f"it begins with ck_: {_WOO_PLACE}",
        secret_remedy=f"it begins with cs_: {_WOO_PLACE}",
        address=lambda _key, domain: f"https://{domain}" if domain else "",
    ),
    Platform.BIGCOMMERCE: KeyForm(
        key_title="Store hash",
        secret_title="Access token",  # noqa: S106  (a title)
        key_pattern=re.compile(r"[a-z0-9]{4,32}"),
        secret_pattern=re.compile(r"[A-Za-z0-9]{20,}"),
        key_remedy="it is the word behind /stores/ in the API path of the account, of small letters and digits",
        secret_remedy="copy it whole from the file that BigCommerce gives when the API account is made",  # noqa: S106
        address=lambda key, _domain: f"{BIGCOMMERCE_API}{key}",
    ),
}
BY_KEY: Final = frozenset(FORMS)  # platforms whose orders are read by a key that people enter


class StoreApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key without what it holds: where it is good, and how it ends."""

    site_id: int
    store_url: str
    key_ending: str
    created_at: datetime
    updated_at: datetime


class Credentials(msgspec.Struct, frozen=True):
    """What is encrypted."""

    consumer_key: str
    consumer_secret: str


def check(
    site: Site, *, store_url: str | None, consumer_key: str, consumer_secret: str, allow_private: bool = False
) -> str:
    """The address that such a key is good for; nothing is kept, and nobody is called. Raises InvalidConfiguration for what cannot be a key or an
    address, and for a platform that has none."""
    form = FORMS.get(site.platform)
    if form is None:
        names = " and ".join(PLATFORMS[platform].title for platform in FORMS)
        raise InvalidConfiguration(f"a site of {site.platform} has no key of its API; {names} have", path="platform")
    faults = [
        Fault(path, "it does not look like one" if value else "it is missing", remedy)
        for path, value, pattern, remedy in (
            ("consumer_key", consumer_key, form.key_pattern, form.key_remedy),
            ("consumer_secret", consumer_secret, form.secret_pattern, form.secret_remedy),
        )
        if len(value) > LONGEST or pattern.fullmatch(value) is None
    ]
    if faults:
        raise InvalidConfiguration(f"{faults[0].wrong}; {faults[0].right}", path=faults[0].path, faults=tuple(faults))
    address = store_url or form.address(consumer_key, site.shop_domain)
    if not address:
        raise InvalidConfiguration("the site has no domain: name the store's address", path="store_url")
    return checked_url(address, allow_private=allow_private)


def put(
    connection: sa.Connection,
    site_id: int,
    *,
    store_url: str | None,
    consumer_key: str,
    consumer_secret: str,
    key: bytes,
    actor: str,
    allow_private: bool = False,
) -> StoreApiKey:
    """The site's key, in the place of the one before. `store_url` None: https and the site's domain, or BigCommerce's own API.

    Raises NotFound for the site, and as `check` does.
    """
    site = sites.get(connection, site_id)
    url = check(
        site,
        store_url=store_url,
        consumer_key=consumer_key,
        consumer_secret=consumer_secret,
        allow_private=allow_private,
    )
    before = of(connection, site_id)
    key_ring.check(connection, key)
    token = secrets.encrypt(
        msgspec.json.encode(Credentials(consumer_key, consumer_secret)), key, secrets.row_of_store_key(site_id)
    )
    connection.execute(
        queries.SET_API_KEY, {"site": site_id, "url": url, "ending": consumer_key[-SHOWN_CHARACTERS:], "token": token}
    )
    stored = get(connection, site_id)
    _record(connection, actor, "set", site_id, before, stored)
    return stored


def of(connection: sa.Connection, site_id: int) -> StoreApiKey | None:
    """The site's key without what it holds; None: it has none."""
    row = connection.execute(queries.API_KEY, {"site": site_id}).one_or_none()
    return None if row is None else msgspec.convert(row, StoreApiKey, from_attributes=True)


def get(connection: sa.Connection, site_id: int) -> StoreApiKey:
    """The same. Raises NotFound where there is none."""
    stored = of(connection, site_id)
    if stored is None:
        raise _no_key(site_id)
    return stored


def credentials(connection: sa.Connection, site_id: int, key: bytes) -> tuple[str, Credentials]:
    """The store's address and the key itself. Raises NotFound, and NeedsAction where it cannot be decrypted."""
    row = connection.execute(queries.API_KEY, {"site": site_id}).one_or_none()
    if row is None:
        raise _no_key(site_id)
    plain = secrets.decrypt(bytes(row.key_encrypted), key, secrets.row_of_store_key(site_id))
    return row.store_url, msgspec.json.decode(plain, type=Credentials)


def remove(connection: sa.Connection, site_id: int, *, actor: str) -> None:
    """Orders of the site are read no more. Raises NotFound where it has no key."""
    before = get(connection, site_id)
    connection.execute(queries.REMOVE_API_KEY, {"site": site_id})
    _record(connection, actor, "remove", site_id, before, None)


def _no_key(site_id: int) -> NotFound:
    return NotFound(
        f"Site {site_id} has no key of its store's API: `custom-events site api-key set {site_id}`.", what="key"
    )


def _record(
    connection: sa.Connection,
    actor: str,
    verb: str,
    site_id: int,
    before: StoreApiKey | None,
    after: StoreApiKey | None,
) -> None:
    audit.record(
        connection,
        actor=actor,
        action=f"store_api_key.{verb}",
        subject=f"site:{site_id}",
        site_id=site_id,
        before=None if before is None else msgspec.to_builtins(before),
        after=None if after is None else msgspec.to_builtins(after),
    )
