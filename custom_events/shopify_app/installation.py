"""An installation of our app in a shop, as it is stored: one row a site, its tokens encrypted and bound to it."""

from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events import secrets
from custom_events.errors import NotFound
from custom_events.platforms.shopify.app_topics import topics_with
from custom_events.queries import shopify_app as sql

NOUN: Final = "installation"


class Tokens(msgspec.Struct, frozen=True):
    """What Shopify gave: an access token, and what renews it (None: it never expires)."""

    access: str
    refresh: str | None = None


class Problem(msgspec.Struct, frozen=True):
    """Something that is wrong with an installation: a stable word, and what to do in a sentence."""

    what: str
    sentence: str


class Registered(msgspec.Struct, frozen=True):
    """What was registered in the shop at the last look. `by_app`: webhooks stand in the app's own settings, where nobody can look."""

    webhooks: tuple[str, ...] = ()
    pixel: bool = False
    by_app: bool = False


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """Our app in one shop, without its tokens. `state`: installed or uninstalled."""

    site_id: int
    shop: str
    state: str
    scopes: tuple[str, ...]
    access_expires_at: datetime | None
    refresh_expires_at: datetime | None
    tokens_at: datetime | None
    api_version: str
    installed_at: datetime
    uninstalled_at: datetime | None
    watched_at: datetime | None
    registered: Registered
    problems: tuple[Problem, ...]

    @property
    def is_installed(self) -> bool:
        """Whether the shop has the app now, as far as we know."""
        return self.state == "installed"

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics to register with the scopes that it has."""
        return topics_with(self.scopes)

    @property
    def missing(self) -> tuple[str, ...]:
        """Those of them that were not there at the last look."""
        if self.registered.by_app:
            return ()
        return tuple(topic for topic in self.topics if topic not in self.registered.webhooks)

    @property
    def never_expires(self) -> bool:
        """Whether its token is of the kind that Shopify takes no more from 1 January 2027 on."""
        return self.is_installed and self.refresh_expires_at is None


def of_site(connection: sa.Connection, site_id: int) -> Installation | None:
    """The installation of a site; None: it has none."""
    row = connection.execute(sql.BY_SITE, {"site": site_id}).one_or_none()
    return None if row is None else read(row)


def get(connection: sa.Connection, site_id: int) -> Installation:
    """The installation of a site. Raises NotFound."""
    installation = of_site(connection, site_id)
    if installation is None:
        raise not_installed(site_id)
    return installation


def everything(connection: sa.Connection) -> list[Installation]:
    """Every installation, uninstalled ones too, in the order of their sites."""
    return [read(row) for row in connection.execute(sql.ALL)]


def read(row: sa.Row[*tuple[Any, ...]]) -> Installation:
    """A row without its tokens."""
    return msgspec.convert(row, Installation, from_attributes=True)


def not_installed(site_id: int) -> NotFound:
    """The error for a site without an installation."""
    return NotFound(
        f"Our app is not installed in the shop of site {site_id}: `custom-events shopify install-url` gives the link.",
        what=NOUN,
    )


def encrypted(tokens: Tokens, site_id: int, shop: str, key: bytes) -> bytes:
    """The tokens as their row keeps them: both together, so that there is never one without the other."""
    return secrets.encrypt(msgspec.json.encode(tokens), key, secrets.row_of_installation(site_id, shop))


def decrypted(token: bytes, site_id: int, shop: str, key: bytes) -> Tokens:
    """The inverse of `encrypted`. Raises NeedsAction when no key fits, or they are those of another row."""
    return msgspec.json.decode(secrets.decrypt(token, key, secrets.row_of_installation(site_id, shop)), type=Tokens)
