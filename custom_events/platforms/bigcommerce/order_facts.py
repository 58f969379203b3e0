"""What an order's body says of the order itself: its times, its refunds, its facts."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import msgspec

from custom_events.platforms.bigcommerce import bodies
from custom_events.platforms.bigcommerce.payments import (
    CANCELLED,
    DISPUTED,
    FULFILLED,
    PARTLY_SHIPPED,
    REFUNDED,
    financial_status,
    paid_at,
)
from custom_events.platforms.parse import (
    amount,
    country_code,
    currency_code,
    local,
    optional_amount,
    optional_id,
    order_total,
    refunded_of,
    required_id,
    text,
    utc,
    whole_quantity,
    wrong_shape,
)
from custom_events.values.deliveries import SiteContext
from custom_events.values.events import LineItem, Order, Refund

_NOTHING: Final = Decimal(0)
_MAIL_TIME: Final = re.compile(r"(?:[A-Z][a-z]{2}, )?(\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4})\Z")
_NEVER: Final = (
    "-0001"  # year of the time that an order has that never came to pass, and what stands in front of a `30 Nov`
)


class Times(msgspec.Struct, frozen=True):
    """The order's own times, UTC. `shown`: as of when the body shows it: when it was read, by the store's clock."""

    created: datetime
    modified: datetime
    shipped: datetime | None
    shown: datetime


def times_of(read: bodies.Read) -> Times:
    """The order's times. Raises NotUnderstood without one of creation and of change."""
    created = moment_of(read.order.date_created, "$.order.date_created")
    modified = moment_of(read.order.date_modified, "$.order.date_modified")
    if created is None:
        raise wrong_shape("$.order.date_created", "Expected a date and time")
    if modified is None:
        raise wrong_shape("$.order.date_modified", "Expected a date and time")
    shipped = moment_of(read.order.date_shipped, "$.order.date_shipped")
    return Times(created=created, modified=modified, shipped=shipped, shown=max(modified, utc(read.read_at)))


def moment_of(value: str | None, path: str) -> datetime | None:
    """A time of V2 (RFC 2822) or of V3 (ISO 8601), UTC; None for an empty one. Raises NotUnderstood for anything else."""
    if not value or not value.strip() or _NEVER in value:
        return None
    mail_time = _MAIL_TIME.match(value)
    if mail_time is None:
        return local(value, UTC, path)
    try:
        return datetime.strptime(mail_time.group(1), "%d %b %Y %H:%M:%S %z").astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong_shape(path, "Expected a date and time (RFC 2822)") from None


def refunds_of(read: bodies.Read, order_id: str, times: Times, site: SiteContext) -> tuple[Refund, ...]:
    """The order's refunds; what a provider declined did not go back."""
    currency = _currency(read.order, site)
    path = "$.refunds[]"
    refunds: list[Refund] = []
    for refund in read.refunds or ():
        declined = [part for part in refund.payments or () if part.is_declined]
        total = amount(refund.total_amount, f"{path}.total_amount")
        lost = sum((amount(part.amount, f"{path}.payments[].amount") for part in declined), _NOTHING)
        back = total - lost
        if total < _NOTHING or back < _NOTHING:
            raise wrong_shape(f"{path}.total_amount", "Expected an amount of money, not below nothing")
        refunds.append(
            Refund(
                id=required_id(refund.id, f"{path}.id"),
                order_id=order_id,
                amount=back if back or not declined else total,
                currency=currency,
                reason=text(refund.reason),
                created_at=moment_of(refund.created, f"{path}.created") or times.modified,
                seen_at=times.shown,
                has_failed=bool(declined) and not back,
            )
        )
    return tuple(refunds)


def order_of(read: bodies.Read, order_id: str, times: Times, refunds: tuple[Refund, ...], site: SiteContext) -> Order:
    """The order's facts. Shipping, subtotal and items hold tax where the store's prices do; the total always does."""
    body = read.order
    with_tax = bool(body.is_tax_inclusive_pricing)
    address = body.billing_address or bodies.Address()
    paid = paid_at(read, times.created)
    path = "$.order"
    return Order(
        id=order_id,
        number=order_id,
        created_at=times.created,
        updated_at=times.modified,  # not when it was read: an answer may be some seconds behind
        paid_at=paid,
        cancelled_at=times.modified if body.status_id in CANCELLED else None,
        currency=_currency(body, site),
        total=order_total(body.total_inc_tax, f"{path}.total_inc_tax"),
        # The status may be set without an entry that would say how much; all of it went back.
        current_total=_NOTHING if body.status_id == REFUNDED else None,
        subtotal=_by_tax(body.subtotal_inc_tax, body.subtotal_ex_tax, f"{path}.subtotal", with_tax=with_tax),
        tax=optional_amount(body.total_tax, f"{path}.total_tax"),
        shipping=_by_tax(
            body.shipping_cost_inc_tax, body.shipping_cost_ex_tax, f"{path}.shipping_cost", with_tax=with_tax
        ),
        shipping_tax=optional_amount(body.shipping_cost_tax, f"{path}.shipping_cost_tax"),
        discount=_discount(body),
        taxes_included=with_tax,
        status=text(body.status),
        financial_status=financial_status(body, is_paid=paid is not None),
        fulfillment_status="fulfilled"
        if body.status_id in FULFILLED
        else "partial"
        if body.status_id == PARTLY_SHIPPED
        else None,
        items=tuple(_items(read.products, with_tax=with_tax)),
        payment_methods=(body.payment_method,) if body.payment_method else (),
        billing_country=country_code(address.country_iso2),
        billing_postcode=text(address.zip),
        source_name=text(body.order_source),
        cart_token=text(body.cart_id),
        refunded=refunded_of(refund.amount for refund in refunds if not refund.has_failed) if refunds else None,
        lists_refunds=read.refunds is not None,
        payment_lost_at=times.modified if body.status_id == DISPUTED and paid is not None else None,
    )


def _currency(body: bodies.Order, site: SiteContext) -> str | None:
    return currency_code(body.default_currency_code) or currency_code(body.currency_code) or site.currency


def _by_tax(with_it: Decimal | None, without: Decimal | None, path: str, *, with_tax: bool) -> Decimal | None:
    """Of an amount that stands there with and without tax the exact one; the other is estimated by the store."""
    return optional_amount(with_it, f"{path}_inc_tax") if with_tax else optional_amount(without, f"{path}_ex_tax")


def _discount(body: bodies.Order) -> Decimal | None:
    parts = [
        optional_amount(body.discount_amount, "$.order.discount_amount"),
        optional_amount(body.coupon_discount, "$.order.coupon_discount"),
    ]
    known = [part for part in parts if part is not None]
    return sum(known, _NOTHING) if known else None


def _items(products: list[bodies.Product] | None, *, with_tax: bool) -> Iterable[LineItem]:
    for product in products or ():
        path = "$.products[]"
        yield LineItem(
            product_id=optional_id(product.product_id),
            variant_id=optional_id(product.variant_id),
            sku=text(product.sku),
            title=text(product.name),
            vendor=text(product.brand),
            quantity=whole_quantity(product.quantity, f"{path}.quantity"),
            price=_by_tax(product.price_inc_tax, product.price_ex_tax, f"{path}.price", with_tax=with_tax),
            total=_by_tax(product.total_inc_tax, product.total_ex_tax, f"{path}.total", with_tax=with_tax),
            tax=optional_amount(product.total_tax, f"{path}.total_tax"),
        )
