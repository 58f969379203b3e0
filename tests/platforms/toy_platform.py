"""A store platform of one file, which the test puts into a copy of the tree as `custom_events/platforms/toy/platform.py`."""

import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from custom_events.platforms.base import Delivery, PlainWebhooks, Secret, ShopDomain
from custom_events.values.deliveries import RawDelivery, Refusal, SiteContext, Understood, parked
from custom_events.values.events import CommerceEvent, EventType, Order
from custom_events.values.platforms import Platform


class Sale(msgspec.Struct):
    number: str
    sold_at: int  # seconds since 1970
    cents: int


class Toy(PlainWebhooks):
    name = Platform("toy")
    title = "Toy"
    shop_domain = ShopDomain(header="x-toy-shop", example="my.toy.example")
    makes_secret = False
    kept_headers = ("x-toy-id",)

    def instructions(self, site_key: str, url: str) -> list[str]:
        return [f"Have the toy post to {url} for {site_key}"]

    def check(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[Secret], now: datetime, replay_window_s: int
    ) -> Refusal | None:
        signed = [hmac.new(secret.value, body, "sha256").hexdigest() for secret in secrets]
        return None if headers.get("x-toy-signature") in signed else Refusal.WRONG_SIGNATURE

    def describe(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        return Delivery(topic="sale", delivery_id=headers.get("x-toy-id"))

    def understand(self, delivery: RawDelivery, site: SiteContext) -> Understood:
        try:
            sale = msgspec.json.decode(delivery.body, type=Sale)
        except msgspec.MsgspecError:
            return parked("unreadable", "It is no sale")
        at = datetime.fromtimestamp(sale.sold_at, UTC)
        order = Order(
            id=sale.number,
            created_at=at,
            updated_at=at,
            paid_at=at,
            currency=site.currency,
            total=Decimal(sale.cents) / 100,
        )
        event = CommerceEvent(
            type=EventType.ORDER_PAID, key=f"order.paid:{sale.number}", occurred_at=at, evidence_at=at, order=order
        )
        return Understood(events=(event,), order=order)


PLATFORM = Toy()
