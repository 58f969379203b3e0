"""docs/reference/understanding.md says what the code does."""

import re
from pathlib import Path

from custom_events.platforms.attribution import attribution
from custom_events.platforms.bigcommerce import shapes as bigcommerce
from custom_events.platforms.click_ids import click_value
from custom_events.platforms.custom import shapes as custom
from custom_events.platforms.shopify import shapes as shopify
from custom_events.platforms.stripe import shapes as stripe
from custom_events.platforms.woocommerce import others
from custom_events.platforms.woocommerce import shapes as woocommerce
from custom_events.queries import odd_leaves
from custom_events.watching.alarms import WATCHES
from custom_events.watching.metrics import METRICS

PAGE = (Path(__file__).parents[2] / "docs/reference/understanding.md").read_text()


def part(title: str) -> str:
    return PAGE.partition(f"## {title}")[2].partition("\n## ")[0]


def test_essential_leaves_are_those_of_the_tables() -> None:
    rows = re.findall(
        r"^\| (shopify|woocommerce|custom|stripe|bigcommerce) \| (\w+) \| (.+) \|$", part("Odd leaves"), re.MULTILINE
    )
    named = {(platform, body): frozenset(re.findall(r"`(\w+)`", leaves)) for platform, body, leaves in rows}
    modules = {
        "shopify": shopify,
        "woocommerce": woocommerce,
        "custom": custom,
        "stripe": stripe,
        "bigcommerce": bigcommerce,
    }
    assert named == {
        (platform, kind.__name__): leaves for platform, module in modules.items() for kind, leaves in module.ESSENTIAL.items()
    }  # fmt: skip


def test_reasons_limits_and_names_are_the_codes() -> None:
    text = part("What is not what its topic says (WooCommerce)")
    for reason in (others.REST_ERROR, others.REST_FORBIDDEN, others.REFUND_WITHOUT_ORDER):
        assert f"`{reason}`" in text
    assert "StoreForbidsReading" in text
    assert "StoreForbidsReading" in {watch.name for watch in WATCHES}
    assert f"at most {odd_leaves.MAX_PATHS_OF_SITE}" in PAGE
    assert f"`{odd_leaves.OTHER_PATHS}`" in PAGE
    assert "custom_events_odd_leaves_total" in METRICS


def test_every_cookie_and_every_word_of_the_page() -> None:
    text = part("Click ids")
    cookie = "GCL.1763632800.Cj0KCQ-page-1"
    for names, kind in re.findall(r"((?:`[^`]+`,?\s+)+)\((gclid|gbraid|wbraid)\)", text):
        for name in re.findall(r"`([^`]+)`", names):
            (click,) = attribution([(name.replace("<property>", "G-1"), cookie)]).clicks
            assert click.kind.value == kind, name
    (words,) = re.findall(r"are none: (.+) \.\.\.", text)
    assert all(click_value(word) is None for word in re.findall(r"`([^`]+)`", words))
    for form in re.findall(r"whole cookie \((.+)\) gives", text.replace("\n  ", " ")):
        for example in re.findall(r"`([^`]+)`", form):
            found = click_value(example.replace("<seconds>", "1763632800").replace("<id>", "Cj0KCQ-page-1"))
            assert found is not None, example
            assert (found.id, found.clicked_at is not None) == ("Cj0KCQ-page-1", True), example
