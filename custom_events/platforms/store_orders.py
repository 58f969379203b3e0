"""Orders as they are read from a store's own API: what every platform's reader gives."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec


class FetchedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the store gave it. `body` has the exact bytes, in the form of a delivery with `topic` and `headers`; `modified_at` is None
    where the body says none that can be read; `read_at`: nothing in it was read before, by the store's clock.

    Where a list tells of orders without their bodies, `load` reads one (None: the store has it no more), `refunds` are the ids of its
    refunds, `financial_status` is as bodies write it and `is_fulfilled` whether all of it was shipped: an order that is stored as of
    `modified_at`, with all of these, is not read whole. `created_at`: when the store made it, where the list says so."""

    topic: str
    order_id: str | None
    modified_at: datetime | None
    read_at: datetime
    body: bytes = b""
    headers: Mapping[str, str] = {}
    load: Callable[[], bytes | None] | None = None
    refunds: tuple[str, ...] = ()
    financial_status: str | None = None
    is_fulfilled: bool = False
    created_at: datetime | None = None

    def whole(self) -> "FetchedOrder | None":
        """The same with its body; None: the store has it no more."""
        if self.load is None:
            return self
        body = self.load()
        return None if body is None else msgspec.structs.replace(self, body=body, load=None)


class OrderReader(Protocol):
    """Reads one store's orders. Each function raises Transient or NeedsAction, also in between."""

    def changed_since(self, since: datetime) -> Iterator[FetchedOrder]:
        """Orders that the store changed at `since` or later, the one changed longest ago first; one that changes meanwhile may come twice."""
        ...

    def by_ids(self, order_ids: Sequence[str]) -> Iterator[FetchedOrder]:
        """These orders, as far as the store has them."""
        ...
