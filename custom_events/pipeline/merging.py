"""The batch's state meets the stored state: look up, merge (`state.py`), write what is new by COPY and what differs in place."""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

import asyncpg
import msgspec

from custom_events.pipeline import state
from custom_events.pipeline.bulk_rows import Connection, columns_of, copy
from custom_events.pipeline.restatements import Restatements, StoredOrders
from custom_events.pipeline.state import CustomerState, OrderState, RefundState, SubscriptionState
from custom_events.pipeline.understanding import BatchState, CandidateEvent, Key
from custom_events.queries import understanding as sql
from custom_events.values.clicks import Click
from custom_events.values.events import CommerceEvent

Row = TypeVar("Row", bound=tuple[Any, ...])
RefundKey = tuple[int, str, str]

CLICK_COLUMNS = ("seen_at", "site_id", "kind", "click_id", "subject", "carrier", "clicked_at", "consent")
_CONSENT = msgspec.json.Encoder()


class _Noun(NamedTuple):
    """How one noun's state is stored: the look-up returns the keys and then the row, in the order of its columns. `stamped`:
    the row has an `updated_at`, which a change sets. Orders are looked up and changed by ways of their own."""

    table: str
    keys: tuple[str, ...]
    row: Any
    known: str
    change: str
    stamped: bool = True


_ORDERS = ("app.orders", ("site_id", "order_id", *OrderState._fields))
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
    """Merges a batch's state into the tables, within the transaction that is open; `now` stamps what changes. Make with `load`,
    after which `new_orders` has the orders that nobody had told of before, and `new_customers` the customers. After `merge`, `orders` has
    the batch's orders as they are, `before` those that were known as they were, `subscriptions` and
    `subscriptions_before` the same of subscriptions, `refunds` the refunds of those whose refunds the
    batch may change, `recounted` the orders of which a known refund counts now and did not, or the other way round, and `corrected`
    the orders, as they were, that count otherwise now among what their customers had bought."""

    def __init__(
        self, connection: Connection, batch_state: BatchState, now: datetime, restatements: Restatements | None = None
    ) -> None:
        self._connection, self._batch_state, self._now, self._restatements = connection, batch_state, now, restatements
        self._customers_before: dict[Key, CustomerState] = {}
        self.before: dict[Key, OrderState] = {}
        self.orders: dict[Key, OrderState] = {}
        self.refunds: dict[RefundKey, RefundState] = {}
        self.subscriptions_before: dict[Key, SubscriptionState] = {}
        self.subscriptions: dict[Key, SubscriptionState] = {}
        self.recounted: set[Key] = set()
        self.new_orders: AbstractSet[Key] = set()
        self.new_customers: AbstractSet[Key] = set()
        self.corrected: dict[Key, OrderState] = {}

    def answers_before(self, key: Key) -> tuple[str | None, str | None]:
        """What the order's bodies before this batch said of consent (ad_user_data, ad_personalization)."""
        order = self.before.get(key)
        return state.NOBODY_SAID if order is None else (order.ad_user_data, order.ad_personalization)

    @classmethod
    async def load(
        cls, connection: Connection, batch_state: BatchState, now: datetime, restatements: Restatements | None = None
    ) -> "Merger":
        """Look up the orders and customers of the batch. Nothing is written yet: what is new tells later steps what they need not
        ask for. `restatements`: the batch's deliveries that say nothing new, with the orders that were looked up for them."""
        merger = cls(connection, batch_state, now, restatements)
        orders = StoredOrders(connection) if restatements is None else restatements.orders
        merger.before = await orders.of(batch_state.orders)
        merger._customers_before = await merger._known(_CUSTOMERS, list(batch_state.customers))
        merger.new_orders = batch_state.orders.keys() - merger.before.keys()
        merger.new_customers = batch_state.customers.keys() - merger._customers_before.keys()
        return merger

    async def merge(self, paid: AbstractSet[Key] = frozenset()) -> set[Key]:
        """Merge all of it. Returns the orders whose conversions may need another value now. `paid`: orders whose payment is an event
        that is stored already."""
        batch = self._batch_state
        self.subscriptions_before = await self._known(_SUBSCRIPTIONS, list(batch.subscriptions))
        self.subscriptions = _merged(self.subscriptions_before, batch.subscriptions, state.merge_subscriptions)
        await self._write(_SUBSCRIPTIONS, self.subscriptions_before, self.subscriptions)
        customers = _merged(self._customers_before, batch.customers, state.merge_customers)
        await self._write(_CUSTOMERS, self._customers_before, customers)
        self.orders = _merged(self.before, batch.orders, state.merge_orders)
        touched = await self._refunds()
        await self._write_orders()
        for key, before in self.before.items():
            after = self.orders[key]
            if _changes_history(before, after, key in paid):
                self.corrected[key] = before
        return touched | {key for key, order in self.orders.items() if _changes_value(self.before.get(key), order)}

    async def _refunds(self) -> set[Key]:
        """Merge the refunds that the batch tells of, and say of every order how much was given back. Returns the orders of which
        another amount counts, or the same amount of other items."""
        refunds, orders = self._batch_state.refunds, self.orders
        # Refunds of an order that had none that counts begin to count only when a body shows them; their events are judged again.
        asked = {key for key, order in self.before.items() if order.refunded or order.has_undone}
        asked |= {(site_id, order_id) for site_id, order_id, _ in refunds if (site_id, order_id) in self.before}
        known: dict[RefundKey, RefundState] = await self._known(_REFUNDS, list(asked))
        merged = _merged(known, refunds, state.merge_refunds)
        await self._write(_REFUNDS, known, merged)
        self.refunds = {**known, **merged}
        of_orders: dict[Key, list[RefundState]] = {}
        touched: set[Key] = set()
        for place, refund in self.refunds.items():
            key = place[0], place[1]
            of_orders.setdefault(key, []).append(refund)
            was = _counted(known.get(place), self.before.get(key))
            now = _counted(refund, orders[key])
            if was != now:
                touched.add(key)
                if place in known and (was is None) != (now is None):
                    self.recounted.add(key)
        for key, order in orders.items():
            if order.refunded or order.status == state.REFUNDED or key in of_orders:
                orders[key] = order._replace(refunded=state.given_back(order, of_orders.get(key, ())))
        return touched

    async def _known(self, noun: _Noun, keys: list[Any]) -> dict[Any, Any]:
        if not keys:
            return {}
        width = len(noun.keys)
        rows = await self._connection.fetch(noun.known, *columns_of(keys))
        return {tuple(row[:width]): noun.row(*row[width:]) for row in rows}

    async def _write(self, noun: _Noun, known: dict[Any, Row], merged: dict[Any, Row]) -> None:
        """COPY the new rows, replace those that differ."""
        new = [(*key, *row) for key, row in merged.items() if key not in known]
        stamp = (self._now,) if noun.stamped else ()
        changed = {key for key in known.keys() & merged.keys() if merged[key] != known[key]}
        if new:
            await copy(self._connection, noun.table, (*noun.keys, *noun.row._fields), new)
        await self._replace(noun.change, [(*key, *merged[key], *stamp) for key in changed])

    async def _write_orders(self) -> None:
        """Write new and changed orders; where clocks alone changed, these alone, also for restatements."""
        known, merged = self.before, self.orders
        new = [(*key, *order) for key, order in merged.items() if key not in known]
        changed = {key for key, order in known.items() if merged[key] != order}
        if new:
            await copy(self._connection, *_ORDERS, new)
        moved = {key for key in changed if state.beyond_clocks(merged[key]) == state.beyond_clocks(known[key])}
        rows = [self._row(key, state.clocks_of(merged[key]), self._digest_of(key)) for key in moved]
        if self._restatements is not None:
            rows += [self._row(*moved) for moved in self._restatements.moved_clocks()]
        await self._replace(sql.MOVE_ORDERS, rows)
        rows = [self._row(key, merged[key], self._digest_of(key)) for key in changed - moved]
        await self._replace(sql.CHANGE_ORDERS, rows)

    def _digest_of(self, key: Key) -> bytes | None:
        return None if self._restatements is None else self._restatements.digest_of(key, self.orders[key])

    def _row(self, key: Key, values: tuple[Any, ...], digest: bytes | None) -> tuple[Any, ...]:
        return *key, *values, None if digest is None else f"\\x{digest.hex()}", self._now

    async def _replace(self, statement: str, rows: list[Any]) -> None:
        """Change rows that were looked up. Raises SerializationError, upon which the batch is tried once more, where one is not there as it was:
        retention, which holds no shard, takes customers out of orders."""
        if rows:
            done = await self._connection.execute(statement, *columns_of(rows))
            if int(done.rpartition(" ")[2]) != len(rows):
                raise asyncpg.SerializationError("A row was changed by somebody else since it was looked up")


def _merged(known: dict[Any, Row], rows: dict[Any, Row], merge: Callable[[Row, Row], Row]) -> dict[Any, Row]:
    """What the batch says, merged with what is known of the same."""
    merged = dict(rows)
    for key in known.keys() & rows.keys():
        merged[key] = merge(known[key], rows[key])
    return merged


def _counted(refund: RefundState | None, order: OrderState | None) -> tuple[Any, ...] | None:
    """What a refund takes from its order's value; None: nothing."""
    if refund is None or order is None or not state.counts(refund, order.refunds_listed_at):
        return None
    return refund.amount, refund.currency, refund.items


def _changes_value(before: OrderState | None, after: OrderState) -> bool:
    """Whether what the order's conversions are worth may have changed."""
    if before is None or before.state_at is None:
        return is_worth_less(after)
    return _worth(before) != _worth(after)


def is_worth_less(order: OrderState) -> bool:
    """Whether something of the order was given back, edited away or undone."""
    current = order.current_total
    return bool(
        order.refunded
        or order.cancelled_at
        or order.gone_at
        or order.payment_lost_at
        or (current is not None and current != order.total)
    )


def _worth(order: OrderState) -> tuple[Any, ...]:
    undone = order.cancelled_at is None, order.gone_at is None, order.payment_lost_at is None
    return order.refunded, order.total, order.current_total, *undone


def _changes_history(before: OrderState, after: OrderState, is_known_payment: bool) -> bool:
    """Whether an order counts otherwise among its customer's orders than it did. That it was paid is an event of its own, unless
    that event is stored and the payment had been undone."""
    return (before.paid_at is not None or is_known_payment) and _as_history(before) != _as_history(after)


def _as_history(order: OrderState) -> tuple[Any, ...]:
    return order.paid_at, order.ordered_at, order.customer_key, order.total, order.currency, order.is_test


async def write_clicks(connection: Connection, new: Iterable[CandidateEvent], new_orders: AbstractSet[Key]) -> None:
    """The click ids that events carry, each once per carrier: an order's events all carry the order's. Those of `new_orders`
    cannot be there yet and go by COPY; that costs Postgres half of adding what is not there."""
    rows: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    others: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for candidate in new:
        event = candidate.event
        if event.clicks:
            order = event.order
            group = rows if order is not None and (candidate.site_id, order.id) in new_orders else others
            for click in event.clicks:
                row = _click_row(candidate.site_id, event, click)
                group[row[:5]] = row
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
