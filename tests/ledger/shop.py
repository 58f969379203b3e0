"""A shop of WooCommerce or Shopify whose webhooks go through the pipeline and whose conversions go to the sandbox's Google."""

from datetime import UTC, datetime, timedelta
from typing import Any

from custom_events.pipeline.batch_figures import BatchFigures
from custom_events.values.conversions import Lane
from custom_events.watching.sums import sums
from tests.ledger.conftest import ADS_ACTION, ADS_CUSTOMER, DM_ACTION, DM_CUSTOMER
from tests.world import World

Body = tuple[str, dict[str, Any]]  # topic, and what is sent
ACTIONS = {
    Lane.GOOGLE_ADS: (ADS_CUSTOMER, f"{ADS_CUSTOMER}/{ADS_ACTION}"),
    Lane.DATA_MANAGER: (DM_CUSTOMER, f"{DM_CUSTOMER}/{DM_ACTION}"),
}
LEDGER = "SELECT kind, state, reason, value FROM app.conversion_uploads WHERE site_id = :s ORDER BY conversion_at, custom_event_id, sequence"


class Shop:
    """One site with its ads action. Times of bodies are hours before now; `now` moves with the ledger's clock."""

    def __init__(self, url: str, ledger: Any, platform: str, lane: Lane = Lane.GOOGLE_ADS, **settings: Any) -> None:
        self.ledger, self._world = ledger, World(url, ledger.engine)
        ledger.clock.forward(seconds=(datetime.now(UTC) - ledger.clock()).total_seconds())
        self._customer, self.action = ACTIONS[lane]
        self._clicks: dict[str, str] = {}
        self._began = ledger.clock().replace(microsecond=0)
        self.site = self._world.site(f"shop-{platform}", platform, **settings)

    def rule(self, key: str = "purchase", **config: Any) -> None:
        self._world.rule(self.site, key, **{"ads_action": self.action} | config)

    def happens(self, *bodies: Body) -> BatchFigures:
        """The bodies arrive together, and are drained."""
        for topic, body in bodies:
            self._world.land(self.site, topic, body, triggered_at=None)
        figures = self._world.drain()
        self.ledger.clock.forward(minutes=2)  # the database has a clock of its own
        return figures

    def at(self, hours_ago: float) -> datetime:
        """A moment before the shop was made."""
        return self._began - timedelta(hours=hours_ago)

    def click(self, order_id: str) -> str:
        return self._clicks.setdefault(order_id, self.ledger.gclid(self._customer, hours_before=30))

    def woo(self, status: str, changed: float, paid: float | None = 20, order: int = 5001, **fields: Any) -> Body:
        """An order of 100 EUR as WooCommerce sends it; `changed` and `paid` in hours before now."""
        topic = fields.pop("topic", "order.updated")
        gmt = "%Y-%m-%dT%H:%M:%S"
        return topic, {
            "id": order,
            "status": status,
            "total": "100.00",
            "currency": "EUR",
            "number": str(order),
            "date_created_gmt": self.at(21).strftime(gmt),
            "date_modified_gmt": self.at(changed).strftime(gmt),
            "date_paid_gmt": None if paid is None else self.at(paid).strftime(gmt),
            "date_completed_gmt": None,
            "payment_method": "card",
            "customer_id": 0,
            "billing": {"email": "person@example.org", "country": "US"},
            "meta_data": [{"id": 1, "key": "_gclid", "value": self.click(str(order))}],
            "line_items": [{"id": 1, "product_id": 9, "quantity": 1, "subtotal": "100.00", "total": "100.00"}],
            "refunds": [],
        } | fields

    def shopify(self, changed: float, order: int = 9001, **fields: Any) -> Body:
        """A paid order of 100 EUR as Shopify sends it."""
        topic = fields.pop("topic", "orders/updated")
        return topic, {
            "id": order,
            "created_at": self.at(21).isoformat(),
            "updated_at": self.at(changed).isoformat(),
            "processed_at": self.at(20).isoformat(),
            "total_price": "100.00",
            "currency": "EUR",
            "financial_status": "paid",
            "name": f"#{order}",
            "email": "person@example.org",
            "customer": {"id": 7, "email": "person@example.org"},
            "note_attributes": [{"name": "gclid", "value": self.click(str(order))}],
            "line_items": [{"id": 1, "sku": "A", "quantity": 1, "price": "100.00"}],
            "refunds": [],
        } | fields

    def settle(self, lanes: Any) -> None:
        """Send what is due; where verdicts come later, wait for them."""
        for _ in range(3):
            self.ledger.settle(lanes)
            self.ledger.clock.forward(minutes=35)
        self.ledger.settle(lanes)

    def rows(self) -> list[tuple[str, str, str | None, int]]:
        """The ledger: kind, state, reason, value."""
        found = self.ledger.rows(LEDGER, s=self.site)
        return [(row.kind, row.state, row.reason, int(row.value)) for row in found]

    def order(self, order_id: int = 5001) -> Any:
        (row,) = self.ledger.rows(
            "SELECT * FROM app.orders WHERE site_id = :s AND order_id = :o", s=self.site, o=str(order_id)
        )
        return row

    def standing(self) -> list[tuple[str, str | None]]:
        """Custom events: key of the event, and why it is withdrawn."""
        return [
            tuple(row)
            for row in self.ledger.rows(
                "SELECT e.key, c.withdrawn_reason FROM app.custom_events c JOIN app.commerce_events e"
                " ON e.id = c.commerce_event_id AND e.occurred_at = c.occurred_at WHERE c.site_id = :s ORDER BY 1",
                s=self.site,
            )
        ]

    def agrees(self) -> bool:
        """Whether the sums after the receiver's agree, which took no part in this."""
        with self.ledger.engine.connect() as connection:
            return not [gap for gap in sums(connection).gaps if not gap.startswith("received")]
