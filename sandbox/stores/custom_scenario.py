"""The demo's custom sender: an app that posts orders, signups, carts and refunds in our own shape."""

from datetime import timedelta

from sandbox.stores import custom as body
from sandbox.stores.clicks import visit
from sandbox.stores.draw import Draw
from sandbox.stores.people import PRODUCTS, basket, person, total_of
from sandbox.stores.posts import Post, Store, custom_post

ORDERS = 40
SIGNUPS = 20
CARTS = 20


def custom_scenario(store: Store, draw: Draw) -> tuple[list[Post], list[Post]]:
    """First wave and second wave."""
    people = [person(draw.random, number) for number in range(1, 26)]
    first: list[Post] = []
    second: list[Post] = []
    for index in range(ORDERS):
        at = draw.moment(1, 60)
        serial = draw.next_serial()
        order_id, lines = f"A-{serial}", basket(draw.random)
        seen = visit(draw.random, store.ads_customer_id, at, draw.now, serial)
        document = body.order_paid(order_id, people[index % len(people)], lines, seen, at)
        first.append(custom_post(store, "order", "order.paid", document, f"order-{serial}", draw.now))
        if index % 10 == 4:
            amount = f"{draw.part_of(total_of(lines)):.2f}"
            refund = body.refunded(order_id, f"{order_id}-R1", amount, draw.now - timedelta(minutes=20))
            second.append(custom_post(store, "refund", "order.refunded", refund, f"refund-{serial}", draw.now))
    for _ in range(SIGNUPS):
        at = draw.moment(1, 60)
        serial = draw.next_serial()
        seen = visit(draw.random, store.ads_customer_id, at, draw.now, serial)
        document = body.signup(person(draw.random, serial), seen, at)
        first.append(custom_post(store, "signup", "customer.created", document, f"signup-{serial}", draw.now))
    for index in range(CARTS):
        at = draw.moment(1, 60)
        serial = draw.next_serial()
        seen = visit(draw.random, store.ads_customer_id, at, draw.now, serial)
        product = PRODUCTS[index % len(PRODUCTS)]
        document = body.item_added(f"app-cart-{serial}", people[index % len(people)], product, seen, at)
        first.append(custom_post(store, "cart", "cart.item_added", document, f"cart-{serial}", draw.now))
    return first, second
