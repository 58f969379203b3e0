"""Orders that a Shopify shop changed: listed cheaply, and read whole only where something of them may be missing."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol, TypeVar

from custom_events.platforms.shopify import admin_queries
from custom_events.platforms.shopify.admin_api import AdminApi, ChangedOrder, body_of
from custom_events.platforms.shopify.sources import EVENT_DELIVERY, EVENT_VERSION
from custom_events.platforms.store_orders import FetchedOrder

FULFILLED: Final = "FULFILLED"  # of Shopify's OrderDisplayFulfillmentStatus: all that there is to ship was shipped
TOPIC: Final = "Order/update"  # as Shopify's Events have it: the body is the answer to our own query
_SECOND: Final = timedelta(seconds=1)
_Result = TypeVar("_Result")


class Ask(Protocol):
    """Does something with the shop's API, perhaps twice, and gives what it gave."""

    def __call__(self, work: Callable[[AdminApi], _Result], /) -> _Result: ...


class ShopifyOrders:
    """See `OrderReader`. Shopify's throttle is waited for by the API's client."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def changed_since(self, since: datetime) -> Iterator[FetchedOrder]:
        """See `OrderReader.changed_since`. A page begins behind the last order of the one before, by what it was changed at."""
        after: str | None = None
        while True:
            cursor = after
            page = self._ask(lambda api: api.changed_orders(since - _SECOND, after=cursor))  # noqa: B023  (asked at once)
            yield from map(self._listed, page.orders)
            after = page.after
            if after is None:
                return

    def by_ids(self, order_ids: Sequence[str]) -> Iterator[FetchedOrder]:
        """See `OrderReader.by_ids`. Nothing: Shopify deletes no refund, so that orders with refunds need not be read again."""
        del order_ids
        yield from ()

    def _listed(self, order: ChangedOrder) -> FetchedOrder:
        number, changed_at = order.legacy_resource_id, order.updated_at.astimezone(UTC)
        return FetchedOrder(
            topic=TOPIC,
            order_id=number,
            modified_at=changed_at,
            read_at=changed_at,
            headers={
                EVENT_DELIVERY: f"fetched-{number}-{changed_at:%Y%m%dT%H%M%SZ}",
                EVENT_VERSION: admin_queries.API_VERSION,
            },
            load=lambda: self._body(order.id),
            refunds=tuple(refund.id.rpartition("/")[2] for refund in order.refunds),
            financial_status=(order.display_financial_status or "").lower() or None,
            is_fulfilled=order.display_fulfillment_status == FULFILLED,
            created_at=order.created_at.astimezone(UTC),
        )

    def _body(self, order_id: str) -> bytes | None:
        order: dict[str, Any] | None = self._ask(lambda api: api.order(order_id))
        return None if order is None else body_of(order)
