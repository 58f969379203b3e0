"""The drive through a shop (`plugins/woocommerce/tests/live`), in a real WordPress with WooCommerce's doubles: to a receiver that is dead while
the shop sells and a day longer. What it sold and what arrives are the same, once."""

import json
from pathlib import Path
from typing import Any

import pytest

from plugins.woocommerce.tests.live.drive import Expected, at, drive, missing_and_double
from plugins.woocommerce.tests.live.receiver import Arrived
from tests.plugins.woocommerce.posts import golden, needs_php

FACTS = ("status", "total", "email", "custom_events.from", "custom_events.to", "custom_events.refund_id", "refunds")
MOMENTS = ("date_created_gmt", "id")  # of refunds: the golden file's are of another day


def facts_of(topic: str, document: Any) -> str:
    """What an event says that is the same on every day, as text that can be sorted."""
    facts = [at(document, path) for path in FACTS]
    refunds = [{name: value for name, value in refund.items() if name not in MOMENTS} for refund in facts.pop() or ()]
    return json.dumps([topic, document.get("id"), *facts, refunds])


@needs_php
@pytest.mark.long
def test_a_receiver_that_is_dead_while_the_shop_sells_gets_everything_once(wordpress: Path) -> None:
    done = drive(wordpress)
    assert done.problems == []
    assert sorted(facts_of(event.topic, event.document) for event in done.arrived) == sorted(
        facts_of(post.topic, post.document) for post in golden()
    )
    assert done.attempts > 24, "after each request of the shop, and each hour of the day"
    assert done.again == 1, "the receiver had it, and its answer was lost"


def arrived(event_id: str, body: str, topic: str = "order.paid") -> Arrived:
    return Arrived(event_id, topic, body.encode())


PAID = Expected("order.paid", 7, {"total": "5", "click.gclid": "abc", "lines.1": None})
BODY = '{"id": 7, "total": "5", "lines": [1], "meta_data": [{"key": "_custom_events", "value": {"gclid": "abc"}}]}'


@pytest.mark.parametrize(
    ("events", "problems"),
    [
        pytest.param([arrived("a", BODY)], 0, id="as expected"),
        pytest.param([], 1, id="missing"),
        pytest.param([arrived("a", BODY), arrived("b", BODY)], 1, id="double"),
        pytest.param([arrived("a", BODY.replace("abc", "stale"))], 1, id="other facts"),
        pytest.param([arrived("a", BODY), arrived("b", '{"id": 8}')], 1, id="nobody expects it"),
        pytest.param([arrived("a", BODY), arrived("b", "{}", "cart.item_added")], 1, id="a cart has no number"),
    ],
)
def test_what_is_wrong_is_named(events: list[Arrived], problems: int) -> None:
    assert len(missing_and_double([PAID], events)) == problems
