"""The demo's Shopify store: orders with their updates, checkouts, carts, customers, subscriptions, products."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.stores import shopify as body
from sandbox.stores.clicks import fresh_visit, visit
from sandbox.stores.draw import Draw
from sandbox.stores.people import PRODUCTS, Person, Product, basket, person, total_of
from sandbox.stores.posts import Post, Store, shopify_post

ORDERS = 110
CUSTOMERS = 45  # fewer than orders: some buy again
CHECKOUTS = 14
CARTS = 14
SIGNUPS = 12
SUBSCRIPTIONS = 8
BILLED = (
    timedelta(seconds=-2),
    timedelta(seconds=3),
    timedelta(),
)  # when an attempt is told of, from its order's payment on
CHEAPER = next(product for product in PRODUCTS if product.sku == "JAR-7")  # what an exchange sends instead


def shopify_scenario(store: Store, draw: Draw) -> tuple[list[Post], list[Post]]:
    """First wave and second wave."""
    people = [person(draw.random, number) for number in range(1, CUSTOMERS + 1)]
    first: list[Post] = []
    second: list[Post] = []
    for index in range(ORDERS):
        posts, later = _order(store, draw, people[index % CUSTOMERS], index)
        first.extend(posts)
        second.extend(later)
    first.extend(_browsing(store, draw, people))
    for index in range(SUBSCRIPTIONS):
        posts, later = _subscription(store, draw, people[index], index)
        first.extend(posts)
        second.extend(later)
    return first, second


def _order(store: Store, draw: Draw, who: Person, index: int) -> tuple[list[Post], list[Post]]:
    serial = draw.next_serial()
    late = index % 25 == 24  # an order of last month whose webhooks come only now
    fresh = index % 37 == 12
    at = draw.moment(600, 700) if late else draw.moment(0.5, 1.5) if fresh else draw.moment(1, 60)
    base = body.HUGE_ID_BASE if index % 10 == 0 else body.ID_BASE
    lines = basket(draw.random)
    seen = (
        fresh_visit(store.ads_customer_id, at, serial)
        if fresh
        else visit(draw.random, store.ads_customer_id, at, draw.now, serial)
    )
    facts: dict[str, Any] = {
        "order_id": base + serial,
        "number": 1000 + index,
        "who": who,
        "lines": lines,
        "seen": seen,
    }

    def show(topic: str, minutes: int, kind: str = "order", **changes: Any) -> Post:
        updated_at = at + timedelta(minutes=minutes)
        document = body.order(**facts, created_at=at, updated_at=updated_at, domain=store.shop_domain or "", **changes)
        return shopify_post(store, kind, topic, document, draw.delivery(), updated_at)

    first = [show("orders/create", 0, financial_status="pending"), show("orders/paid", 1)]
    if index % 2 == 0:
        first.append(show("orders/updated", 2))
    if index % 11 == 3:
        first.append(show("orders/cancelled", 9, kind="cancelled", cancelled_at=at + timedelta(minutes=9)))
    if index % 9 == 5:
        first.append(shopify_post(store, "edited", "orders/edited", _edit(base + serial), draw.delivery(), at))
    order_id, total = base + serial, total_of(lines) + body.SHIPPING
    second = _refunds(store, draw, index, order_id, total, show, at)
    if not second and index % 11 != 3:
        second = _changed(store, draw, index, order_id, lines[0], show, at)
    return first, second


def _refunds(
    store: Store, draw: Draw, index: int, order_id: int, total: Decimal, show: Any, at: datetime
) -> list[Post]:
    """Every seventh order is refunded in part, every sixteenth in full, some in two steps."""
    refunded_at = max(at + timedelta(hours=1), draw.now - timedelta(minutes=30)).replace(microsecond=0)
    amounts: list[Decimal] = []
    if index % 16 == 7:
        amounts = [total]
    elif index % 7 == 2:
        amounts = [draw.part_of(total)] if index % 2 else [draw.part_of(total), draw.part_of(total)]
    posts: list[Post] = []
    refunds: list[dict[str, Any]] = []
    for number, amount in enumerate(amounts):
        refund = body.refund(order_id, order_id * 10 + number, amount, refunded_at + timedelta(seconds=number))
        refunds.append(refund)
        posts.append(shopify_post(store, "refund", "refunds/create", refund, draw.delivery(), refunded_at))
    if refunds:
        status = "refunded" if sum(amounts) == total else "partially_refunded"
        minutes = int((refunded_at - at).total_seconds() // 60) + 1
        posts.append(show("orders/updated", minutes, kind="refund", financial_status=status, refunds=refunds))
    return posts


def _changed(
    store: Store, draw: Draw, index: int, order_id: int, line: tuple[Product, int], show: Any, at: datetime
) -> list[Post]:
    """Some orders swap their first line for something cheaper; the refund of some others is told of before it fails."""
    moment = max(at + timedelta(hours=1), draw.now - timedelta(minutes=30)).replace(microsecond=0)
    minutes = int((moment - at).total_seconds() // 60) + 1
    worth = total_of([line])
    if index % 15 == 6 and worth > CHEAPER.price:
        back = body.refund(order_id, order_id * 10, worth - CHEAPER.price, moment, line=line)
        swapped = {"financial_status": "partially_refunded", "refunds": [back], "swapped_for": CHEAPER}
        return [
            shopify_post(store, "exchange", "refunds/create", back, draw.delivery(), moment),
            show("orders/updated", minutes, kind="exchange", **swapped),
        ]
    if index % 15 == 13:
        pending, failed = (
            body.refund(order_id, order_id * 10, worth, moment, status=status, line=line)
            for status in ("pending", "failure")
        )
        return [
            shopify_post(store, "failed refund", "refunds/create", pending, draw.delivery(), moment),
            show("orders/updated", minutes, kind="failed refund", refunds=[pending]),
            show("orders/updated", minutes + 5, kind="failed refund", refunds=[failed]),
        ]
    return []


def _edit(order_id: int) -> dict[str, Any]:
    return {"order_edit": {"id": order_id * 2, "order_id": order_id, "committed_at": None, "line_items": {}}}


def _browsing(store: Store, draw: Draw, people: list[Person]) -> list[Post]:
    posts: list[Post] = []
    for index in range(CHECKOUTS):
        at = draw.moment(1, 50)
        seen = visit(draw.random, store.ads_customer_id, at, draw.now, draw.next_serial())
        document = body.checkout(draw.next_serial(), people[index], basket(draw.random), seen, at)
        posts.append(shopify_post(store, "checkout", "checkouts/create", document, draw.delivery(), at))
    for _ in range(CARTS):
        at = draw.moment(1, 50)
        document = body.cart(draw.next_serial(), basket(draw.random), at)
        posts.append(shopify_post(store, "cart", "carts/update", document, draw.delivery(), at))
    for index in range(SIGNUPS):
        at = draw.moment(70, 90)
        document = body.customer(people[index], at)
        posts.append(shopify_post(store, "signup", "customers/create", document, draw.delivery(), at))
    for index in range(6):
        at = draw.moment(1, 9)
        product = {"id": 9_000_000_000 + index, "title": "Demo product", "updated_at": body.stamp(at), "variants": []}
        posts.append(shopify_post(store, "product", "products/update", product, draw.delivery(), at))
    return posts


def _subscription(store: Store, draw: Draw, who: Person, index: int) -> tuple[list[Post], list[Post]]:
    """Started with an order, renewed by an order of its own; every second is cancelled afterwards, and one of those runs again.

    Two bodies tell of a renewal, its order and its billing attempt: either may be the older one, and either arrive first.
    """
    started_at, renewed_at = draw.moment(40, 60), draw.moment(8, 20)
    contract_id, origin, renewal = (body.ID_BASE + draw.next_serial() for _ in range(3))
    lines = basket(draw.random)[:1]

    def order(order_id: int, at: datetime, source: str, serial: int) -> Post:
        seen = visit(draw.random, store.ads_customer_id, at, draw.now, serial)
        document = body.order(
            order_id=order_id,
            number=5000 + index,
            who=who,
            lines=lines,
            seen=seen,
            created_at=at,
            updated_at=at,
            source_name=source,
            domain=store.shop_domain or "",
        )
        return shopify_post(store, "subscription", "orders/paid", document, draw.delivery(), at)

    def contract(topic: str, status: str, at: datetime) -> Post:
        document = body.contract(contract_id, who, origin, status, at)
        return shopify_post(store, "subscription", topic, document, draw.delivery(), at)

    billing = body.billing_attempt(contract_id, renewal, "success")
    topic = "subscription_billing_attempts/success"
    first = [
        order(origin, started_at, "web", draw.next_serial()),
        contract("subscription_contracts/create", "active", started_at),
        order(renewal, renewed_at, "subscription_contract", draw.next_serial()),
        shopify_post(store, "subscription", topic, billing, draw.delivery(), renewed_at + BILLED[index % len(BILLED)]),
    ]
    cancelled_at = (draw.now - timedelta(hours=1)).replace(microsecond=0)
    second = [contract("subscription_contracts/cancel", "cancelled", cancelled_at)] if index % 2 else []
    if index == 1:
        second.append(contract("subscription_contracts/activate", "active", cancelled_at + timedelta(minutes=5)))
    return first, second
