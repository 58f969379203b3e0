"""What shops send of an order in its life, in the order in which it comes: most of it says nothing that was not known."""

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec
import zstandard

from benchmarks import bodies
from benchmarks.pipeline_world import ZSTD_LEVEL
from sandbox.stores.shopify import refund

LATE_DAYS: Final = (10, 40)  # how much older a late order is than the newest ones, about


class Stage(NamedTuple):
    """Deliveries of one topic: one of each order. `change`: what of the paid order's body is another one."""

    name: str
    topic: str
    change: Callable[[dict[str, Any], datetime], dict[str, Any]]


def _created(body: dict[str, Any], at: datetime) -> dict[str, Any]:
    return {**body, "financial_status": "pending", "processed_at": at.isoformat()}


def _paid(body: dict[str, Any], at: datetime) -> dict[str, Any]:
    return {**body, "updated_at": (at + timedelta(seconds=20)).isoformat()}


def _says_something_new(body: dict[str, Any], at: datetime) -> dict[str, Any]:
    return {**body, "updated_at": (at + timedelta(minutes=2)).isoformat(), "current_total_price": "1.00"}


def _touched(body: dict[str, Any], at: datetime) -> dict[str, Any]:
    return {**_says_something_new(body, at), "updated_at": (at + timedelta(minutes=3)).isoformat()}


def _fulfilled(body: dict[str, Any], at: datetime) -> dict[str, Any]:
    return {
        **_says_something_new(body, at),
        "updated_at": (at + timedelta(hours=9)).isoformat(),
        "fulfillment_status": "fulfilled",
    }


def _refund(body: dict[str, Any], at: datetime) -> dict[str, Any]:
    return refund(body["id"], body["id"] + 7, Decimal("1.00"), at + timedelta(hours=11))


LIFE: Final = (
    Stage("created", "orders/create", _created),
    Stage("paid", "orders/paid", _paid),
    Stage("updated", "orders/updated", _says_something_new),
    Stage("touched", "orders/updated", _touched),  # nothing but its time is another one
    Stage("repeated", "orders/updated", _touched),  # the same body once more
    Stage("fulfilled", "orders/fulfilled", _fulfilled),
    Stage("refunded", "refunds/create", _refund),
)
PAID: Final = LIFE[1]


class Packed(NamedTuple):
    """A delivery that is ready to land."""

    site_id: int
    topic: str
    body: bytes
    body_bytes: int


def orders(
    first: int, count: int, sites: int, newest: datetime, *, is_late: bool = False
) -> list[tuple[int, dict[str, Any], datetime]]:
    """(site, body, time) of orders numbered from `first`, of each site in turn."""
    rng = random.Random(first)  # speed, not secrecy
    orders = []
    for number in range(first, first + count):
        back = timedelta(days=rng.uniform(*LATE_DAYS)) if is_late else timedelta(seconds=rng.randrange(86_400))
        at = (newest - back).replace(microsecond=0)
        orders.append((number % sites + 1, bodies.order(number, number % sites, rng, at), at))
    return orders


def packed(stage: Stage, orders: list[tuple[int, dict[str, Any], datetime]]) -> Iterator[Packed]:
    """One delivery of each order."""
    compress = zstandard.ZstdCompressor(ZSTD_LEVEL).compress
    encode = msgspec.json.Encoder().encode
    for site_id, body, at in orders:
        content = encode(stage.change(body, at))
        yield Packed(site_id, stage.topic, compress(content), len(content))
