"""The demo's WooCommerce store, with its native webhooks' habits: states collapse, updates come before creates."""

from datetime import datetime, timedelta
from typing import Any

from sandbox.stores import woocommerce as body
from sandbox.stores.clicks import visit
from sandbox.stores.draw import Draw
from sandbox.stores.people import Person, basket, person, total_of
from sandbox.stores.posts import Post, Store, woocommerce_post

ORDERS = 75
CUSTOMERS = 30
SUBSCRIPTIONS = 8


def woocommerce_scenario(store: Store, draw: Draw) -> tuple[list[Post], list[Post]]:
    """First wave and second wave."""
    people = [person(draw.random, number) for number in range(1, CUSTOMERS + 1)]
    first: list[Post] = []
    second: list[Post] = []
    for index in range(ORDERS):
        posts, later = _order(store, draw, people[index % CUSTOMERS], index)
        first.extend(posts)
        second.extend(later)
    for index in range(SUBSCRIPTIONS):
        posts, later = _subscription(store, draw, people[index], index)
        first.extend(posts)
        second.extend(later)
    for who in people[:12]:
        at = draw.moment(70, 90)
        first.append(woocommerce_post(store, "signup", "customer.created", body.customer(who, at), 30))
    for index in range(4):
        product = {"id": 101 + index, "name": "Demo product", "date_modified_gmt": body.gmt(draw.moment(1, 9))}
        first.append(woocommerce_post(store, "product", "product.updated", product, 31))
    return first, second


def _order(store: Store, draw: Draw, who: Person, index: int) -> tuple[list[Post], list[Post]]:
    at = draw.moment(2, 60)
    order_id = draw.next_serial()
    lines = basket(draw.random)
    seen = visit(draw.random, store.ads_customer_id, at, draw.now, draw.next_serial())
    total = total_of(lines) + body.SHIPPING
    cash = index % 12 == 6

    def show(topic: str, status: str, minutes: int, kind: str = "order", **changes: Any) -> Post:
        modified_at = at + timedelta(minutes=minutes)
        paid_at = at + timedelta(minutes=1) if status in {"processing", "completed", "refunded"} and not cash else None
        document = body.order(
            order_id=order_id,
            who=who,
            lines=lines,
            seen=seen,
            status=status,
            created_at=at,
            modified_at=modified_at,
            paid_at=paid_at,
            payment_method="cod" if cash else "stripe",
            **changes,
        )
        return woocommerce_post(store, kind, topic, document, 21 if topic == "order.created" else 22)

    late_refund = int((draw.now - at).total_seconds() // 60) - 20
    if (
        index % 15 == 14
    ):  # already refunded when the webhook of its creation is built: created, paid and refunded at once
        refunded = show("order.created", "refunded", 40, kind="refund", refunds=[(order_id * 10, total)])
        return [refunded], []
    first = [show("order.created", "pending" if index % 3 else "processing", 0)]
    first.append(show("order.updated", "cancelled" if index % 13 == 5 or index % 25 == 9 else "processing", 2))
    if index % 25 == 9:  # cancelled for want of a payment, which came after all
        first.append(show("order.updated", "processing", 25, kind="paid after all"))
    if index % 4 == 0:
        first.append(show("order.updated", "completed", 30))
    second: list[Post] = []
    if index % 8 == 3:
        refunds = [(order_id * 10, draw.part_of(total))]
        second.append(show("order.updated", "processing", late_refund, kind="refund", refunds=refunds))
        if index % 24 == 11:  # somebody deletes the refund: the order lists it no longer
            second.append(show("order.updated", "processing", late_refund + 5, kind="deleted refund"))
    if index % 18 == 4:
        second.append(show("order.updated", "refunded", late_refund, kind="refund", refunds=[(order_id * 10, total)]))
    return first, second


def _subscription(store: Store, draw: Draw, who: Person, index: int) -> tuple[list[Post], list[Post]]:
    started_at, renewed_at = draw.moment(40, 60), draw.moment(8, 20)
    subscription_id, parent, renewal = draw.next_serial(), draw.next_serial(), draw.next_serial()
    lines = basket(draw.random)[:1]

    def order(order_id: int, at: datetime, created_via: str, renewal_of: int | None) -> Post:
        document = body.order(
            order_id=order_id,
            who=who,
            lines=lines,
            seen=visit(draw.random, store.ads_customer_id, at, draw.now, draw.next_serial()),
            status="processing",
            created_at=at,
            modified_at=at,
            paid_at=at,
            created_via=created_via,
            subscription_id=renewal_of,
        )
        return woocommerce_post(store, "subscription", "order.created", document, 21)

    def subscription(topic: str, status: str, at: datetime, cancelled_at: datetime | None = None) -> Post:
        document = body.subscription(
            subscription_id=subscription_id,
            parent_order_id=parent,
            who=who,
            status=status,
            created_at=started_at,
            modified_at=at,
            cancelled_at=cancelled_at,
        )
        return woocommerce_post(store, "subscription", topic, document, 24)

    first = [
        order(parent, started_at, "checkout", None),
        subscription("subscription.created", "active", started_at),
        order(renewal, renewed_at, "subscription", subscription_id),
    ]
    if index % 2 == 0:
        return first, []
    ended_at = (draw.now - timedelta(hours=1)).replace(microsecond=0)
    cancelled_at = ended_at - timedelta(minutes=5)
    pending = subscription("subscription.updated", "pending-cancel", cancelled_at, cancelled_at)
    if index == 1:  # one changes their mind
        return first, [pending, subscription("subscription.updated", "active", ended_at)]
    return first, [pending, subscription("subscription.updated", "cancelled", ended_at, cancelled_at)]
