"""A BigCommerce store, as far as orders are read from it: lists of orders and one order (V2), an order's products, transactions, refunds and
metafields; and the hooks that name its orders.

    store = BigCommerceStore("abc123", "access token")
    store.put(order(118, ...))
    with serve(store) as url: ...              url is that of /stores/abc123
    post = store.hook("store/order/created", 118)

A store may be made to fail: `store.answers` are given, one each, before anything else is.
"""

import hashlib
import hmac
import threading
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from sandbox.stores.posts import minified
from sandbox.stores.serving import Answer, served

DEFAULT_LIMIT: Final = 50
MOST: Final = 250
STATUSES: Final = {
    0: "Incomplete",
    1: "Pending",
    2: "Shipped",
    3: "Partially Shipped",
    4: "Refunded",
    5: "Cancelled",
    6: "Declined",
    7: "Awaiting Payment",
    8: "Awaiting Pickup",
    9: "Awaiting Shipment",
    10: "Completed",
    11: "Awaiting Fulfillment",
    12: "Manual Verification Required",
    13: "Disputed",
    14: "Partially Refunded",
}


def order(
    order_id: int, *, created_at: datetime, total: str = "119.0000", status_id: int = 11, **fields: Any
) -> dict[str, Any]:
    """An order's resource of V2, changed when it was made unless `modified_at` says otherwise."""
    modified_at = fields.pop("modified_at", created_at)
    return {
        "id": order_id,
        "customer_id": 20,
        "date_created": _written(created_at),
        "date_modified": _written(modified_at),
        "date_shipped": "",
        "status_id": status_id,
        "status": STATUSES[status_id],
        "subtotal_ex_tax": total,
        "subtotal_inc_tax": total,
        "total_ex_tax": total,
        "total_inc_tax": total,
        "total_tax": "0.0000",
        "is_tax_inclusive_pricing": True,
        "payment_method": "Credit Card",
        "payment_status": "captured",
        "default_currency_code": "EUR",
        "currency_code": "EUR",
        "customer_message": "Leave it at the door of Jane Doe",
        "cart_id": f"a8458391-ef68-4fe5-9ec1-{order_id:012d}",
        "billing_address": {"email": "jane@example.org", "zip": "10115", "country_iso2": "DE"},
        "order_source": "www",
        **fields,
    }  # fmt: skip


class BigCommerceStore:
    """One store: its orders by id, with what belongs to each by the last word of its path. `requests`: what was asked for."""

    def __init__(self, store_hash: str, access_token: str) -> None:
        self.hash = store_hash
        self._token = access_token
        self.orders: dict[int, dict[str, Any]] = {}
        self.parts: dict[tuple[int, str], list[dict[str, Any]]] = {}
        self.requests: list[str] = []
        self.answers: deque[Answer] = deque()
        self._lock = threading.Lock()

    def put(self, resource: dict[str, Any], **parts: list[dict[str, Any]]) -> None:
        """An order as it is now; `parts`: products, transactions, refunds, metafields."""
        self.orders[resource["id"]] = resource
        for name, entries in parts.items():
            self.parts[resource["id"], name] = entries

    def hook(self, scope: str, order_id: int, created_at: datetime, **more: Any) -> bytes:
        """The body of a hook's delivery."""
        data = {"type": "order", "id": order_id, **more}
        digest = hashlib.sha1(f"{scope}{order_id}".encode(), usedforsecurity=False).hexdigest()
        return minified(
            {
                "scope": scope,
                "store_id": "1025646",
                "data": data,
                "hash": digest,
                "created_at": int(created_at.timestamp()),
                "producer": f"stores/{self.hash}",
            }
        )

    def answer(self, target: str, token: str | None) -> Answer:
        """The answer to GET `target`: status, headers, document."""
        with self._lock:
            parts = urlsplit(target)
            self.requests.append(target.removeprefix(f"/stores/{self.hash}"))
            if self.answers:
                return self.answers.popleft()
            if token is None or not hmac.compare_digest(token, self._token):
                return 401, {}, {"status": 401, "title": "Unauthorized"}
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            words = parts.path.strip("/").split("/")
            if words[:2] != ["stores", self.hash] or words[3:4] != ["orders"]:
                return 404, {}, [{"status": 404, "message": "The requested resource was not found."}]
            return self._orders(query) if len(words) == 4 else self._one(words[2], words[4:], query)

    def _orders(self, query: dict[str, str]) -> Answer:
        orders = list(self.orders.values())
        if "min_date_modified" in query:
            since = parsedate_to_datetime(query["min_date_modified"])
            orders = [entry for entry in orders if parsedate_to_datetime(entry["date_modified"]) >= since]
        orders = [entry for entry in orders if not entry.get("is_deleted")]
        if query.get("sort") == "date_modified:asc":
            orders.sort(key=lambda entry: (parsedate_to_datetime(entry["date_modified"]), entry["id"]))
        page = _page(orders, query)
        return (200, {}, page) if page else (204, {}, None)

    def _one(self, version: str, names: list[str], query: dict[str, str]) -> Answer:
        number = int(names[0]) if names[0].isdecimal() else 0
        if number not in self.orders:
            return 404, {}, [{"status": 404, "message": "The requested resource was not found."}]
        if not names[1:]:
            return 200, {}, self.orders[number]
        entries = self.parts.get((number, names[-1]))
        if entries is None and names[-1] == "transactions":
            return 404, {}, {"status": 404, "title": "Not Found"}  # an order that nobody has paid through the store
        page = _page(entries or [], query)
        if version == "v2":
            return (200, {}, page) if page else (204, {}, None)
        return 200, {}, {"data": page, "meta": {"pagination": {"total": len(entries or [])}}}


def _page(entries: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    limit, page = min(int(query.get("limit", DEFAULT_LIMIT)), MOST), int(query.get("page", 1))
    return entries[(page - 1) * limit : page * limit]


def _written(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC))


@contextmanager
def serve(store: BigCommerceStore, port: int = 0) -> Generator[str]:
    """The address of the store's API until the end of the block; `port` 0: any that is free."""
    with served(store.answer, login="x-auth-token", port=port) as url:
        yield f"{url}/stores/{store.hash}"
