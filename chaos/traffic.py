"""What the stores post: the same posts for the same plan, in this process and in the load's."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from custom_events.platforms import timestamped
from sandbox.stores.posts import Post, Store
from sandbox.stores.traffic import traffic

# Orders in every state with their refunds, what is undone and what is exchanged, by each of the sandbox's stores.
MIX: Final = {"shopify": 3.0, "woocommerce": 2.0, "woocommerce_plugin": 1.0, "custom": 1.0}
SHUFFLED_WITHIN: Final = 40  # posts: an update may come before what it changes
REPEATED_SHARE: Final = 0.05  # of the posts come a second time, as stores send when they saw no answer
_SHOPIFY_ID: Final = "x-shopify-webhook-id"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be posted. `at`: the moment that the stores tell the past of; `is_stormy`: out of order, and some of it twice."""

    events: int
    seed: int
    at: datetime
    rate: float  # posts a second
    stores: tuple[Store, ...]
    is_stormy: bool

    def write(self, file: Path) -> None:
        """As JSON, for the load's process."""
        file.write_bytes(msgspec.json.encode(self))


def read(file: Path) -> Plan:
    """What `Plan.write` wrote."""
    return msgspec.json.decode(file.read_bytes(), type=Plan)


def posts(plan: Plan) -> list[Post]:
    """All of them, in the stores' own order and each once."""
    mix = {name: weight for name, weight in MIX.items() if name.partition("_")[0] in platforms(plan.stores)}
    return list(islice(traffic(plan.stores, mix, seed=plan.seed, now=plan.at), plan.events))


def platforms(stores: Sequence[Store]) -> set[str]:
    """Of these stores."""
    return {store.platform for store in stores}


def stormy(count: int, seed: int) -> list[int]:
    """The places 0 ... count - 1 as they are posted in a storm: out of order within bounds, and some again a while later."""
    dice = Random(seed)
    drawn = [(place + dice.random() * SHUFFLED_WITHIN, place) for place in range(count)]
    repeated = [
        (when + dice.random() * 4 * SHUFFLED_WITHIN, place) for when, place in drawn if dice.random() < REPEATED_SHARE
    ]
    return [place for _, place in sorted(drawn + repeated)]


Identity = tuple[str, str, bytes]


def identity(topic: str | None, delivery_id: str | None, body: bytes) -> Identity:
    """What must be there exactly once: topic, the sender's id of the delivery (empty where its platform gives none), digest of the body."""
    return topic or "", delivery_id or "", hashlib.sha256(body).digest()


def identity_of(post: Post) -> Identity:
    """Of a post."""
    sent_id = post.headers.get(_SHOPIFY_ID) or post.headers.get(timestamped.EVENT_ID)
    return identity(post.topic, sent_id, post.body)
