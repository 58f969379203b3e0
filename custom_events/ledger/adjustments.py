"""Refunds and cancellations brought to Google: desired values compared with what was sent, changes written set by set."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.destinations.conversion_rules import ADJUSTABLE
from custom_events.ledger.desired import Append, Change, LedgerRow, SetValue, Withhold, change
from custom_events.matching.effective import effective
from custom_events.matching.value import compile_rule, value_after_refunds
from custom_events.queries import adjustments as queries
from custom_events.queries.uploads import Columns
from custom_events.values.conversions import Lane, UploadKind, UploadState
from custom_events.values.definitions import DefinitionConfig, Overrides, ValueRule
from custom_events.values.events import CommerceEvent, EventType, Refund, from_json

ORDERS_AT_ONCE: Final = 500
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


def adjust(connection: sa.Connection, now: datetime) -> int:
    """Take orders whose value changed and bring their conversions to it. The number of orders taken.

    One transaction, the caller's: a crash leaves the changes to be taken again, and the rows stay locked against claims.
    """
    taken: list[OrderKey] = [
        (row.site_id, row.order_id) for row in connection.execute(queries.TAKE_CHANGES, {"orders": ORDERS_AT_ONCE})
    ]
    if not taken:
        return 0
    arrays = {"sites": [site for site, _ in taken], "orders": [order for _, order in taken]}
    rows = connection.execute(queries.LEDGER_ROWS, arrays).all()
    refunds = _refunds(connection.execute(queries.REFUNDS, arrays))
    conversions, adjustments = _group(rows)
    origins = _origins(connection, conversions.values())
    changes: list[tuple[LedgerRow, Change]] = []
    for event_id, (row, found) in conversions.items():
        origin = origins.get(event_id)
        if origin is None:
            continue
        desired = desired_value(origin, refunds.get((found.site_id, found.order_id), ()))
        if desired is None:
            continue
        wanted = change(row, adjustments.get(event_id, ()), desired, Lane(found.lane), now)
        if wanted is not None:
            changes.append((row, wanted))
    _write(connection, changes, now)
    return len(taken)


class Origin(msgspec.Struct, frozen=True):
    """What gave a conversion its value, and whether the order still stands."""

    event: CommerceEvent
    rule: ValueRule
    undone: bool  # cancelled, or unmade by an event that came late


def desired_value(origin: Origin, refunds: Iterable[Refund]) -> Decimal | None:
    """The value by the assignment's own rule, after refunds; 0 when the order no longer stands. None: leave it alone."""
    if origin.event.type not in LOWERED_BY_REFUNDS or not origin.rule.refunds_lower_it:
        return None
    full = value_after_refunds(compile_rule(origin.rule), origin.event, refunds)
    return Decimal(0) if origin.undone and full is not None else full


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


def _origins(connection: sa.Connection, conversions: Iterable[tuple[LedgerRow, sa.Row[Any]]]) -> dict[int, Origin]:
    found = list(conversions)
    arrays = {
        "occurred_at": [row.conversion_at for row, _ in found],
        "id": [source.custom_event_id for _, source in found],
    }
    return {row.custom_event_id: _origin(row) for row in connection.execute(queries.ORIGINS, arrays)}


def _origin(row: Any) -> Origin:
    config = effective(
        msgspec.convert(row.config, DefinitionConfig, strict=False),
        msgspec.convert(row.overrides, Overrides, strict=False),
    )
    facts = row.facts if isinstance(row.facts, str | bytes) else msgspec.json.encode(row.facts)
    return Origin(from_json(facts), config.value, row.cancelled_at is not None or row.withdrawn_at is not None)


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
