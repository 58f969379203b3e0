"""What every store platform offers. One folder per platform, the same file names in each; `registry.py` finds them.

platform.py     the functions and properties of this protocol, as PLATFORM
signature.py    is this delivery from the store? (constant time, several secrets)
delivery.py     topic, delivery id, trigger time from headers; the handshake of the platform
topics.py       every topic we know, and what is done with it
understand.py   bytes -> commerce events and states; pure and total: any bytes in, events or a parked reason out
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from custom_events.values.deliveries import Platform, RawDelivery, Refusal, SiteContext, Understood


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """One signing secret of a site, decrypted. `key_id` is named by senders of our own scheme."""

    value: bytes
    key_id: str | None = None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What the headers say of a delivery, before anything is parsed."""

    topic: str | None = None
    delivery_id: str | None = None  # decides what is a duplicate; None: the body's digest does
    body_decides: bool = False  # beside the delivery id: the same id with another body is another delivery
    event_id: str | None = None  # correlates deliveries of one merchant action
    triggered_at: datetime | None = None
    api_version: str | None = None
    shop_domain: str | None = None


class ShopDomain(msgspec.Struct, frozen=True, kw_only=True):
    """How deliveries to a platform's common address, without a site's key, say whose they are: `header` holds the shop's domain, or
    `other_header` where that one is missing."""

    header: str  # in lower case
    other_header: str = ""
    example: str  # of a domain


class RestatementReader(Protocol):
    """Tells bodies of an order that say the same from others, before they are understood. Of two with one digest, understanding must make
    the same, but for the moment of their evidence and the order's `updated_at`, both of which are the body's clock; or another time that it finds
    is that clock, too."""

    topics: frozenset[str]
    """Of which bodies may be compared."""
    clock_name: str
    """How bodies name the clock. No digest holds the times that stand under this name, wherever that is."""

    def order_named(self, body: bytes) -> str | None:
        """The id of the order that a body shows, where it is found at a glance. Never raises."""
        ...

    def digest(self, topic: str, headers: str, body: bytes) -> bytes | None:
        """Of all that a body of one of these topics says; `headers` is JSON. None: not to be compared. Never raises."""
        ...

    def clock(self, body: bytes) -> datetime | None:
        """When what a body says was so, in UTC. None: not to be found at a glance. Never raises."""
        ...


class StorePlatform(Protocol):
    """The functions of one platform's folder. Header names are lower-case throughout."""

    name: Platform
    title: str
    """Its name for people."""
    shop_domain: ShopDomain | None
    """How sites are found by their domain; None: they are found by their address alone."""
    makes_secret: bool
    """Whether the store makes the secret that signs its deliveries; else it is given ours."""
    has_plugin: bool
    """Whether we have a plugin for the store, which is connected by pasting one line (`catalog.connecting.connection_string`)."""
    kept_headers: tuple[str, ...]
    """Headers that are stored with a body: what `describe` and `understand` read, and what says who sent it. No signature is among
    them: beside its body it would let whoever reads the table send the body again."""
    restatements: RestatementReader | None
    """Tells which bodies say the same; None: nobody does."""
    own_settings: frozenset[str]
    """Settings of a site (`catalog.sites.SiteSettings`) that have an effect on this platform alone."""

    def instructions(self, site_key: str, url: str) -> list[str]:
        """What to enter in the store so that it posts to `url`, line by line; the secret is shown or asked for elsewhere."""
        ...

    def check(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[Secret], now: datetime, replay_window_s: int
    ) -> Refusal | None:
        """None when a secret signs exactly these bytes, else why not. Never raises, whatever the headers hold."""
        ...

    def is_handshake(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether this is the platform's unsigned hello, answered with exactly 200 and not stored (WooCommerce's ping)."""
        ...

    def describe(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """Topic, ids and times from the headers. Never raises."""
        ...

    def understand(self, delivery: RawDelivery, site: SiteContext) -> Understood:
        """Commerce events and states of one body. Never raises: what cannot be understood is parked with a reason."""
        ...


class PlainWebhooks:
    """What most platforms share: deliveries to a site's own address alone, no unsigned hello, no plugin, no settings of their own, and each body
    is understood."""

    shop_domain: ShopDomain | None = None
    restatements: RestatementReader | None = None
    has_plugin = False
    own_settings: frozenset[str] = frozenset()

    def is_handshake(self, headers: Mapping[str, str], body: bytes) -> bool:
        """See `StorePlatform.is_handshake`: there is none."""
        del headers, body
        return False
