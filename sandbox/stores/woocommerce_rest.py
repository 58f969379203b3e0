"""WooCommerce's REST API, version 3, as far as orders are read from it: lists of orders, one order, its refunds.

    shop = WooCommerceShop("ck_...", "cs_...")
    shop.saw(posts)                    the shop has what its webhooks told of
    with serve(shop) as url: ...

A shop may be made to fail: `shop.answers` are given, one each, before anything else is.
"""

import base64
import hmac
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sandbox.stores.posts import Post
from sandbox.stores.serving import Answer, served

ORDERS = "/wp-json/wc/v3/orders"
DEFAULT_PER_PAGE = 10
MOST_PER_PAGE = 100


class WooCommerceShop:
    """One shop: its orders by id, as REST resources. `requests`: the queries that were answered; `answers`: what is given before; `moved_s`: by
    how many seconds its clock is ahead of ours."""

    def __init__(self, consumer_key: str, consumer_secret: str) -> None:
        self._login = base64.b64encode(f"{consumer_key}:{consumer_secret}".encode()).decode()
        self.orders: dict[int, dict[str, Any]] = {}
        self.requests: list[str] = []
        self.answers: deque[Answer] = deque()
        self.trashed: set[int] = set()
        self.moved_s = 0.0
        self._lock = threading.Lock()

    def saw(self, posts: Iterable[Post]) -> None:
        """Take the orders of posts, of each the newest body."""
        for post in posts:
            if "/webhooks/woocommerce/" in post.path and post.topic.startswith("order."):
                self.put(json.loads(post.body))

    def put(self, order: dict[str, Any]) -> None:
        """An order as it is now, unless what the shop has is newer; our plugin's own part of a body is none of the shop's."""
        if "total" not in order:  # only an id: it was deleted
            self.orders.pop(int(order["id"]), None)
            return
        resource = {name: value for name, value in order.items() if name != "custom_events"}
        known = self.orders.get(int(order["id"]))
        if known is None or known["date_modified_gmt"] <= resource["date_modified_gmt"]:
            self.orders[int(order["id"])] = resource

    def delete_refund(self, order_id: int, refund_id: int) -> None:
        """A refund is deleted: the order lists it no longer, and its date of change stays."""
        order = self.orders[order_id]
        order["refunds"] = [refund for refund in order["refunds"] if refund["id"] != refund_id]

    def answer(self, target: str, authorization: str | None) -> Answer:
        """The answer to GET `target`: status, headers, document."""
        with self._lock:
            self.requests.append(target)
            if self.answers:
                return self.answers.popleft()
            if authorization is None or not hmac.compare_digest(authorization, f"Basic {self._login}"):
                return _error(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
            parts = urlsplit(target)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            if parts.path == ORDERS:
                return self._page(query)
            return self._one(parts.path.removeprefix(ORDERS).strip("/").split("/"))

    def _page(self, query: dict[str, str]) -> Answer:
        per_page, page = int(query.get("per_page", DEFAULT_PER_PAGE)), int(query.get("page", 1))
        if not 1 <= per_page <= MOST_PER_PAGE:
            return _error(400, "rest_invalid_param", "Invalid parameter(s): per_page")
        orders = [order for number, order in self.orders.items() if number not in self.trashed]
        if "modified_after" in query:
            if query.get("dates_are_gmt") != "true":
                return _error(400, "sandbox_local_times", "The sandbox's shops take times in GMT alone.")
            after = datetime.fromisoformat(query["modified_after"])
            orders = [order for order in orders if datetime.fromisoformat(order["date_modified_gmt"]) > after]
        if "include" in query:
            numbers = {int(number) for number in query["include"].split(",")}
            orders = [order for order in orders if order["id"] in numbers]
        by = {"modified": "date_modified_gmt", "id": "id"}.get(query.get("orderby", "date"), "date_created_gmt")
        orders.sort(key=lambda order: (order[by], order["id"]), reverse=query.get("order", "desc") == "desc")
        total = len(orders)
        headers = {"X-WP-Total": str(total), "X-WP-TotalPages": str(-(-total // per_page))}
        return 200, headers, orders[(page - 1) * per_page : page * per_page]

    def _one(self, names: list[str]) -> Answer:
        number = int(names[0]) if names[0].isdecimal() else 0
        order = self.orders.get(number)
        if order is None or len(names) > 2 or names[1:] not in ([], ["refunds"]):
            return _error(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
        if names[1:]:
            refunds = [{**refund, "amount": str(refund["total"]).lstrip("-")} for refund in order["refunds"]]
            return 200, {"X-WP-Total": str(len(refunds)), "X-WP-TotalPages": "1"}, refunds
        return 200, {}, order


def _error(status: int, code: str, message: str) -> Answer:
    return status, {}, {"code": code, "message": message, "data": {"status": status}}


@contextmanager
def serve(shop: WooCommerceShop, port: int = 0) -> Generator[str]:
    """The shop's address until the end of the block; `port` 0: any that is free."""
    content_type = "application/json; charset=UTF-8"
    clock: Callable[[], float] = lambda: time.time() + shop.moved_s  # noqa: E731
    with served(shop.answer, login="authorization", port=port, content_type=content_type, clock=clock) as url:
        yield url
