"""A shop of our own making, whose webhooks go through the pipeline into the ledger: orders told body by body."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from custom_events.values.conversions import Lane
from tests.ledger.conftest import ADS_ACTION, ADS_CUSTOMER, DM_ACTION, DM_CUSTOMER
from tests.world import World

TARGETS = {Lane.GOOGLE_ADS: (ADS_CUSTOMER, ADS_ACTION), Lane.DATA_MANAGER: (DM_CUSTOMER, DM_ACTION)}
ORDERS = count(1)


class Shop:
    """A site whose webhooks go through the pipeline, with one rule that sends its orders over one lane."""

    def __init__(self, url: str, ledger: Any, lane: Lane, **config: Any) -> None:
        self._ledger, self.lane, self._world = ledger, lane, World(url, ledger.engine)
        ledger.clock.forward(seconds=max(0.0, (datetime.now(UTC) - ledger.clock()).total_seconds()))
        self.site = self._world.site(f"shop-{lane}", "custom")
        self._world.rule(self.site, f"purchase-{lane}", ads_action="/".join(TARGETS[lane]), **config)

    def order(self, *, click: bool = True, **consent: str) -> "Order":
        """A paid order of 100.00 EUR, not landed yet."""
        return Order(self, self._ledger, f"o{next(ORDERS)}", click=click, consent=consent)

    def lands(self, body: dict[str, Any]) -> None:
        """A body arrives and is drained."""
        self._world.land(self.site, body["type"], body)
        self._world.drain()
        self._ledger.clock.forward(seconds=30)  # the database has a clock of its own


class Order:
    """One order, body by body."""

    def __init__(self, shop: Shop, ledger: Any, number: str, *, click: bool, consent: dict[str, str]) -> None:
        self.shop, self.number = shop, number
        self._ledger, self._told = ledger, 0
        self._at = ledger.clock() - timedelta(days=1)
        customer = TARGETS[shop.lane][0]
        clicked_at = self._at - timedelta(hours=3)
        hours = (ledger.clock() - clicked_at).total_seconds() / 3600
        self._clicks = (
            {"gclid": ledger.gclid(customer, hours_before=hours), "clicked_at": clicked_at.isoformat()} if click else {}
        )
        self.says(**consent)

    def says(self, **consent: str) -> None:
        """A further body of the order, with this consent."""
        self._told += 1
        at = (self._at + timedelta(minutes=self._told)).isoformat()
        order = {
            "id": self.number,
            "created_at": self._at.isoformat(),
            "updated_at": at,
            "paid_at": self._at.isoformat(),
            "currency": "EUR",
            "total": "100.00",
            "shipping_country": "DE",
        }
        body = {
            "type": "order.paid",
            "id": f"{self.number}-{self._told}",
            "occurred_at": self._at.isoformat(),
            "customer": {"id": "K-7", "email": "lea@example.org", "phone": "+49301234567"},
            "order": order,
        }
        body |= {"clicks": self._clicks} if self._clicks else {}
        self.shop.lands(body | ({"consent": consent} if consent else {}))

    def refunded(self, amount: str) -> None:
        """A refund of it."""
        self._told += 1
        refund = {"id": f"R{self._told}", "order_id": self.number, "amount": amount, "currency": "EUR"}
        at = self._ledger.clock().isoformat()
        self.shop.lands(
            {"type": "order.refunded", "id": f"{self.number}-{self._told}", "occurred_at": at, "refund": refund}
        )

    @property
    def uploads(self) -> list[Any]:
        """Its rows of the ledger."""
        return self._ledger.of_order(self.number)

    @property
    def stands(self) -> list[tuple[str, str, str | None]]:
        """Kind, state and reason of each."""
        return [(row.kind, row.state, row.reason) for row in self.uploads]
