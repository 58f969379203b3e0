"""The definitions that every installation has and nobody can delete. Assignments override them as needed."""

from decimal import Decimal

import msgspec

from custom_events.values.definitions import Dedup, DedupPer, DefinitionConfig, ValueRule, ValueSource
from custom_events.values.events import EventType


class SystemDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A definition that is seeded. `key` is stable."""

    key: str
    name: str
    description: str
    config: DefinitionConfig


# A starting point in any currency: most shops' orders are well below it. Override it per site, with a currency.
HIGH_VALUE_FROM = Decimal(500)

_PER_CUSTOMER = Dedup(per=DedupPer.CUSTOMER)
_PER_PERIOD = Dedup(per=DedupPer.SUBSCRIPTION_PERIOD)
_PER_EVENT = Dedup(per=DedupPer.EVENT)
_NO_VALUE = ValueRule(source=ValueSource.NONE)
_PAID = (EventType.ORDER_PAID,)

_DEFINITIONS = (
    SystemDefinition(
        key="purchase",
        name="Purchase",
        description="Every paid order, once, with its total.",
        config=DefinitionConfig(trigger=_PAID),
    ),
    SystemDefinition(
        key="first_purchase",
        name="First purchase",
        description="A customer's first paid order at the store. Orders of nobody known do not count.",
        config=DefinitionConfig(
            trigger=_PAID, conditions={"field": "customer.orders_before", "op": "=", "value": 0}, dedup=_PER_CUSTOMER
        ),
    ),
    SystemDefinition(
        key="repeat_purchase",
        name="Repeat purchase",
        description="A paid order of a customer who has ordered before.",
        config=DefinitionConfig(trigger=_PAID, conditions={"field": "customer.orders_before", "op": ">=", "value": 1}),
    ),
    SystemDefinition(
        key="high_value_order",
        name="High-value order",
        description=f"A paid order of at least {HIGH_VALUE_FROM} in its own currency; override the amount per site.",
        config=DefinitionConfig(
            trigger=_PAID, conditions={"field": "order.total", "op": ">=", "value": str(HIGH_VALUE_FROM)}
        ),
    ),
    SystemDefinition(
        key="subscription_start",
        name="Subscription start",
        description="A subscription was started; the value is its first order's or its own amount.",
        config=DefinitionConfig(trigger=(EventType.SUBSCRIPTION_STARTED,), dedup=_PER_EVENT),
    ),
    SystemDefinition(
        key="subscription_renewal",
        name="Subscription renewal",
        description="A further period of a subscription was paid; once for each period.",
        config=DefinitionConfig(trigger=(EventType.SUBSCRIPTION_RENEWED,), dedup=_PER_PERIOD),
    ),
    SystemDefinition(
        key="subscription_cancel",
        name="Subscription cancelled",
        description="A subscription was cancelled. Without value.",
        config=DefinitionConfig(trigger=(EventType.SUBSCRIPTION_CANCELLED,), dedup=_PER_EVENT, value=_NO_VALUE),
    ),
    SystemDefinition(
        key="checkout_start",
        name="Checkout started",
        description="A checkout was begun; the value is the cart's total.",
        config=DefinitionConfig(trigger=(EventType.CHECKOUT_STARTED,), dedup=_PER_EVENT),
    ),
    SystemDefinition(
        key="add_to_cart",
        name="Added to cart",
        description="Something was put into a cart. Without value, since carts often come without currency.",
        config=DefinitionConfig(trigger=(EventType.CART_ITEM_ADDED,), dedup=_PER_EVENT, value=_NO_VALUE),
    ),
    SystemDefinition(
        key="customer_signup",
        name="Customer signed up",
        description="An account was made; once for each customer. Without value.",
        config=DefinitionConfig(trigger=(EventType.CUSTOMER_CREATED,), dedup=_PER_CUSTOMER, value=_NO_VALUE),
    ),
    SystemDefinition(
        key="refund",
        name="Refund",
        description="Money was given back, with the refund's amount. It is recorded; what it does to conversions already sent "
        "follows from their own value rules.",
        config=DefinitionConfig(
            trigger=(EventType.ORDER_REFUNDED,),
            dedup=_PER_EVENT,
            value=ValueRule(source=ValueSource.FIELD, field="refund.amount", refunds_lower_it=False),
        ),
    ),
)  # fmt: skip

SYSTEM_DEFINITIONS: dict[str, SystemDefinition] = {definition.key: definition for definition in _DEFINITIONS}
