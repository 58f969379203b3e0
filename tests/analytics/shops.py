"""Two shops whose orders go through the whole pipeline, for marts to be built of: carts, clicks and campaigns of returning customers, refunds,
test orders, what cannot be understood, and every answer of an ads platform.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from custom_events.values.conversions import BatchAnswer, Conversion, Lane, RowAnswer, Verdict
from tests.destinations.toy_lane import ToyLane
from tests.world import NOON, World, paid_order

# In Berlin half an hour before or after midnight, by the time of the year; in New York the afternoon.
LATE: Final = NOON.replace(hour=22, minute=30)
SENT_AT: Final = NOON + timedelta(days=3)  # after the batches, which go by the real clock
UNMATCHED: Final = "ConversionUploadError.CLICK_NOT_FOUND"


class AnsweringLane(ToyLane):
    """An ads platform that takes what is sent, but orders whose number ends in 3 (no such click) and in 9 (refused)."""

    def answers(self, rows: Sequence[Conversion]) -> BatchAnswer:
        return BatchAnswer(rows=tuple(_answer(row) for row in rows))


def _answer(row: Conversion) -> RowAnswer:
    last = row.transaction_id[-1]
    if last == "3":
        return RowAnswer(upload_id=row.upload_id, verdict=Verdict.REJECTED, code=UNMATCHED)
    if last == "9":
        code = "ConversionUploadError.INVALID_CONVERSION_ACTION_TYPE"
        return RowAnswer(upload_id=row.upload_id, verdict=Verdict.REJECTED, code=code)
    return RowAnswer(upload_id=row.upload_id, verdict=Verdict.ACCEPTED)


def checkout(token: str, at: datetime, customer: int, *, total: str = "100.00", **attributes: str) -> dict[str, Any]:
    """A Shopify checkout that has a contact."""
    email = f"person{customer}@example.org"
    return {
        "token": token,
        "created_at": at.isoformat(),
        "updated_at": at.isoformat(),
        "total_price": total,
        "currency": "EUR",
        "email": email,
        "customer": {"id": customer, "email": email},
        "note_attributes": [{"name": name, "value": value} for name, value in attributes.items()],
        "line_items": [],
    }


def attributes(**values: str) -> dict[str, Any]:
    """The attributes of an order, as a change of `paid_order`."""
    return {"note_attributes": [{"name": name, "value": value} for name, value in values.items()]}


def fill(world: World) -> None:
    """Make the shops, land what they deliver, match it and send it."""
    berlin = world.site("berlin")
    boston = world.site("boston", currency="USD", time_zone="America/New_York")
    _configure(world, berlin, boston)
    _deliver_returning_customers(world, berlin)
    _deliver_days(world, berlin, boston)
    _deliver_odd_things(world, berlin)
    world.drain()
    world.send({Lane.GOOGLE_ADS: AnsweringLane()}, lambda: SENT_AT)
    _refund(world, berlin)
    _receive(world)
    world.drain()
    world.send({Lane.GOOGLE_ADS: AnsweringLane()}, lambda: SENT_AT + timedelta(hours=30))


def _configure(world: World, berlin: int, boston: int) -> None:
    """Purchases of both sites; big ones of one, so that two rules match one order; checkouts, which go nowhere; one definition that
    nobody uses, and an assignment that is switched off."""
    action, other = world.action(), world.action()
    purchase = world.definition("purchase", ads_action=action)
    world.assignment(berlin, purchase)
    world.assignment(boston, purchase, "dear", ads_action=other)
    big = {"field": "order.total", "op": ">=", "value": 150}
    world.assignment(berlin, world.definition("big", conditions=big, ads_action=other))
    world.assignment(berlin, world.definition("started", trigger=["checkout.started"]), "not sent")
    world.definition("nobody")
    switched_off = world.assignment(boston, world.definition("asleep", trigger=["subscription.started"]), "night")
    with world.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE app.site_custom_events SET is_active = false WHERE id = :id"), {"id": switched_off}
        )


def _deliver_returning_customers(world: World, berlin: int) -> None:
    """Customer 1 comes by a campaign, by a click, and buys by a third; each leaves a checkout. Customer 2 buys thrice."""
    days = [NOON - timedelta(days=days) for days in (12, 6, 1)]
    world.land(berlin, "checkouts/create", checkout("t1", days[0], 1, utm_source="newsletter", utm_campaign="spring"))
    world.land(berlin, "checkouts/create", checkout("t2", days[1], 1, gclid="Cj0KCQ-touch-two"))
    order = attributes(gclid="Cj0KCQ-touch-three", utm_source="google", utm_medium="cpc", utm_campaign="brand")
    world.land(berlin, "checkouts/create", checkout("t3", days[2], 1, gclid="Cj0KCQ-touch-three"))
    bought_at = days[2] + timedelta(minutes=7)
    world.land(
        berlin,
        "orders/paid",
        paid_order(101, at=bought_at, customer_id=1, total_price="100.01", checkout_token="t3", **order),
    )
    for number, at in enumerate((days[0], days[1], NOON), start=111):
        world.land(berlin, "orders/paid", paid_order(number, at=at, customer_id=2, total_price="33.33"))


def _deliver_days(world: World, berlin: int, boston: int) -> None:
    """Orders of both sites around midnight, with cents that do not divide; of one nothing was captured."""
    for number in range(120, 132):
        at = LATE - timedelta(days=number % 4, hours=number % 5)
        total = f"{number}.0{number % 10}"
        campaign = attributes(gclid=f"Cj0KCQ-day-{number}", utm_campaign=("spring", "brand")[number % 2])
        world.land(
            berlin,
            "orders/paid",
            paid_order(number, at=at, customer_id=20 + number % 3, total_price=total, **campaign),
        )
        us = paid_order(number + 100, at=at, customer_id=30 + number, total_price=total, currency="USD")
        world.land(boston, "orders/paid", us)
    world.land(berlin, "orders/paid", paid_order(150, customer_id=50, total_price="160.00", **attributes()))
    made = paid_order(160, customer_id=60, financial_status="pending", processed_at=None)
    world.land(berlin, "orders/create", made)


def _deliver_odd_things(world: World, berlin: int) -> None:
    """A test order, an odd leaf, what nobody understands, a repeated delivery, a refused one, and one that names no site."""
    world.land(berlin, "orders/paid", paid_order(170, test=True))
    world.land(berlin, "orders/paid", paid_order(171, customer_id=71, total_price=71, buyer_accepts_marketing="0"))
    world.land(berlin, "orders/paid", b"{")
    world.land(berlin, "themes/publish", {"id": 1})
    with world.engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO landing.duplicate_deliveries VALUES (now(), :site, 'orders/paid', '\\x01')"),
            {"site": berlin},
        )
        for site in (berlin, None):
            connection.execute(
                sa.text(
                    "INSERT INTO landing.refused_events (received_at, site_id, platform, reason) "
                    "VALUES (now(), :site, 'shopify', 'wrong_signature')"
                ),
                {"site": site},
            )
        for day, told in ((0, 5), (1, None)):
            connection.execute(
                sa.text(
                    "INSERT INTO app.reconciliation_days (ads_account_id, action_id, day, sent, accepted, refused, events,"
                    " google_successful, google_failed, google_pending, reasons, updated_at)"
                    " SELECT id, '1', :day, 6, 4, 2, 6, :told, 1, 0, '{\"X\": 2}', :at FROM app.ads_accounts"
                ),
                {"day": (NOON - timedelta(days=day)).astimezone(UTC).date(), "told": told, "at": NOON},
            )


def _receive(world: World) -> None:
    """The receiver's own count of all that was delivered, and a rate for the dollars of one day."""
    with world.engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO landing.receipts SELECT now(), count(*) + 3, count(*), 1, 2 FROM landing.raw_events")
        )
        connection.execute(
            sa.text(
                "INSERT INTO app.exchange_rates (day, currency, reporting_currency, rate, source)"
                " VALUES (:day, 'USD', 'EUR', 0.8612345678, 'test')"
            ),
            {"day": LATE.date()},
        )


def _refund(world: World, berlin: int) -> None:
    """A part of one order and all of another is given back, after both were sent."""
    for order_id, amount in ((101, "40.00"), (120, "120.00")):
        at = SENT_AT + timedelta(hours=2)
        transaction = {"id": order_id, "kind": "refund", "status": "success", "amount": amount, "currency": "EUR"}
        refund = {
            "id": order_id * 10,
            "order_id": order_id,
            "created_at": at.isoformat(),
            "processed_at": at.isoformat(),
            "transactions": [transaction],
            "refund_line_items": [],
            "order_adjustments": [],
        }
        world.land(berlin, "refunds/create", refund, triggered_at=at)
