"""Traffic of stores: the mix that was given, the same for a seed, understood, at its rate."""

import asyncio
import time
from collections import Counter
from itertools import islice
from typing import Any

import msgspec
import pytest

from custom_events.values.deliveries import Outcome
from sandbox.stores import sender, traffic
from sandbox.stores.posts import Post
from tests.sandbox.stores.test_script import CUSTOM, NOW, SHOPIFY, WOOCOMMERCE, understood

STORES = (SHOPIFY, WOOCOMMERCE, CUSTOM)


def drawn(count: int, seed: int = 7, **mix: float) -> list[Post]:
    named = {name.replace("__", "/"): weight for name, weight in mix.items()}
    return list(islice(traffic.traffic(STORES, named, seed=seed, now=NOW), count))


def test_the_same_seed_gives_the_same_posts_and_another_seed_others() -> None:
    mix = {"shopify": 3.0, "custom": 1.0}
    assert drawn(200, **mix) == drawn(200, **mix)
    bodies, others = ({post.body for post in drawn(200, seed, **mix)} for seed in (7, 8))
    assert not bodies & others


def test_posts_are_of_the_mix_and_go_on_behind_the_end_of_a_scenario() -> None:
    posts = drawn(300, shopify__exchange=3, shopify__order=1, woocommerce_plugin=1)
    kinds = Counter(post.kind if post.path == "/webhooks/shopify" else "plugin" for post in posts)
    assert set(kinds) == {"exchange", "order", "plugin"}
    assert 2 < kinds["exchange"] / kinds["order"] < 4.5
    assert len({(post.topic, post.body) for post in posts}) > 270, "a store repeats few of its posts itself"


def test_what_is_posted_is_understood() -> None:
    outcomes = Counter(
        understood(post)[0] for post in drawn(400, shopify=1, woocommerce=1, woocommerce_plugin=1, custom=1)
    )
    assert set(outcomes) <= {Outcome.UNDERSTOOD, Outcome.IGNORED}
    assert outcomes[Outcome.UNDERSTOOD] > 300


@pytest.mark.parametrize(
    ("mix", "words"),
    [
        ({}, "at least one entry"),
        ({"shopify": 0.0}, "above 0"),
        ({"magento": 1.0}, "no scenario is called 'magento'"),
        ({"shopify/bargain": 1.0}, "posts no 'bargain' .it posts .*exchange"),
    ],
)
def test_a_mix_that_cannot_be_posted_is_refused_in_words(mix: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        next(traffic.traffic(STORES, mix, seed=1, now=NOW))
    with pytest.raises(ValueError, match="needs a store of custom"):
        next(traffic.traffic([SHOPIFY], {"custom": 1.0}, seed=1, now=NOW))


def test_a_mix_is_typed_as_names_and_weights() -> None:
    assert traffic.parsed("shopify=3, custom") == {"shopify": 3.0, "custom": 1.0}


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, Post]]:
    """What is posted to nobody, and when."""
    posted: list[tuple[float, Post]] = []

    async def take(client: Any, post: Post) -> list[int]:
        posted.append((time.monotonic(), post))
        return [200]

    monkeypatch.setattr(sender, "_post", take)
    return posted


def test_posts_come_no_faster_than_their_rate(posted: list[tuple[float, Post]]) -> None:
    posts = drawn(21, shopify=1)
    begun = time.monotonic()
    asyncio.run(sender.send("http://receiver", posts, rate=100))
    assert posted[-1][0] - begun >= 0.2


def test_from_the_command_line(
    posted: list[tuple[float, Post]], tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stores = tmp_path / "stores.json"
    fields = [{**msgspec.structs.asdict(store), "secret": store.secret.decode()} for store in STORES]
    stores.write_bytes(msgspec.json.encode(fields))
    arguments = [str(stores), "--mix", "shopify=1,custom=1", "--rate", "200", "--seconds", "0.1"]
    monkeypatch.setattr("sys.argv", ["traffic", *arguments])
    traffic.main()
    assert capsys.readouterr().out == "20 posts: {200: 20}\n"
    assert {post.path.split("/")[2] for _, post in posted} == {"shopify", "custom"}
