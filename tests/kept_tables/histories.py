"""Histories of three shops, drawn from a seed: people order, late and again, are refunded, cancelled, replayed and forgotten."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from custom_events.backtest.replay import Order, replay_sync
from custom_events.catalog import definitions
from tests.redaction.bodies import at_custom_sender, at_shopify, at_woocommerce, redact_customer, refund, shopify_order
from tests.redaction.conftest import ACTIONS, Bodies, Planted, Somebody

LATE_HOURS = (1_000.0, 300.0, 5.0)  # before now; the others are 40 hours old
ZONES = ("America/Vancouver", "Asia/Tokyo", "Europe/Berlin")
UTM = "/?utm_source=mail&utm_medium=letter&utm_campaign=autumn"


class History:
    """One history; each round draws what happens from the seed."""

    def __init__(self, planted: Planted, seed: int) -> None:
        self._planted, self._random = planted, random.Random(seed)
        self._people: list[Somebody] = []
        self._of_shopify: list[Somebody] = []
        self._forgotten: set[int] = set()
        self._kinds: list[Callable[[], None]] = [
            self.newcomer, self.newcomer, self.late_order, self.refunded, self.cancelled, self.paid_again, self.repeated,
            self.other_campaign, self.in_dollars, self.sent,
        ]  # fmt: skip

    def round(self, steps: int) -> None:
        """So many steps, then what landed is drained."""
        for step in [self.newcomer, *self._random.choices(self._kinds, k=steps)]:
            step()
            if self._random.random() < 0.5:
                self._planted.drain()
        self._planted.drain()

    def newcomer(self) -> None:
        number = 600_000_000 + self._random.randrange(300_000_000)
        who = Somebody(number=number, first=f"First{number}", last=f"Last{number}", street=f"Street {number}")
        self._people.append(who)
        at = self._random.choice([at_shopify, at_shopify, at_woocommerce, at_custom_sender])
        if at is at_shopify:
            self._of_shopify.append(who)
        bodies: Bodies = at(self._planted, who)
        self._random.shuffle(bodies)
        self._planted.post(bodies)

    def late_order(self) -> None:
        hours = self._random.choice(LATE_HOURS)
        self._order(2, created_at=self._planted.at(hours), updated_at=self._planted.at(hours - 1))

    def refunded(self) -> None:
        who = self._somebody()
        again = refund(self._planted, who) | {"id": who.order(50) + self._random.randrange(9)}
        self._planted.post(
            [("shopify", "orders/paid", shopify_order(self._planted, who)), ("shopify", "refunds/create", again)]
        )

    def cancelled(self) -> None:
        at = self._planted.at(20)
        self._order(1, updated_at=at, cancelled_at=at, financial_status="voided")

    def paid_again(self) -> None:
        self._order(1, updated_at=self._planted.at(10), financial_status="paid")

    def repeated(self) -> None:
        self._planted.post(at_shopify(self._planted, self._somebody()))

    def other_campaign(self) -> None:
        self._order(1, created_at=self._planted.at(40), updated_at=self._planted.at(39.5), landing_site=UTM)

    def in_dollars(self) -> None:
        self._order(3, currency="USD", total_price="33.33")

    def sent(self) -> None:
        self._planted.drain()
        self._planted.send()

    # ------------------------------------------------------------ what happens seldom, and is called by name
    def forgotten(self) -> Somebody:
        """Somebody of the shop that passes such requests on asks to be forgotten, and is."""
        who = self._random.choice(self._of_shopify)
        self._forgotten.add(who.number)
        self._planted.post(redact_customer(who))
        self._planted.drain()
        self._planted.send()
        assert all(request.is_done for request in self._planted.carry_out())
        return who

    def replayed(self) -> None:
        """All that is stored is understood and matched again, by a rule that was changed."""
        config = {"trigger": ["order.created"], "ads_action": ACTIONS["shopify"]}
        with self._planted.engine.begin() as connection:
            drafted = definitions.draft(connection, "purchase_shopify", config, expected=1, author="test")
            definitions.publish(connection, "purchase_shopify", drafted.number, by="test")
        now = datetime.now(UTC)
        why = Order(actor="test", reason="a test")
        replay_sync(self._planted.url, self._planted.settings, since=now - timedelta(days=60), until=now, order=why)

    def moved(self) -> None:
        """A site is moved to another zone, and named anew."""
        zone = self._random.choice(ZONES)
        self._execute("UPDATE app.sites SET time_zone = :zone, name = :zone WHERE platform = 'shopify'", zone=zone)

    def rates(self, rate: str) -> None:
        """Rates of the days before now come, or change."""
        self._execute(
            "INSERT INTO app.exchange_rates (currency, reporting_currency, day, rate, source) "
            "SELECT 'USD', 'EUR', (now() - interval '4 days')::date, CAST(:rate AS numeric), 'test' "
            "ON CONFLICT (currency, reporting_currency, day) DO UPDATE SET rate = excluded.rate",
            rate=rate,
        )

    def expired(self) -> None:
        """What is older than its retention goes, as partitions do: no row of it is written."""
        self._execute("DELETE FROM app.commerce_events WHERE occurred_at < now() - interval '20 days'")
        self._execute("DELETE FROM app.custom_events WHERE occurred_at < now() - interval '20 days'")

    def _somebody(self) -> Somebody:
        return self._random.choice([who for who in self._people if who.number not in self._forgotten])

    def _order(self, place: int, **fields: Any) -> None:
        who = self._somebody()
        self._planted.post([("shopify", "orders/updated", shopify_order(self._planted, who, place, **fields))])

    def _execute(self, statement: str, **values: Any) -> None:
        with self._planted.engine.begin() as connection:
            connection.execute(sa.text(statement), values)
