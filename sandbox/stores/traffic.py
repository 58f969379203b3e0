"""Traffic of stores without end: any mix at any rate, and the same posts for the same seed.

    python -m sandbox.stores.traffic stores.json --receiver http://127.0.0.1:8000 --rate 20 --seconds 60 --mix shopify=3,woocommerce_plugin/order=1

`stores.json` is a list of objects with the fields of `Store`; a name of the mix is a platform (or `woocommerce_plugin`), alone or with a kind of post behind
it: `shopify/exchange`. Bodies are those of the demo's scenarios: orders in every state, refunds, what is undone, exchanges.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from sandbox.stores.custom_scenario import custom_scenario
from sandbox.stores.draw import Draw
from sandbox.stores.posts import Post, Store
from sandbox.stores.sender import send
from sandbox.stores.shopify_scenario import shopify_scenario
from sandbox.stores.woocommerce_plugin import woocommerce_plugin_scenario
from sandbox.stores.woocommerce_scenario import woocommerce_scenario

Scenario = Callable[[Store, Draw], tuple[list[Post], list[Post]]]

# By the word of the mix: which store posts, and what.
SCENARIOS: Final[Mapping[str, tuple[str, Scenario]]] = {
    "shopify": ("shopify", shopify_scenario),
    "woocommerce": ("woocommerce", woocommerce_scenario),
    "woocommerce_plugin": ("woocommerce", woocommerce_plugin_scenario),
    "custom": ("custom", custom_scenario),
}
_ROUNDS: Final = 1_000  # scenarios of one entry whose ids are kept apart from those of the next seed


def traffic(stores: Sequence[Store], mix: Mapping[str, float], *, seed: int, now: datetime) -> Iterator[Post]:
    """Posts of these stores for ever, each drawn by the weights of the mix: what happened in the days before `now`.

    Within an entry of the mix the posts of one order come in their order. Raises ValueError for an entry of no scenario, of a platform
    without a store, of a kind that the scenario does not post, or with a weight that is not above 0.
    """
    names = list(mix)
    if not names or min(mix.values()) <= 0:
        raise ValueError(f"the mix is {dict(mix)!r}: give at least one entry, each with a weight above 0")
    sources = [
        _source(stores, name, range(seed * _ROUNDS * len(names) + place, sys.maxsize, len(names)), now)
        for place, name in enumerate(names)
    ]
    random = Random(seed)
    while True:
        (source,) = random.choices(sources, weights=[mix[name] for name in names])
        yield next(source)


def _source(stores: Sequence[Store], name: str, seeds: range, now: datetime) -> Iterator[Post]:
    word, _, kind = name.partition("/")
    if word not in SCENARIOS:
        raise ValueError(f"mix: no scenario is called {word!r} (there are {', '.join(SCENARIOS)})")
    platform, scenario = SCENARIOS[word]
    store = next((store for store in stores if store.platform == platform), None)
    if store is None:
        raise ValueError(f"mix: {name} needs a store of {platform}, and none is given")
    known = {post.kind for wave in scenario(store, Draw(seeds[0], now)) for post in wave}
    if kind and kind not in known:
        raise ValueError(f"mix: {word} posts no {kind!r} (it posts {', '.join(sorted(known))})")
    return _posts(store, scenario, kind, seeds, now)


def _posts(store: Store, scenario: Scenario, kind: str, seeds: range, now: datetime) -> Iterator[Post]:
    for seed in seeds:
        for wave in scenario(store, Draw(seed, now)):
            yield from (post for post in wave if kind in {"", post.kind})


def parsed(mix: str) -> dict[str, float]:
    """A mix as it is typed: `shopify=3,custom=1`. Raises ValueError where a weight is no number."""
    entries = (entry.partition("=") for entry in mix.split(","))
    return {name.strip(): float(weight or 1) for name, _, weight in entries}


def main() -> None:
    """From the command line: posts, and says how they were answered."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.stores.traffic", description="Traffic of stores.")
    parser.add_argument("stores", type=Path, help="JSON: a list of stores with their secrets")
    parser.add_argument("--receiver", default="http://127.0.0.1:8000", help="its address")
    parser.add_argument("--mix", type=parsed, default="shopify=1", help="NAME=WEIGHT, ...; a name may end with /KIND")
    parser.add_argument("--rate", type=float, default=10, help="posts a second")
    parser.add_argument("--seconds", type=float, default=60, help="how long")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same posts")
    chosen = parser.parse_args()
    stores = [
        msgspec.convert({**fields, "secret": fields["secret"].encode()}, Store)
        for fields in msgspec.json.decode(chosen.stores.read_bytes())
    ]
    posts = traffic(stores, chosen.mix, seed=chosen.seed, now=datetime.now(UTC))
    count = round(chosen.rate * chosen.seconds)
    sent = asyncio.run(send(chosen.receiver, islice(posts, count), rate=chosen.rate))
    sys.stdout.write(f"{sent.posts} posts: {dict(sorted(sent.by_status.items()))}\n")


if __name__ == "__main__":
    main()
