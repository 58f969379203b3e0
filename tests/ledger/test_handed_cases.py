"""Sequences of deliveries with the value that is right after each (../shared/cases beside the repository; they are not copied here).

Each delivery is drained and sent before the next one comes; days pass after the last, so that what waits has gone. Dates are moved
as a whole, so that Google still takes the clicks whenever the tests run.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from custom_events.values.conversions import Lane
from tests.ledger.conftest import ADS_ACTION, ADS_CUSTOMER, Ledger
from tests.world import World

CASES = Path(__file__).parents[3] / "shared" / "cases" / "sequences"
FOLDERS = sorted(path for path in CASES.glob("*") if path.is_dir())
WRITTEN = date(2026, 11, 20)  # when all of it happens, in the files
DAYS_AGO = 9
CLICKS = ("Cj0KCQ-test", "Cj0KCQiA-good-click-id-0123456789")  # in the files
CLICKED_AT = "1763632800"  # likewise, a year before the orders: Google would not take it
AFTERWARDS_DAYS = 5  # longer than any retraction waits

pytestmark = pytest.mark.skipif(not FOLDERS, reason=f"no shared cases at {CASES}")

# What Google has after each delivery, in the end after some days; by order.
RIGHT: dict[str, list[dict[str, float]]] = {
    "cancelled-then-paid": [{}, {"5001": 100}, {"5001": 90}, {"5001": 90}],
    "cancelled-then-paid-out-of-order": [{"5001": 100}, {"5001": 100}, {"5001": 100}],
    "click-time-local": [{"9001": 100}, {"9001": 100}],
    "edit-removes-item-then-money-back": [{"9001": 100}, {"9001": 60}, {"9001": 60}, {"9001": 60}],
    "exchange-cheaper": [{"9001": 1893}, {"9001": 365}, {"9001": 365}],
    "failed-marked-refunded": [{}, {}, {"5009": 100}, {"5009": 100}],
    "items-total-refund-of-another-item": [{"9001": 60}, {"9001": 60}, {"9001": 60}],
    "junk-click-before-good-one": [{"9001": 100}, {"9001": 100, "9002": 100}, {"9001": 100, "9002": 100}],
    "paid-then-failed": [{"5001": 100}, {"5001": 0}, {"5001": 0}],
    "pending-refund-fails": [{"9001": 100}, {"9001": 60}, {"9001": 100}, {"9001": 100}],
    "refund-deleted": [{"5001": 100}, {"5001": 60}, {"5001": 100}, {"5001": 100}],
    "subscription-object": [{"5001": 100}, {"5001": 100}, {"5001": 100}],
    "tax-included-shipping": [{"9001": 100}, {"9001": 100}],
}
FIRST_PURCHASE = {
    "conditions": {"field": "customer.orders_before", "op": "=", "value": 0},
    "dedup": {"per": "customer"},
}
ZONES = {"click-time-local": "Asia/Kolkata"}


class Shop:
    """The site of a sequence: euros, and one rule."""

    def __init__(self, url: str, ledger: Any, folder: Path) -> None:
        self._ledger, self._folder, self._world = ledger, folder, World(url, ledger.engine)
        self.files = sorted(folder.glob("[0-9]*.json"))
        self._is_shopify = "__" in self.files[0].name
        ledger.clock.forward(seconds=(datetime.now(UTC) - ledger.clock()).total_seconds())
        self._click = ledger.gclid(hours_before=24 * (DAYS_AGO + 1))  # one that the sandbox knows
        rule = folder / "rule.json"
        config: dict[str, Any] = json.loads(rule.read_text()) if rule.exists() else {}
        if folder.name == "failed-marked-refunded":
            config = FIRST_PURCHASE
        zone = ZONES.get(folder.name, "Europe/Berlin")
        self.site = self._world.site("handed", "shopify" if self._is_shopify else "woocommerce", time_zone=zone)
        self._world.rule(self.site, "purchase", ads_action=f"{ADS_CUSTOMER}/{ADS_ACTION}", **config)

    def deliver(self, file: Path) -> None:
        topic = file.stem.partition(".")[2].replace("__", "/")
        text = _moved(file.read_text())
        for click in CLICKS:
            text = text.replace(click, self._click)
        clicked_at = datetime.now(UTC) - timedelta(days=DAYS_AGO + 1)
        body = json.loads(text.replace(CLICKED_AT, str(int(clicked_at.timestamp()))))
        self._world.land(self.site, topic, body)
        self._world.drain()
        self._ledger.clock.forward(minutes=2)  # the database has a clock of its own


def _moved(text: str) -> str:
    days = datetime.now(UTC).date() - timedelta(days=DAYS_AGO) - WRITTEN
    return re.sub(
        r"2026-11-(\d\d)(?=[T ]\d\d:)",
        lambda found: (date(2026, 11, int(found[1])) + days).isoformat(),
        text,
    )


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_google_has_the_right_value_after_each_delivery(
    folder: Any, database: str, ledger: Ledger, lanes: dict[Lane, Any], at_google: Callable[..., Any]
) -> None:
    shop = Shop(database, ledger, folder)
    seen: list[dict[str, float]] = []
    for file in shop.files:
        shop.deliver(file)
        ledger.settle(lanes)
        seen.append({key.partition("-")[2]: value for key, value in at_google().items()})
    ledger.clock.forward(days=AFTERWARDS_DAYS)
    ledger.settle(lanes)
    seen.append({key.partition("-")[2]: value for key, value in at_google().items()})
    assert seen == RIGHT[folder.name], [
        tuple(row)
        for row in ledger.rows(
            "SELECT order_id, kind, state, reason, value, click_id, clicked_at FROM app.conversion_uploads ORDER BY id"
        )
    ]
