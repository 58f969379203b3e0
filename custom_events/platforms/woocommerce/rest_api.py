"""WooCommerce's REST API, version 3: orders read by list (docs/reference/platforms.md 2.1, 2.9).

By list only: where HPOS is being synchronised, reading a single order fires `order.updated` again (news of November 2026). Pages are
cut by time and not by number: an order that is changed while pages are read moves to the end, and would push another one out of sight.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from custom_events.errors import NeedsAction
from custom_events.platforms.parse import optional_id
from custom_events.platforms.store_client import StoreAnswer, StoreClient
from custom_events.platforms.store_orders import FetchedOrder
from custom_events.values.times import as_utc

PATH: Final = "/wp-json/wc/v3/orders"
PER_PAGE: Final = 100  # the most that WooCommerce gives
TOPIC: Final = "order.updated"  # as a native webhook of such a body has it: the same body is the same delivery
_SECOND: Final = timedelta(seconds=1)
_ORDERS: Final = msgspec.json.Decoder(list[msgspec.Raw])


class _Head(msgspec.Struct):
    id: int | str | None = None
    date_modified_gmt: Any = None


_HEAD: Final = msgspec.json.Decoder(_Head)


class WooCommerceOrders:
    """See `OrderReader`."""

    def __init__(self, client: StoreClient) -> None:
        self._client = client

    def changed_since(self, since: datetime) -> Iterator[FetchedOrder]:
        """See `OrderReader.changed_since`."""
        after, page = since - _SECOND, 1
        before: list[bytes] = []
        while True:
            orders = self._read(
                {"modified_after": _gmt(after), "orderby": "modified", "order": "asc", "page": str(page)}
            )
            bodies = [order.body for order in orders]
            if len(bodies) == PER_PAGE and bodies == before:  # whatever was asked: it would go on for ever
                raise NeedsAction(
                    "The store answers another page with the same orders: does a page cache stand before its API?",
                    who="site owner",
                )
            before = bodies
            yield from orders
            if len(orders) < PER_PAGE:
                return
            last = orders[-1].modified_at
            if last is not None and last - _SECOND > after:
                after, page = last - _SECOND, 1
            else:  # more orders of one second than a page holds
                page += 1

    def by_ids(self, order_ids: Sequence[str]) -> Iterator[FetchedOrder]:
        """See `OrderReader.by_ids`."""
        for part in _parts(order_ids):
            yield from self._read({"include": ",".join(part), "orderby": "id", "order": "asc"})

    def _read(self, query: dict[str, str]) -> list[FetchedOrder]:
        answer = self._client.get(PATH, {"per_page": str(PER_PAGE), "status": "any", "dates_are_gmt": "true", **query})
        try:
            return [_order(bytes(body), answer) for body in _ORDERS.decode(answer.body)]
        except msgspec.DecodeError:
            raise NeedsAction(
                "The store's answer is no list of orders: does a page cache or a firewall stand before its API?",
                who="site owner",
            ) from None


def _parts(order_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for place in range(0, len(order_ids), PER_PAGE):
        yield order_ids[place : place + PER_PAGE]


def _order(body: bytes, answer: StoreAnswer) -> FetchedOrder:
    try:
        head = _HEAD.decode(body)
    except msgspec.ValidationError:
        head = _Head()
    return FetchedOrder(
        topic=TOPIC,
        body=body,
        order_id=optional_id(head.id),
        modified_at=_moment(head.date_modified_gmt),
        read_at=answer.read_at,
    )


def _moment(value: Any) -> datetime | None:
    try:
        return as_utc(datetime.fromisoformat(value))
    except (TypeError, ValueError, OverflowError):
        return None


def _gmt(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
