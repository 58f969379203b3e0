"""The parts of a custom sender's body as our values."""

from datetime import datetime
from typing import Any

import msgspec

from custom_events.errors import NotUnderstood
from custom_events.platforms import people
from custom_events.platforms.attributes import MAX_ENTRIES, MAX_NAME_CHARS, flattened
from custom_events.platforms.attribution import MAX_UTM_CHARS, moment_of
from custom_events.platforms.click_ids import click_value
from custom_events.platforms.consent import consent_from
from custom_events.platforms.custom import bodies
from custom_events.platforms.parse import (
    WRONG_SHAPE,
    amount,
    country_code,
    currency_code,
    optional_amount,
    optional_id,
    optional_utc,
    order_total,
    required_id,
    text,
    utc,
    whole_quantity,
    wrong_shape,
)
from custom_events.values.clicks import Click, ClickKind, Consent
from custom_events.values.deliveries import SiteContext
from custom_events.values.events import Cart, Customer, EventType, LineItem, Order, Refund, Subscription

MAX_PROPERTY_BYTES = 4_096  # of one value, as JSON
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def line_item(item: bodies.Item) -> LineItem:
    """One line; without a total it is price times quantity."""
    quantity = whole_quantity(item.quantity, "$.items[].quantity")
    price = optional_amount(item.price, "$.items[].price")
    total = optional_amount(item.total, "$.items[].total")
    return LineItem(
        product_id=optional_id(item.product_id),
        variant_id=optional_id(item.variant_id),
        sku=text(item.sku),
        title=text(item.title),
        vendor=text(item.vendor),
        product_type=text(item.product_type),
        quantity=quantity,
        price=price,
        total=price * quantity if total is None and price is not None else total,
        discount=optional_amount(item.discount, "$.items[].discount"),
        tax=optional_amount(item.tax, "$.items[].tax"),
        categories=tuple(item.categories),
        properties=flattened(item.properties.items()),
    )


def order_of(body: bodies.Order, kind: EventType, occurred_at: datetime, refunded: Refund | None) -> Order:
    """The order. `created_at` and `updated_at` default to the event's time, so do `paid_at` and `cancelled_at` of the events that
    prove them."""
    paid_at = _moment(body.paid_at, occurred_at if kind is EventType.ORDER_PAID else None)
    cancelled_at = _moment(body.cancelled_at, occurred_at if kind is EventType.ORDER_CANCELLED else None)
    return Order(
        id=required_id(body.id, "$.order.id"),
        number=optional_id(body.number),
        created_at=utc(body.created_at or occurred_at),
        updated_at=utc(body.updated_at or occurred_at),
        paid_at=paid_at,
        cancelled_at=cancelled_at,
        payment_known=paid_at is not None or (body.paid_at is None and kind is not EventType.SUBSCRIPTION_RENEWED),
        cancellation_known=cancelled_at is not None or body.cancelled_at is None,
        currency=_currency(body.currency, "$.order.currency"),
        total=order_total(body.total, "$.order.total"),
        subtotal=optional_amount(body.subtotal, "$.order.subtotal"),
        current_total=None if body.current_total is None else order_total(body.current_total, "$.order.current_total"),
        tax=optional_amount(body.tax, "$.order.tax"),
        shipping=optional_amount(body.shipping, "$.order.shipping"),
        shipping_tax=optional_amount(body.shipping_tax, "$.order.shipping_tax"),
        discount=optional_amount(body.discount, "$.order.discount"),
        discount_tax=optional_amount(body.discount_tax, "$.order.discount_tax"),
        shipping_discount=optional_amount(body.shipping_discount, "$.order.shipping_discount"),
        taxes_included=body.taxes_included,
        gift_card=optional_amount(body.gift_card, "$.order.gift_card"),
        tip=optional_amount(body.tip, "$.order.tip"),
        paid_amount=optional_amount(body.paid_amount, "$.order.paid_amount"),
        status=text(body.status),
        financial_status=text(body.financial_status),
        fulfillment_status=text(body.fulfillment_status),
        cancel_reason=text(body.cancel_reason),
        items=tuple([line_item(item) for item in body.items]),
        discount_codes=tuple(body.discount_codes),
        payment_methods=tuple(body.payment_methods),
        shipping_methods=tuple(body.shipping_methods),
        billing_country=country_code(body.billing_country),
        billing_postcode=text(body.billing_postcode),
        shipping_country=country_code(body.shipping_country),
        shipping_postcode=text(body.shipping_postcode),
        tags=tuple(body.tags),
        source_name=text(body.source_name),
        landing_site=text(body.landing_site),
        referring_site=text(body.referring_site),
        cart_token=optional_id(body.cart_token),  # as the cart's own
        checkout_token=optional_id(body.checkout_token),
        refunded=refunded.amount if refunded else None,
        parent_id=optional_id(body.parent_id),
        is_exchange=body.is_exchange,
    )


def _moment(sent: datetime | msgspec.UnsetType | None, proven: datetime | None) -> datetime | None:
    """A moment that a body names, else the one that its type proves."""
    named = None if sent is msgspec.UNSET else sent
    return optional_utc(named or proven)


def refund_of(body: bodies.Body, occurred_at: datetime) -> Refund | None:
    """The refund; its order and currency may be said by the order beside it. Without either its currency is the order's, whatever
    that is."""
    if body.refund is None:
        return None
    order_id = optional_id(body.refund.order_id) or (optional_id(body.order.id) if body.order else None)
    currency = body.refund.currency or (body.order.currency if body.order else None)
    return Refund(
        id=required_id(body.refund.id, "$.refund.id"),
        order_id=required_id(order_id, "$.refund.order_id"),
        amount=abs(amount(body.refund.amount, "$.refund.amount")),
        currency=_currency(currency, "$.refund.currency"),
        reason=text(body.refund.reason),
        items=tuple([line_item(item) for item in body.refund.items]),
        shipping=optional_amount(body.refund.shipping, "$.refund.shipping"),
        created_at=utc(occurred_at),
        seen_at=utc(occurred_at),
        is_pending=body.refund.is_pending,
        has_failed=not body.refund.amount,
    )


def subscription_of(body: bodies.Body, site: SiteContext) -> Subscription | None:
    """The subscription; the order of its period may be the order beside it."""
    subscription = body.subscription
    if subscription is None:
        return None
    return Subscription(
        id=required_id(subscription.id, "$.subscription.id"),
        status=text(subscription.status),
        order_id=optional_id(subscription.order_id) or (optional_id(body.order.id) if body.order else None),
        origin_order_id=optional_id(subscription.origin_order_id),
        interval=text(subscription.interval),
        interval_count=subscription.interval_count,
        created_at=optional_utc(subscription.created_at),
        cancelled_at=optional_utc(subscription.cancelled_at),
        amount=optional_amount(subscription.amount, "$.subscription.amount"),
        currency=_currency(subscription.currency, "$.subscription.currency") or site.currency,
        error_code=text(subscription.error_code),
    )


def cart_of(body: bodies.Cart, site: SiteContext) -> Cart:
    """The cart or checkout."""
    return Cart(
        token=required_id(body.token, "$.cart.token"),
        created_at=optional_utc(body.created_at),
        updated_at=optional_utc(body.updated_at),
        currency=_currency(body.currency, "$.cart.currency") or site.currency,
        total=optional_amount(body.total, "$.cart.total"),
        items=tuple([line_item(item) for item in body.items]),
    )


def customer_of(body: bodies.Body, site: SiteContext) -> Customer | None:
    """The customer. A national phone number is read with the customer's country, else the order's, else the site's."""
    customer = body.customer
    if customer is None:
        return None
    places = (body.order.billing_country, body.order.shipping_country) if body.order else ()
    return people.customer(
        id=customer.id,
        emails=(customer.email,),
        phones=(customer.phone,),
        countries=(customer.country, *places, site.default_country),
        tags=tuple(customer.tags),
        created_at=optional_utc(customer.created_at),
        accepts_marketing=customer.accepts_marketing,
    )


def clicks_of(body: bodies.Clicks | None, site: SiteContext) -> tuple[Click, ...]:
    """Click ids, gclid first. Raises NotUnderstood for a value that is no click id, or no time: it is counted among the odd leaves."""
    if body is None:
        return ()
    clicks: list[Click] = []
    moment = None
    if body.clicked_at is not None and (moment := moment_of(body.clicked_at, site.time_zone)) is None:
        raise wrong_shape("$.clicks.clicked_at", "Expected a date and time")
    for kind, value in zip(ClickKind, (body.gclid, body.gbraid, body.wbraid), strict=True):
        if value:
            click = click_value(value)
            if click is None:
                raise wrong_shape(f"$.clicks.{kind}", "Expected a click id of URL-safe characters")
            clicks.append(Click(kind=kind, id=click.id, clicked_at=click.clicked_at or moment))
    return tuple(clicks)


def consent_of(body: bodies.ConsentBody | None) -> Consent | None:
    """Consent; what the sender does not say is unknown."""
    return consent_from(msgspec.structs.asdict(body), "sender") if body else None


def utm_of(body: bodies.Utm | None) -> dict[str, str]:
    """UTM words that were given."""
    if body is None:
        return {}
    words = msgspec.structs.asdict(body)
    return {name: value[:MAX_UTM_CHARS] for name, value in words.items() if value}


def properties_of(values: dict[str, Any]) -> dict[str, msgspec.Raw]:
    """`properties` as compact JSON values. Raises NotUnderstood when there are too many or one is too large."""
    if len(values) > MAX_ENTRIES:
        raise _over_limit(f"Expected at most {MAX_ENTRIES} properties")
    properties: dict[str, msgspec.Raw] = {}
    for name, value in values.items():
        encoded = _ENCODER.encode(value)
        if not 0 < len(name) <= MAX_NAME_CHARS or len(encoded) > MAX_PROPERTY_BYTES:
            limit = (
                f"Expected names of 1 to {MAX_NAME_CHARS} characters and values of at most {MAX_PROPERTY_BYTES} bytes"
            )
            raise _over_limit(limit)
        properties[name] = msgspec.Raw(encoded)
    return properties


def _over_limit(limit: str) -> NotUnderstood:
    """No odd leaf that could be left out: conditions may ask for any of them, so the sender has to hear of it."""
    return NotUnderstood(WRONG_SHAPE, f"{limit} - at `$.properties`")


def _currency(value: str | None, path: str) -> str | None:
    code = currency_code(value)
    if value and code is None:
        raise wrong_shape(path, "Expected an ISO 4217 currency code")
    return code
