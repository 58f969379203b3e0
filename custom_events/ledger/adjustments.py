"""Refunds, edits, cancellations, lost payments and withdrawals brought to Google, and what undoes them: desired values compared with
what was sent, changes written set by set."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.destinations.conversion_rules import ADJUSTABLE, OLDEST_CLICK
from custom_events.ledger.desired import (
    Append,
    Change,
    Desired,
    LedgerRow,
    Place,
    Release,
    SetValue,
    Withhold,
    changes,
    uncounted,
)
from custom_events.ledger.order_worth import LOWERED_BY_REFUNDS, follows_order, not_counted, worth_now
from custom_events.ledger.undoing import RETRACT, OrderNow, Waits, undone_value, wait_of_unpaid
from custom_events.matching.effective import effective
from custom_events.queries import adjustments as queries
from custom_events.queries.uploads import Columns
from custom_events.settings import Settings
from custom_events.settings import settings as process_settings
from custom_events.values import reasons
from custom_events.values.conversions import Lane, UploadKind, UploadState
from custom_events.values.definitions import DefinitionConfig, Overrides, ValueRule
from custom_events.values.events import CommerceEvent, LineItem, Refund, from_json
from custom_events.values.reasons import SAME_TRANSACTION, Reason

TAKEN_AT_ONCE: Final = 500
_ITEMS: Final = msgspec.json.Decoder(tuple[LineItem, ...])

OrderKey = tuple[int, str]
Transaction = tuple[int | None, str, str | None]  # ads action, transaction id, currency


def adjust(connection: sa.Connection, now: datetime, settings: Settings | None = None) -> int:
    """Take orders whose value changed, and custom events that were withdrawn or corrected, and bring their conversions to what is
    right now. The number of orders and events taken. `settings`: those of the process, unless given.

    One transaction, the caller's: a crash leaves the changes to be taken again, and the rows stay locked against claims.
    """
    taken, waits = 0, Waits.of(settings or process_settings())
    orders = connection.execute(queries.TAKE_CHANGES, {"orders": TAKEN_AT_ONCE}).all()
    if orders:
        taken += len(orders)
        arrays = {"sites": [row.site_id for row in orders], "orders": [row.order_id for row in orders]}
        connection.execute(queries.LOCK_LEDGER_ROWS, arrays)
        rows = connection.execute(queries.LEDGER_ROWS, arrays).all()
        origins = connection.execute(queries.ORIGINS, arrays).all()
        _bring(connection, rows, origins, _refunds(connection.execute(queries.REFUNDS, arrays)), waits, now)
    alone = connection.execute(queries.TAKE_WITHDRAWN_WITHOUT_ORDER, {"events": TAKEN_AT_ONCE}).all()
    if alone:
        taken += len(alone)
        arrays = {"ids": [row.custom_event_id for row in alone], "occurred_at": [row.occurred_at for row in alone]}
        connection.execute(queries.LOCK_LEDGER_ROWS_ALONE, arrays)
        rows = connection.execute(queries.LEDGER_ROWS_ALONE, arrays).all()
        _bring(connection, rows, connection.execute(queries.ORIGINS_ALONE, arrays).all(), {}, waits, now)
    return taken


def _bring(
    connection: sa.Connection,
    rows: Sequence[sa.Row[Any]],
    origins: Sequence[sa.Row[Any]],
    refunds: Mapping[OrderKey, list[Refund]],
    waits: Waits,
    now: datetime,
) -> None:
    conversions, adjustments = _group(rows)
    known = {row.custom_event_id: _origin(row) for row in origins}
    successors = _successors(conversions, known)
    found_changes: list[tuple[LedgerRow, Change]] = []
    for event_id, (row, conversion) in conversions.items():
        origin = known.get(event_id)
        if origin is None:
            continue
        if origin.withdrawn is not None and not row.unsent:
            origin = successors.get(_transaction(conversion), origin)
        given_back, own = refunds.get((conversion.site_id, conversion.order_id), ()), adjustments.get(event_id, ())
        desired = desired_value(origin, given_back, waits, now)
        if desired is not None:
            wanted = changes(row, own, desired, Lane(conversion.lane), now)
            if origin.withdrawn is None and follows_order(origin.event, origin.rule):
                wanted += uncounted(row, own, wanted, not_counted(origin.event, origin.currency, given_back), now)
            found_changes += [(row, change) for change in wanted]
    _write(connection, found_changes, now)


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What gave a conversion its value, and how its order stands now."""

    event: CommerceEvent
    rule: ValueRule
    value: Decimal | None  # before refunds, by the rule
    withdrawn: str | None  # why it does not stand
    order: OrderNow
    currency: str | None = None  # of the order by now


def desired_value(origin: Origin, refunds: Sequence[Refund], waits: Waits, now: datetime) -> Desired | None:
    """What Google should have: the value by the assignment's own rule, after edits and refunds; 0 when the order was undone; nothing
    at all when the custom event does not stand. None: leave it alone."""
    if origin.withdrawn is not None:
        was_unpaid = origin.event.type in LOWERED_BY_REFUNDS and origin.withdrawn == Reason.TAKEN_BACK
        return Desired(None, origin.withdrawn, wait_of_unpaid(origin.order, waits, now) if was_unpaid else None)
    if origin.value is None:
        return None
    if not follows_order(origin.event, origin.rule):
        return Desired(origin.value)
    order = origin.order
    worth = worth_now(origin.event, origin.rule, origin.value, order, refunds)
    return undone_value(order, worth, waits, now)._replace(whole=origin.value)


def _successors(
    conversions: Mapping[int, tuple[LedgerRow, sa.Row[Any]]], origins: Mapping[int, Origin]
) -> Mapping[Transaction, Origin]:
    """What another assignment wants of a transaction, by transaction: of a custom event that stands and whose conversion is withheld
    only because this one has the key. When the one that has it is withdrawn after it was sent, Google keeps the conversion, with
    the other's value: under its key it takes no second one, and of a retracted one nothing more. The first by the store's time."""
    by_transaction: dict[Transaction, Origin] = {}
    for event_id, (row, stored) in sorted(
        conversions.items(), key=lambda conversion: (conversion[1][0].conversion_at, conversion[0])
    ):
        origin = origins.get(event_id)
        stands = origin is not None and origin.withdrawn is None and origin.value is not None
        if origin is not None and stands and row.reason == SAME_TRANSACTION:
            by_transaction.setdefault(_transaction(stored), origin)
    return by_transaction


def _transaction(row: Any) -> Transaction:
    return row.ads_action_id, row.transaction_id, row.currency


def _group(
    rows: Sequence[sa.Row[Any]],
) -> tuple[dict[int, tuple[LedgerRow, sa.Row[Any]]], dict[int, list[LedgerRow]]]:
    """Conversions and their adjustments by custom event."""
    conversions: dict[int, tuple[LedgerRow, sa.Row[Any]]] = {}
    adjustments: defaultdict[int, list[LedgerRow]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.sequence):
        ledger_row = _ledger_row(row)
        if ledger_row.kind is UploadKind.CONVERSION:
            conversions[row.custom_event_id] = (ledger_row, row)
        else:
            adjustments[row.custom_event_id].append(ledger_row)
    return conversions, adjustments


def _ledger_row(row: Any) -> LedgerRow:
    return LedgerRow(
        created_at=row.created_at,
        id=row.id,
        kind=UploadKind(row.kind),
        sequence=row.sequence,
        state=UploadState(row.state),
        reason=row.reason,
        attempts=row.attempts,
        value=row.value,
        conversion_at=row.conversion_at,
        adjusted_at=row.adjusted_at,
    )


def _refunds(rows: Iterable[Any]) -> Mapping[OrderKey, list[Refund]]:
    refunds: defaultdict[OrderKey, list[Refund]] = defaultdict(list)
    for row in rows:
        refund = Refund(
            id=row.refund_id,
            order_id=row.order_id,
            amount=row.amount,
            currency=row.currency,
            created_at=row.refunded_at,
            items=() if row.items is None else _ITEMS.decode(_json(row.items)),
            shipping=row.shipping,
        )
        refunds[row.site_id, row.order_id].append(refund)
    return refunds


def _origin(row: Any) -> Origin:
    config = effective(
        msgspec.convert(row.config, DefinitionConfig, strict=False),
        msgspec.convert(row.overrides, Overrides, strict=False),
    )
    event = from_json(_json(row.facts))
    is_same = row.currency == event.order_currency
    order = OrderNow(
        total=row.total if is_same else None,
        current_total=row.current_total if is_same else None,
        refunded=row.refunded or Decimal(0),
        state_at=row.state_at,
        cancelled_at=row.cancelled_at,
        gone_at=row.gone_at,
        payment_lost_at=row.payment_lost_at,
        payment_lost=row.payment_lost or RETRACT,
    )
    withdrawn = None if row.withdrawn_at is None else row.withdrawn_reason or reasons.INVALIDATED
    return Origin(
        event=event, rule=config.value, value=row.value, withdrawn=withdrawn, order=order, currency=row.currency
    )


def _json(value: Any) -> str | bytes:
    """A column of JSON as text, whatever the driver made of it."""
    return value if isinstance(value, str | bytes) else msgspec.json.encode(value)


def _write(connection: sa.Connection, changes: Sequence[tuple[LedgerRow, Change]], now: datetime) -> None:
    values = Columns("created_at", "id", "value", "kind", "adjusted_at")
    withheld = Columns("created_at", "id", "reason", "sentence")
    released = Columns("created_at", "id", "value")
    held = Columns("created_at", "id", "reason", "sentence", "until")
    going_on = Columns("created_at", "id")
    appended = Columns(
        "created_at", "id", "kind", "value", "sequence", "adjusted_at", "state", "reason", "sentence", "until"
    )
    for conversion, change in changes:
        match change:
            case SetValue(row, kind, value, adjusted_at):
                values.add(created_at=row.created_at, id=row.id, value=value, kind=kind.value, adjusted_at=adjusted_at)
            case Withhold(row, reason, sentence):
                withheld.add(created_at=row.created_at, id=row.id, reason=reason, sentence=sentence)
            case Release(row, value, hold):
                released.add(created_at=row.created_at, id=row.id, value=value)
                if hold is not None:
                    held.add(created_at=row.created_at, id=row.id, **hold._asdict())
            case Place(row, hold):
                if hold is None:
                    going_on.add(created_at=row.created_at, id=row.id)
                else:
                    held.add(created_at=row.created_at, id=row.id, **hold._asdict())
            case Append():
                appended.add(created_at=conversion.created_at, id=conversion.id, **_appended(change))
    writes = (
        (queries.WITHHOLD, withheld),
        (queries.RELEASE, released),
        (queries.SET_VALUE, values),
        (queries.HOLD, held),
        (queries.GO_ON, going_on),
    )
    common = {"now": now, "own": list(reasons.OWN_HOLDS)}
    for statement, columns in writes:
        if len(columns):
            connection.execute(statement, columns.arrays | common)
    if len(appended):
        limits = {"now": now, "adjustable": ADJUSTABLE, "oldest_click": OLDEST_CLICK}
        connection.execute(queries.APPEND, appended.arrays | limits)


def _appended(row: Append) -> dict[str, Any]:
    """An adjustment's own columns: withheld from the start, held, or queued."""
    state = UploadState.QUEUED if row.reason is None else UploadState.WITHHELD
    reason, sentence = row.reason, row.sentence
    if row.hold is not None:
        state, reason, sentence = UploadState.HELD, row.hold.reason, row.hold.sentence
    return {
        "kind": row.kind.value,
        "value": row.value,
        "sequence": row.sequence,
        "adjusted_at": row.adjusted_at,
        "state": state.value,
        "reason": reason,
        "sentence": sentence,
        "until": None if row.hold is None else row.hold.until,
    }
