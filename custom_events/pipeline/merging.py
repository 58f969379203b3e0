"""The batch's state meets the stored state: look up, merge (`state.py`), write what is new by COPY and what differs in place."""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

import msgspec

from custom_events.pipeline import state
from custom_events.pipeline.rows import Connection, columns_of, copy
from custom_events.pipeline.state import CustomerState, OrderState, RefundState, SubscriptionState
from custom_events.pipeline.understanding import Gathered, Key, Proposal
from custom_events.queries import understanding as sql
from custom_events.values.clicks import Click
from custom_events.values.events import CommerceEvent

Row = TypeVar("Row", bound=tuple[Any, ...])
RefundKey = tuple[int, str, str]

CLICK_COLUMNS = ("seen_at", "site_id", "kind", "click_id", "subject", "carrier", "clicked_at", "consent")
_CONSENT = msgspec.json.Encoder()


class _Noun(NamedTuple):
    """How one noun's state is stored: the look-up returns the keys and then the row, in the order of its columns. `stamped`:
    the row has an `updated_at`, which a change sets."""

    table: str
    keys: tuple[str, ...]
    row: Any
    known: str
    change: str
    stamped: bool = True


_ORDERS = _Noun("app.orders", ("site_id", "order_id"), OrderState, sql.KNOWN_ORDERS, sql.CHANGE_ORDERS)
_REFUNDS = _Noun(
    "app.order_refunds",
    ("site_id", "order_id", "refund_id"),
    RefundState,
    sql.KNOWN_REFUNDS,
    sql.CHANGE_REFUNDS,
    stamped=False,
)
_SUBSCRIPTIONS = _Noun(
    "app.subscriptions",
    ("site_id", "subscription_id"),
    SubscriptionState,
    sql.KNOWN_SUBSCRIPTIONS,
    sql.CHANGE_SUBSCRIPTIONS,
)
_CUSTOMERS = _Noun(
    "app.customers", ("site_id", "customer_key"), CustomerState, sql.KNOWN_CUSTOMERS, sql.CHANGE_CUSTOMERS
)


class Merger:
    """Merges a batch's state into the tables, within the transaction that is open; `now` stamps what changes. Make with `meet`,
    after which `fresh` has the orders that nobody had told of before, and `newcomers` the customers. After `merge`, `orders` has
    the batch's orders as they are, and `corrected` those that were paid before and say something else now, as they were."""

    def __init__(self, connection: Connection, gathered: Gathered, now: datetime) -> None:
        self._connection, self._gathered, self._now = connection, gathered, now
        self._orders_before: dict[Key, OrderState] = {}
        self._customers_before: dict[Key, CustomerState] = {}
        self.orders: dict[Key, OrderState] = {}
        self.fresh: AbstractSet[Key] = set()
        self.newcomers: AbstractSet[Key] = set()
        self.corrected: dict[Key, OrderState] = {}

    @classmethod
    async def meet(cls, connection: Connection, gathered: Gathered, now: datetime) -> "Merger":
        """Look up the orders and customers of the batch. Nothing is written yet: what is new tells later steps what they need not
        ask for."""
        merger = cls(connection, gathered, now)
        merger._orders_before = await merger._known(_ORDERS, list(gathered.orders))
        merger._customers_before = await merger._known(_CUSTOMERS, list(gathered.customers))
        merger.fresh = gathered.orders.keys() - merger._orders_before.keys()
        merger.newcomers = gathered.customers.keys() - merger._customers_before.keys()
        return merger

    async def merge(self) -> set[Key]:
        """Merge all of it. Returns the orders whose conversions may need another value now."""
        told = self._gathered
        refunds = await self._refunds(told.refunds)
        subscriptions = await self._known(_SUBSCRIPTIONS, list(told.subscriptions))
        await self._write(_SUBSCRIPTIONS, subscriptions, told.subscriptions, state.merge_subscriptions)
        await self._write(_CUSTOMERS, self._customers_before, told.customers, state.merge_customers)
        return await self._orders(told.orders, refunds)

    async def _refunds(self, told: dict[RefundKey, RefundState]) -> dict[Key, Decimal]:
        """The sum of all refunds, known and told, of every order that the batch's refunds are about."""
        if not told:
            return {}
        orders = list({(site_id, order_id) for site_id, order_id, _ in told})
        known: dict[RefundKey, RefundState] = await self._known(_REFUNDS, orders)
        merged = await self._write(_REFUNDS, known, told, state.merge_refunds)
        sums: dict[Key, Decimal] = {}
        for (site_id, order_id, _), refund in {**known, **merged}.items():
            sums[site_id, order_id] = sums.get((site_id, order_id), Decimal(0)) + refund.amount
        return sums

    async def _orders(self, told: dict[Key, OrderState], refunded: dict[Key, Decimal]) -> set[Key]:
        for key, amount in refunded.items():
            told[key] = told[key]._replace(refunded=amount)
        known = self._orders_before
        self.orders = merged = await self._write(_ORDERS, known, told, state.merge_orders)
        self.corrected = {key: before for key, before in known.items() if _changes_history(before, merged[key])}
        return {key for key, order in merged.items() if _changes_value(known.get(key), order)}

    async def _known(self, noun: _Noun, keys: list[Any]) -> dict[Any, Any]:
        if not keys:
            return {}
        width = len(noun.keys)
        rows = await self._connection.fetch(noun.known, *columns_of(keys))
        return {tuple(row[:width]): noun.row(*row[width:]) for row in rows}

    async def _write(
        self, noun: _Noun, known: dict[Any, Row], told: dict[Any, Row], merge: Callable[[Row, Row], Row]
    ) -> dict[Any, Row]:
        """COPY the new rows, replace those that differ. Returns the told rows, merged with the known ones."""
        new = [(*key, *row) for key, row in told.items() if key not in known]
        changed: list[tuple[Any, ...]] = []
        stamp = (self._now,) if noun.stamped else ()
        merged = dict(told)
        for key in known.keys() & told.keys():
            merged[key] = merge(known[key], told[key])
            if merged[key] != known[key]:
                changed.append((*key, *merged[key], *stamp))
        if new:
            await copy(self._connection, noun.table, (*noun.keys, *noun.row._fields), new)
        if changed:
            await self._connection.execute(noun.change, *columns_of(changed))
        return merged


def _changes_value(before: OrderState | None, after: OrderState) -> bool:
    """Whether what the order's conversions are worth may have changed."""
    if before is None or before.state_at is None:
        return bool(after.refunded or after.cancelled_at or after.deleted_at)
    return (before.refunded, before.total, before.cancelled_at is None, before.deleted_at is None) != (
        after.refunded,
        after.total,
        after.cancelled_at is None,
        after.deleted_at is None,
    )


def _changes_history(before: OrderState, after: OrderState) -> bool:
    """Whether a paid order counts otherwise among its customer's orders than it did. That it was paid is an event of its own."""
    return before.paid_at is not None and before is not after and _as_history(before) != _as_history(after)


def _as_history(order: OrderState) -> tuple[Any, ...]:
    return order.paid_at, order.ordered_at, order.customer_key, order.total, order.currency, order.is_test


async def write_clicks(connection: Connection, new: Iterable[Proposal], fresh: AbstractSet[Key]) -> None:
    """The click ids that events carry, each once per carrier: an order's events all carry the order's. Those of `fresh` orders
    cannot be there yet and go by COPY; that costs Postgres half of adding what is not there."""
    rows: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    others: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for proposal in new:
        event = proposal.event
        if event.clicks:
            order = event.order
            found = rows if order is not None and (proposal.site_id, order.id) in fresh else others
            for click in event.clicks:
                row = _click_row(proposal.site_id, event, click)
                found[row[:5]] = row
    if rows:
        await copy(connection, "app.clicks", CLICK_COLUMNS, rows.values())
    if others:
        await connection.execute(sql.ADD_CLICKS, *columns_of(list(others.values())))


def _click_row(site_id: int, event: CommerceEvent, click: Click) -> tuple[Any, ...]:
    if event.order is not None:
        subject, seen_at = f"order:{event.order.id}", event.order.created_at
    elif event.cart is not None:
        subject, seen_at = f"cart:{event.cart.token}", event.cart.created_at or event.occurred_at
    else:
        subject, seen_at = event.key, event.occurred_at
    consent = None if event.consent is None else _CONSENT.encode(event.consent).decode()
    return seen_at, site_id, click.kind, click.id, subject, click.carrier, click.clicked_at, consent
