"""Refunds, edits, cancellations and withdrawals brought to Google: desired values compared with what was sent, changes written set by set."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.destinations.conversion_rules import ADJUSTABLE
from custom_events.ledger import states
from custom_events.ledger.desired import Append, Change, Desired, LedgerRow, SetValue, Withhold, change
from custom_events.matching.effective import effective
from custom_events.matching.value import compile_rule, value_now
from custom_events.queries import adjustments as queries
from custom_events.queries.uploads import Columns
from custom_events.values.conversions import SAME_TRANSACTION, Lane, UploadKind, UploadState
from custom_events.values.definitions import DefinitionConfig, Overrides, ValueRule
from custom_events.values.events import CommerceEvent, EventType, Refund, from_json

TAKEN_AT_ONCE: Final = 500
# Conversions whose value is the order's: a refund lowers it. Conversions made by a refund itself are not among them.
LOWERED_BY_REFUNDS: Final = frozenset(
    {
        EventType.ORDER_CREATED,
        EventType.ORDER_PAID,
        EventType.ORDER_FULFILLED,
        EventType.SUBSCRIPTION_STARTED,
        EventType.SUBSCRIPTION_RENEWED,
    }
)

OrderKey = tuple[int, str]
Transaction = tuple[int | None, str, str | None]  # ads action, transaction id, currency


def adjust(connection: sa.Connection, now: datetime) -> int:
    """Take orders whose value changed, and custom events that were withdrawn or corrected, and bring their conversions to what is
    right now. The number of orders and events taken.

    One transaction, the caller's: a crash leaves the changes to be taken again, and the rows stay locked against claims.
    """
    taken = 0
    orders = connection.execute(queries.TAKE_CHANGES, {"orders": TAKEN_AT_ONCE}).all()
    if orders:
        taken += len(orders)
        arrays = {"sites": [row.site_id for row in orders], "orders": [row.order_id for row in orders]}
        rows = connection.execute(queries.LEDGER_ROWS, arrays).all()
        origins = connection.execute(queries.ORIGINS, arrays).all()
        _bring(connection, rows, origins, _refunds(connection.execute(queries.REFUNDS, arrays)), now)
    alone = connection.execute(queries.TAKE_STANDING_CHANGES, {"events": TAKEN_AT_ONCE}).all()
    if alone:
        taken += len(alone)
        arrays = {"ids": [row.custom_event_id for row in alone], "occurred_at": [row.occurred_at for row in alone]}
        rows = connection.execute(queries.LEDGER_ROWS_ALONE, arrays).all()
        _bring(connection, rows, connection.execute(queries.ORIGINS_ALONE, arrays).all(), {}, now)
    return taken


def _bring(
    connection: sa.Connection,
    rows: Sequence[sa.Row[Any]],
    origins: Sequence[sa.Row[Any]],
    refunds: Mapping[OrderKey, list[Refund]],
    now: datetime,
) -> None:
    conversions, adjustments = _group(rows)
    known = {row.custom_event_id: _origin(row) for row in origins}
    heirs = _heirs(conversions, known)
    changes: list[tuple[LedgerRow, Change]] = []
    for event_id, (row, found) in conversions.items():
        origin = known.get(event_id)
        if origin is None:
            continue
        if origin.withdrawn is not None and not row.unsent:
            origin = heirs.get(_transaction(found), origin)
        desired = desired_value(origin, refunds.get((found.site_id, found.order_id), ()))
        if desired is None:
            continue
        wanted = change(row, adjustments.get(event_id, ()), desired, Lane(found.lane), now)
        if wanted is not None:
            changes.append((row, wanted))
    _write(connection, changes, now)


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What gave a conversion its value, and how its order stands now."""

    event: CommerceEvent
    rule: ValueRule
    value: Decimal | None  # before refunds, by the rule
    total: Decimal | None  # of the order, as it was edited last
    undone: bool  # cancelled or deleted
    withdrawn: str | None  # why it does not stand


def desired_value(origin: Origin, refunds: Iterable[Refund]) -> Desired | None:
    """What Google should have: the value by the assignment's own rule, after edits and refunds; 0 when the order was undone;
    nothing at all when the custom event does not stand. None: leave it alone."""
    if origin.withdrawn is not None:
        return Desired(None, origin.withdrawn)
    if origin.value is None:
        return None
    if origin.event.type not in LOWERED_BY_REFUNDS or not origin.rule.refunds_lower_it:
        return Desired(origin.value)
    if origin.undone:
        return Desired(Decimal(0))
    rule = compile_rule(origin.rule)
    return Desired(value_now(rule, origin.event, origin.value, origin.total, refunds))


def _heirs(
    conversions: Mapping[int, tuple[LedgerRow, sa.Row[Any]]], origins: Mapping[int, Origin]
) -> Mapping[Transaction, Origin]:
    """What another assignment wants of a transaction, by transaction: of a custom event that stands and whose conversion is withheld
    only because this one has the key. When the one that has it is withdrawn after it was sent, Google keeps the conversion, with
    the other's value: under its key it takes no second one, and of a retracted one nothing more. The first by the store's time."""
    found: dict[Transaction, Origin] = {}
    for event_id, (row, stored) in sorted(conversions.items(), key=lambda one: (one[1][0].conversion_at, one[0])):
        origin = origins.get(event_id)
        stands = origin is not None and origin.withdrawn is None and origin.value is not None
        if origin is not None and stands and row.reason == SAME_TRANSACTION:
            found.setdefault(_transaction(stored), origin)
    return found


def _transaction(row: Any) -> Transaction:
    return row.ads_action_id, row.transaction_id, row.currency


def _group(
    rows: Sequence[sa.Row[Any]],
) -> tuple[dict[int, tuple[LedgerRow, sa.Row[Any]]], dict[int, list[LedgerRow]]]:
    """Conversions and their adjustments by custom event."""
    conversions: dict[int, tuple[LedgerRow, sa.Row[Any]]] = {}
    adjustments: defaultdict[int, list[LedgerRow]] = defaultdict(list)
    for row in sorted(rows, key=lambda found: found.sequence):
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
    found: defaultdict[OrderKey, list[Refund]] = defaultdict(list)
    for row in rows:
        refund = Refund(
            id=row.refund_id,
            order_id=row.order_id,
            amount=row.amount,
            currency=row.currency,
            created_at=row.refunded_at,
        )
        found[row.site_id, row.order_id].append(refund)
    return found


def _origin(row: Any) -> Origin:
    config = effective(
        msgspec.convert(row.config, DefinitionConfig, strict=False),
        msgspec.convert(row.overrides, Overrides, strict=False),
    )
    facts = row.facts if isinstance(row.facts, str | bytes) else msgspec.json.encode(row.facts)
    event = from_json(facts)
    return Origin(
        event=event,
        rule=config.value,
        value=row.value,
        total=row.total if row.currency == event.currency else None,
        undone=row.cancelled_at is not None or row.deleted_at is not None,
        withdrawn=None if row.withdrawn_at is None else row.withdrawn_reason or states.UNMADE,
    )


def _write(connection: sa.Connection, changes: Sequence[tuple[LedgerRow, Change]], now: datetime) -> None:
    values = Columns("created_at", "id", "value", "kind", "adjusted_at")
    withheld = Columns("created_at", "id", "reason", "sentence")
    appended = Columns("created_at", "id", "kind", "value", "sequence", "adjusted_at", "state", "reason", "sentence")
    for conversion, wanted in changes:
        match wanted:
            case SetValue(row, kind, value, adjusted_at):
                values.add(created_at=row.created_at, id=row.id, value=value, kind=kind.value, adjusted_at=adjusted_at)
            case Withhold(row, reason, sentence):
                withheld.add(created_at=row.created_at, id=row.id, reason=reason, sentence=sentence)
            case Append(kind, value, sequence, adjusted_at, reason, sentence):
                state = UploadState.QUEUED if reason is None else UploadState.WITHHELD
                appended.add(
                    created_at=conversion.created_at,
                    id=conversion.id,
                    kind=kind.value,
                    value=value,
                    sequence=sequence,
                    adjusted_at=adjusted_at,
                    state=state.value,
                    reason=reason,
                    sentence=sentence,
                )
    for statement, columns in ((queries.SET_VALUE, values), (queries.WITHHOLD, withheld)):
        if len(columns):
            connection.execute(statement, columns.arrays | {"now": now})
    if len(appended):
        connection.execute(queries.APPEND, appended.arrays | {"now": now, "adjustable": ADJUSTABLE})
