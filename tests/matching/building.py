"""Assignments and events for the matching's tests, with as little said as possible."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from custom_events.matching.compiled_rules import CompiledRules
from custom_events.values.clicks import Click, ClickKind
from custom_events.values.definitions import Assignment, DefinitionConfig
from custom_events.values.events import CommerceEvent, Customer, EventType, LineItem, Order

SITE = 1
DAY_0 = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
ACTION = "1234567890/77"


def assignment(number: int = 1, *, site_id: int = SITE, **settings: Any) -> Assignment:
    """A published assignment on every paid order, sent somewhere, with these settings."""
    settings = {"trigger": (EventType.ORDER_PAID,), "ads_action": ACTION} | settings
    return Assignment(
        assignment_id=number,
        site_id=site_id,
        label=f"assignment {number}",
        definition_key="purchase",
        definition_revision_id=100 + number,
        assignment_revision_id=200 + number,
        config=DefinitionConfig(**settings),
    )


def compiled_rules(*assignments: Assignment, zone: str = "UTC") -> CompiledRules:
    return CompiledRules(assignments, {SITE: zone})


def paid(
    order_id: str = "1",
    *,
    total: str | None = "100.00",
    day: float = 0,
    customer: Customer | str | None = "c:1",
    currency: str = "EUR",
    items: tuple[LineItem, ...] = (),
    **more: Any,
) -> CommerceEvent:
    """A paid order with a click, `day` days after the first Monday of March."""
    at = DAY_0 + timedelta(days=day)
    order = Order(
        id=order_id,
        created_at=at,
        updated_at=at,
        currency=currency,
        total=None if total is None else Decimal(total),
        tax=Decimal("15.97"),
        shipping=Decimal("4.90"),
        discount=Decimal("10.00"),
        items=items,
    )
    event = CommerceEvent(
        type=EventType.ORDER_PAID,
        key=f"order.paid:{order_id}",
        occurred_at=at,
        evidence_at=at,
        order=order,
        customer=Customer(key=customer) if isinstance(customer, str) else customer,
        clicks=(Click(kind=ClickKind.GCLID, id="Cj0"),),
    )
    return msgspec.structs.replace(event, **more)
