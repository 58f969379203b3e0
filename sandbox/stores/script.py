"""What the sandbox's stores post in the demo: two waves, so that refunds come after Google has accepted the orders.

The same `seed` and `now` give the same posts. First wave: orders in every state, out of order, late and repeated, click
ids in every place, subscriptions, signups, carts, and what must be refused or parked. Second wave: refunds, part and
full, cancellations, and redeliveries of the first.
"""

from datetime import datetime
from random import Random

import msgspec

from sandbox.stores import troubles
from sandbox.stores.custom_scenario import custom_scenario
from sandbox.stores.draw import Draw
from sandbox.stores.posts import Post, Store
from sandbox.stores.shopify_scenario import shopify_scenario
from sandbox.stores.woocommerce_plugin import woocommerce_plugin_scenario
from sandbox.stores.woocommerce_scenario import woocommerce_scenario

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


def script(shopify: Store, woocommerce: Store, custom: Store, now: datetime, seed: int = 7) -> Waves:
    """All posts of the demo: at least 600 over at least 15 topics."""
    generator = Random(seed)
    first: list[Post] = []
    second: list[Post] = []
    for scenario, store, number in (
        (shopify_scenario, shopify, 1),
        (woocommerce_scenario, woocommerce, 2),
        (custom_scenario, custom, 3),
        (woocommerce_plugin_scenario, woocommerce, 4),
    ):
        earlier, later = scenario(store, Draw(seed * 10 + number, now))
        first.extend(earlier)
        second.extend(later)
    generator.shuffle(first)  # creates after updates, refunds before orders: arrival has no order
    repeated = [msgspec.structs.replace(post, kind="duplicate") for post in generator.sample(first, DUPLICATES)]
    again = [msgspec.structs.replace(post, kind="redelivery") for post in generator.sample(first, REDELIVERED)]
    return Waves(
        first=[*first, *repeated, *troubles.posts(shopify, woocommerce, custom, now)], second=[*second, *again]
    )
