"""The batch's state meets the stored state: look up, merge (`state.py`), write what is new by COPY and what differs in place."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

import msgspec

from custom_events.pipeline import state
from custom_events.pipeline.rows import Connection, columns_of, copy
from custom_events.pipeline.state import CustomerState, OrderState, RefundState, SubscriptionState
from custom_events.pipeline.understanding import Gathered, Key
from custom_events.queries import understanding as sql
from custom_events.values.clicks import Click
from custom_events.values.events import CommerceEvent

Row = TypeVar("Row", bound=tuple[Any, ...])
RefundKey = tuple[int, str, str]

_CONSENT = msgspec.json.Encoder()


class _Noun(NamedTuple):
    """How one noun's state is stored: the look-up returns the keys and then the row, in the order of its columns."""

    table: str
    keys: tuple[str, ...]
    row: Any
    known: str
    change: str


_ORDERS = _Noun("app.orders", ("site_id", "order_id"), OrderState, sql.KNOWN_ORDERS, sql.CHANGE_ORDERS)
_REFUNDS = _Noun(
    "app.order_refunds", ("site_id", "order_id", "refund_id"), RefundState, sql.KNOWN_REFUNDS, sql.CHANGE_REFUNDS
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


async def merge_state(connection: Connection, gathered: Gathered) -> set[Key]:
    """Merge all state of a batch into the tables. Returns the orders whose conversions may need another value now."""
    refunds = await _merge_refunds(connection, gathered.refunds)
    await _merge(connection, _SUBSCRIPTIONS, gathered.subscriptions, state.merge_subscriptions)
    await _merge(connection, _CUSTOMERS, gathered.customers, state.merge_customers)
    return await _merge_orders(connection, gathered.orders, refunds)


async def _merge_refunds(connection: Connection, told: dict[RefundKey, RefundState]) -> dict[Key, Decimal]:
    """Merge the refunds; returns the sum of all refunds of every order that the batch's are about."""
    if not told:
        return {}
    orders = list({(site_id, order_id) for site_id, order_id, _ in told})
    known = await _look_up(connection, _REFUNDS, orders)
    merged = await _write(connection, _REFUNDS, known, told, state.merge_refunds)
    sums: dict[Key, Decimal] = {}
    for (site_id, order_id, _), refund in merged.items():
        sums[site_id, order_id] = sums.get((site_id, order_id), Decimal(0)) + refund.amount
    return sums


async def _merge_orders(connection: Connection, told: dict[Key, OrderState], refunded: dict[Key, Decimal]) -> set[Key]:
    if not told:
        return set()
    for key, amount in refunded.items():
        told[key] = told[key]._replace(refunded=amount)
    known: dict[Key, OrderState] = await _look_up(connection, _ORDERS, list(told))
    await _write(connection, _ORDERS, known, told, state.merge_orders)
    return {key for key, order in told.items() if _changes_value(known.get(key), order)}


def _changes_value(before: OrderState | None, told: OrderState) -> bool:
    """Whether what conversions are worth may have changed by what the batch told of the order."""
    after = told if before is None else state.merge_orders(before, told)
    if before is None or before.state_at is None:
        return bool(after.refunded or after.cancelled_at or after.deleted_at)
    return (before.refunded, before.total, before.cancelled_at is None, before.deleted_at is None) != (
        after.refunded,
        after.total,
        after.cancelled_at is None,
        after.deleted_at is None,
    )


async def _merge(connection: Connection, noun: _Noun, told: dict[Any, Row], merge: Callable[[Row, Row], Row]) -> None:
    if told:
        known = await _look_up(connection, noun, list(told))
        await _write(connection, noun, known, told, merge)


async def _look_up(connection: Connection, noun: _Noun, keys: list[Any]) -> dict[Any, Any]:
    width = len(noun.keys)
    rows = await connection.fetch(noun.known, *columns_of(keys))
    return {tuple(row[:width]): noun.row(*row[width:]) for row in rows}


async def _write(
    connection: Connection, noun: _Noun, known: dict[Any, Row], told: dict[Any, Row], merge: Callable[[Row, Row], Row]
) -> dict[Any, Row]:
    """COPY the new rows, change those that differ. Returns the known rows and the told ones, merged."""
    new = [(*key, *row) for key, row in told.items() if key not in known]
    changed: list[tuple[Any, ...]] = []
    merged = {**known, **told}
    for key in known.keys() & told.keys():
        merged[key] = merge(known[key], told[key])
        if merged[key] != known[key]:
            changed.append((*key, *merged[key]))
    if new:
        await copy(connection, noun.table, (*noun.keys, *noun.row._fields), new)
    if changed:
        await connection.execute(noun.change, *columns_of(changed))
    return merged


async def write_clicks(connection: Connection, events: Iterable[tuple[int, CommerceEvent]]) -> None:
    """The click ids that events carry, each once per carrier: an order's events all carry the order's."""
    rows = {}
    for site_id, event in events:
        for click in event.clicks:
            row = _click_row(site_id, event, click)
            rows[row[:5]] = row
    if rows:
        await connection.execute(sql.ADD_CLICKS, *columns_of(list(rows.values())))


def _click_row(site_id: int, event: CommerceEvent, click: Click) -> tuple[Any, ...]:
    if event.order is not None:
        subject, seen_at = f"order:{event.order.id}", event.order.created_at
    elif event.cart is not None:
        subject, seen_at = f"cart:{event.cart.token}", event.cart.created_at or event.occurred_at
    else:
        subject, seen_at = event.key, event.occurred_at
    consent = None if event.consent is None else _CONSENT.encode(event.consent).decode()
    return seen_at, site_id, click.kind, click.id, subject, click.carrier, click.clicked_at, consent
