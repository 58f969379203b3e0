"""Events of one order, made of a template that says all but what happened, and when."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from custom_events.platforms import natural_keys
from custom_events.values.events import CommerceEvent, EventType, Refund


def happened(
    template: CommerceEvent, order_id: str, moments: Mapping[EventType, datetime | None]
) -> list[CommerceEvent]:
    """One event for each transition of the order whose moment is known."""
    return [
        msgspec.structs.replace(template, type=kind, key=natural_keys.of_order(kind, order_id), occurred_at=moment)
        for kind, moment in moments.items()
        if moment is not None
    ]


def refunded(template: CommerceEvent, refund: Refund) -> CommerceEvent:
    """A refund with the order around it: customer, clicks and consent are the order's."""
    return msgspec.structs.replace(
        template,
        type=EventType.ORDER_REFUNDED,
        key=natural_keys.of_refund(refund.order_id, refund.id),
        occurred_at=refund.created_at or template.evidence_at,
        refund=refund,
    )
