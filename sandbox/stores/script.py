"""What the sandbox's stores post in the demo: two waves, so that refunds come after Google has accepted the orders.

The same `seed` and `now` give the same posts. First wave: orders in every state, out of order, late and repeated, click
ids in every place, subscriptions, signups, carts, and what must be refused or parked. Second wave: refunds, part and
full, cancellations, and redeliveries of the first.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

import msgspec

from sandbox.stores import troubles
from sandbox.stores.custom_story import custom_story
from sandbox.stores.posts import Post, Store
from sandbox.stores.shopify_story import shopify_story
from sandbox.stores.woocommerce_story import woocommerce_story

DUPLICATES = 24  # deliveries posted twice in the first wave
REDELIVERED = 16  # first-wave deliveries posted again in the second


class Waves(msgspec.Struct, frozen=True, kw_only=True):
    """The posts of each wave, in the order they are sent (nearly: the sender posts several at once)."""

    first: list[Post]
    second: list[Post]

    @property
    def topics(self) -> set[str]:
        """Every topic that is posted."""
        return {post.topic for post in (*self.first, *self.second)}


class Draw:
    """The generator and clock of one story; hands out ids that do not repeat."""

    def __init__(self, seed: int, now: datetime) -> None:
        self.random = Random(seed)
        self.now = now
        self.serial = seed * 10_000

    def next_serial(self) -> int:
        """1, 2, 3 ... within the story."""
        self.serial += 1
        return self.serial

    def moment(self, hours_min: float, hours_max: float) -> datetime:
        """A whole second between so many hours ago."""
        ago = timedelta(hours=self.random.uniform(hours_min, hours_max))
        return (self.now - ago).replace(microsecond=0)

    def delivery(self) -> UUID:
        """A delivery id."""
        return UUID(int=self.random.getrandbits(128), version=4)

    def part_of(self, amount: Decimal) -> Decimal:
        """Between a tenth and a half of an amount."""
        return (amount * Decimal(self.random.randint(10, 50)) / 100).quantize(Decimal("0.01"))


def script(shopify: Store, woocommerce: Store, custom: Store, now: datetime, seed: int = 7) -> Waves:
    """All posts of the demo: at least 600 over at least 15 topics."""
    generator = Random(seed)
    first: list[Post] = []
    second: list[Post] = []
    for story, store, number in (
        (shopify_story, shopify, 1),
        (woocommerce_story, woocommerce, 2),
        (custom_story, custom, 3),
    ):
        told = story(store, Draw(seed * 10 + number, now))
        first.extend(told[0])
        second.extend(told[1])
    generator.shuffle(first)  # creates after updates, refunds before orders: arrival has no order
    repeated = [msgspec.structs.replace(post, kind="duplicate") for post in generator.sample(first, DUPLICATES)]
    again = [msgspec.structs.replace(post, kind="redelivery") for post in generator.sample(first, REDELIVERED)]
    return Waves(
        first=[*first, *repeated, *troubles.posts(shopify, woocommerce, custom, now)], second=[*second, *again]
    )
