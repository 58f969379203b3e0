"""BigCommerce's API, as far as orders are read from it: the order of V2 and its products, and of V3 its transactions, refunds and metafields.

What lands is one document, so that all of an order stands in one body; each part has the exact bytes of the answer:

    {"read_at": "...", "order_id": "118", "order": {...}, "products": [...], "transactions": [...], "refunds": [...], "metafields": [...]}

`read_at` lies before the first request, by the store's clock: each reading is another body, newer than any before it.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any, Final

import msgspec

from custom_events.errors import NeedsAction, NotUnderstood
from custom_events.platforms.bigcommerce.order_facts import moment_of
from custom_events.platforms.bigcommerce.topics import ORDER_READ
from custom_events.platforms.parse import optional_id
from custom_events.platforms.store_client import StoreAnswer, StoreClient
from custom_events.platforms.store_orders import FetchedOrder

API: Final = "https://api.bigcommerce.com/stores/"  # followed by the store's hash
TOKEN_HEADER: Final = "x-auth-token"  # noqa: S105  (a header's name)
PER_PAGE: Final = 250  # the most that BigCommerce gives
MOST_PAGES: Final = 40  # of one order's products, transactions, refunds or metafields: 10,000 of them
_INCOMPLETE: Final = 0
_SECOND: Final = timedelta(seconds=1)
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])


class _Head(msgspec.Struct):
    id: int | str | None = None
    status_id: Any = None
    date_modified: Any = None


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]


class _Whole(msgspec.Struct):
    """What lands."""

    read_at: datetime
    order_id: str
    order: msgspec.Raw
    products: list[msgspec.Raw]
    transactions: list[msgspec.Raw]
    refunds: list[msgspec.Raw]
    metafields: list[msgspec.Raw]


_HEAD: Final = msgspec.json.Decoder(_Head)
_PAGE: Final = msgspec.json.Decoder(_Page)
_ENCODER: Final = msgspec.json.Encoder()


class BigCommerceOrders:
    """See `OrderReader`. Archived orders are in no list, and read by their ids."""

    def __init__(self, client: StoreClient) -> None:
        self._client = client

    def changed_since(self, since: datetime) -> Iterator[FetchedOrder]:
        """See `OrderReader.changed_since`. Pages are cut by time and not by number, as an order that is changed meanwhile moves to the end."""
        after, page = since - _SECOND, 1
        while True:
            query = {
                "min_date_modified": format_datetime(after.astimezone(UTC)),
                "sort": "date_modified:asc",
                "limit": str(PER_PAGE),
                "page": str(page),
            }
            answer = self._client.get("/v2/orders", query)
            bodies = _listed(answer)
            orders = [self._order(bytes(body), answer.read_at) for body in bodies]
            yield from [order for order in orders if order is not None]
            if len(bodies) < PER_PAGE:
                return
            last = next((order.modified_at for order in reversed(orders) if order is not None), None)
            if last is not None and last - _SECOND > after:
                after, page = last - _SECOND, 1
            else:  # more orders of one second than a page holds, or incomplete ones alone
                page += 1

    def by_ids(self, order_ids: Sequence[str]) -> Iterator[FetchedOrder]:
        """See `OrderReader.by_ids`."""
        for order_id in order_ids:
            answer = self._client.find(f"/v2/orders/{order_id}", {})
            order = self._order(answer.body, answer.read_at) if answer is not None and answer.body else None
            if order is not None:
                yield order

    def _order(self, body: bytes, read_at: datetime) -> FetchedOrder | None:
        """An order of a list; None for an incomplete one, which nobody has bought yet, and for what is no order."""
        try:
            head = _HEAD.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            head = _Head()
        order_id = optional_id(head.id)
        if order_id is None or not order_id.isdecimal() or head.status_id == _INCOMPLETE:
            return None
        return FetchedOrder(
            topic=ORDER_READ,
            order_id=order_id,
            modified_at=_modified_at(head.date_modified),
            read_at=read_at,
            load=partial(self._whole, body, order_id, read_at),
        )

    def _whole(self, body: bytes, order_id: str, read_at: datetime) -> bytes:
        """The order with all that belongs to it."""
        of_v2, of_v3 = f"/v2/orders/{order_id}", f"/v3/orders/{order_id}"
        return _ENCODER.encode(
            _Whole(
                read_at=read_at,
                order_id=order_id,
                order=msgspec.Raw(body),
                products=self._all(f"{of_v2}/products"),
                transactions=self._all(f"{of_v3}/transactions"),
                refunds=self._all(f"{of_v3}/payment_actions/refunds"),
                metafields=self._all(f"{of_v3}/metafields"),
            )
        )

    def _all(self, path: str) -> list[msgspec.Raw]:
        """All that a list holds, page by page; nothing where the store has none (204 or 404)."""
        parts: list[msgspec.Raw] = []
        for page in range(1, MOST_PAGES + 1):
            answer = self._client.find(path, {"limit": str(PER_PAGE), "page": str(page)})
            new = [] if answer is None else _listed(answer)
            if parts and new and bytes(new[-1]) == bytes(parts[-1]):
                break  # a list that knows no pages gives the same again
            parts += new
            if len(new) < PER_PAGE:
                break
        return parts


def _listed(answer: StoreAnswer) -> list[msgspec.Raw]:
    """The entries of an answer of V2 (a list) or V3 (`data`); an empty one is an empty list."""
    body = answer.body.strip()
    try:
        if not body:
            return []
        return _LIST.decode(body) if body.startswith(b"[") else _PAGE.decode(body).data
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise NeedsAction(
            "The store's answer is no list: is the address that of BigCommerce's API?", who="site owner"
        ) from None


def _modified_at(value: Any) -> datetime | None:
    try:
        return moment_of(value, "$.date_modified") if isinstance(value, str) else None
    except NotUnderstood:
        return None
