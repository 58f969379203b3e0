"""What the sandbox's Shopify knows: an app, its shops, their tokens, and the faults that are armed."""

import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from threading import RLock
from typing import Any

from sandbox.stores.shopify_admin.nodes import order_node

ACCESS_LIFE = timedelta(hours=1)
REFRESH_LIFE = timedelta(days=90)
FULL_BUCKET = 2_000.0  # points
RESTORED_A_SECOND = 100.0


class FaultKind(StrEnum):
    """What may go wrong once: armed by `Admin.arm`, in the order of arming."""

    UNAUTHORIZED = "unauthorized"  # 401 to the next question
    THROTTLED = "throttled"  # the next question costs more than is left
    LOST_REFRESH_ANSWER = "lost_refresh_answer"  # the refresh is done, and its answer never arrives
    LOST_MIGRATION_ANSWER = "lost_migration_answer"  # the same of a token exchange
    TOKEN_UNAVAILABLE = "token_unavailable"  # 503 of the token endpoint
    NO_TOKEN = "no_token"  # 200 of it without one
    UNAVAILABLE = "unavailable"  # 503 to the next question
    INTERNAL_ERROR = "internal_error"  # 200 with INTERNAL_SERVER_ERROR


@dataclass
class Pair:
    """An access token and what renews it. `refresh` None: it never expires."""

    access: str
    expires_at: datetime | None
    refresh: str | None
    refresh_expires_at: datetime | None


@dataclass
class Shop:
    """One shop. `pairs` by refresh token, `issued` by access token."""

    domain: str
    scopes: list[str]
    name: str = "Northlight Demo"
    currency: str = "EUR"
    time_zone: str = "Europe/Berlin"
    is_installed: bool = False
    orders: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    webhooks: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    pixel: dict[str, Any] | None = None
    issued: dict[str, Pair] = field(default_factory=dict[str, Pair])
    replaced_by: dict[str, Pair] = field(default_factory=dict[str, Pair])
    codes: set[str] = field(default_factory=set[str])
    points: float = FULL_BUCKET
    numbers: int = 1_000

    def put_order(self, body: dict[str, Any]) -> None:
        """An order as its webhook's body has it; one of the same id is replaced."""
        node = order_node(body)
        self.orders[node["id"]] = node

    def delete_order(self, number: int | str) -> None:
        """The order is gone from the shop. Raises KeyError for one that it never had."""
        del self.orders[f"gid://shopify/Order/{number}"]

    def next_number(self) -> int:
        """A fresh number for a gid."""
        self.numbers += 1
        return self.numbers


class Admin:
    """One app and its shops. Hold `lock` while reading several parts of it; `clock` gives the sandbox's time."""

    def __init__(
        self,
        *,
        client_id: str = "demo-client-id",
        client_secret: str = "demo-client-secret",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.client_id = client_id
        self.client_secret = client_secret
        self.clock = clock
        self.lock = RLock()
        self.shops: dict[str, Shop] = {}
        self.requests: Counter[str] = Counter()
        self._faults: list[FaultKind] = []

    def add_shop(
        self, domain: str, scopes: str = "read_orders,read_customers,write_pixels,read_customer_events"
    ) -> Shop:
        """A shop whose owner would grant these scopes."""
        with self.lock:
            return self.shops.setdefault(domain, Shop(domain, scopes.split(",")))

    def arm(self, *kinds: FaultKind) -> None:
        """Each happens once, at the next request that it concerns."""
        with self.lock:
            self._faults.extend(kinds)

    def draw(self, *kinds: FaultKind) -> FaultKind | None:
        """The first armed fault of these kinds, which is spent by that."""
        with self.lock:
            fault = next((armed for armed in self._faults if armed in kinds), None)
            if fault is not None:
                self._faults.remove(fault)
            return fault

    def issue(self, shop: Shop, *, expiring: bool) -> Pair:
        """Fresh tokens for an installed app."""
        now = self.clock()
        shop.is_installed = True
        pair = Pair(
            access=f"shpat_{secrets.token_hex(16)}",
            expires_at=now + ACCESS_LIFE if expiring else None,
            refresh=f"shprt_{secrets.token_hex(16)}" if expiring else None,
            refresh_expires_at=now + REFRESH_LIFE if expiring else None,
        )
        shop.issued[pair.access] = pair
        return pair

    def of_token(self, shop: Shop, token: str | None) -> Pair | None:
        """The pair of an access token that is good now."""
        pair = shop.issued.get(token or "")
        if pair is None or not shop.is_installed or (pair.expires_at is not None and pair.expires_at <= self.clock()):
            return None
        return pair

    def uninstall(self, domain: str) -> None:
        """The owner removes the app: every token, webhook and pixel is gone at once."""
        with self.lock:
            shop = self.shops[domain]
            shop.is_installed = False
            shop.issued.clear()
            shop.replaced_by.clear()
            shop.webhooks.clear()
            shop.pixel = None
