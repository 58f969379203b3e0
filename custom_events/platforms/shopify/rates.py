"""What the shopper's currency is worth in the shop's, by a body's own pairs of amounts. Read where a refund is known in the shopper's
currency alone, which few are: orders and refunds are decoded without it."""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

import msgspec

from custom_events.platforms.parse import currency_code
from custom_events.platforms.shopify.bodies import Money
from custom_events.values.currencies import QUANTA, USUAL_QUANTUM


class _Pair(msgspec.Struct, gc=False):
    shop_money: Money | None = None
    presentment_money: Money | None = None


class _Part(msgspec.Struct, gc=False):
    """A line, shipping or adjustment of a refund."""

    subtotal_set: _Pair | None = None
    subtotal_amount_set: _Pair | None = None
    amount_set: _Pair | None = None


class _Parts(msgspec.Struct, gc=False):
    refund_line_items: list[_Part] | None = None
    refund_shipping_lines: list[_Part] | None = None
    order_adjustments: list[_Part] | None = None


class _Body(_Parts, gc=False):
    """A refund, or an order with its refunds."""

    total_price_set: _Pair | None = None
    refunds: list[_Parts] | None = None


_BODY = msgspec.json.Decoder(_Body)


class Rate(NamedTuple):
    """Amounts that are worth the same, and one minor unit of each currency: what their rounding is worth."""

    shop: Decimal
    shopper: Decimal
    unit: Decimal
    shoppers_unit: Decimal

    def in_shop_money(self, amount: Decimal) -> Decimal:
        """An amount of the shopper's, in the shop's currency and its minor units."""
        return (amount * self.shop / self.shopper).quantize(self.unit, ROUND_HALF_UP)

    def tolerance(self, amount: Decimal) -> Decimal:
        """By how much the rounding of the pair and of `amount` (the shop's currency) may set it off."""
        of_rate = abs(amount) * (self.unit / self.shop + self.shoppers_unit / self.shopper)
        return of_rate + self.unit + self.shoppers_unit * self.shop / self.shopper


def rate_of(body: bytes, currency: str | None) -> Rate | None:
    """The rate of `currency` by the largest pair in an order's or a refund's body, which is the most exact; None: it has none."""
    try:
        pairs = _pairs(_BODY.decode(body))
    except msgspec.DecodeError:  # an odd leaf among amounts that are read for this alone
        return None
    rates = [rate for pair in pairs if (rate := _rate(pair, currency)) is not None]
    return max(rates, key=lambda rate: rate.shopper, default=None)


def _pairs(body: _Body) -> Iterator[_Pair]:
    if body.total_price_set is not None:
        yield body.total_price_set
    for refund in (body, *(body.refunds or ())):
        for part in (
            *(refund.refund_line_items or ()),
            *(refund.refund_shipping_lines or ()),
            *(refund.order_adjustments or ()),
        ):
            yield from (pair for pair in (part.subtotal_set, part.subtotal_amount_set, part.amount_set) if pair)


def _rate(pair: _Pair, currency: str | None) -> Rate | None:
    shop, shopper = pair.shop_money, pair.presentment_money
    if shop is None or shopper is None or not shop.amount or not shopper.amount:
        return None
    if currency is None or currency_code(shopper.currency_code) != currency:
        return None
    if not shop.amount.is_finite() or not shopper.amount.is_finite():
        return None
    own = QUANTA.get(currency_code(shop.currency_code), USUAL_QUANTUM)
    # An adjustment's amounts are negative.
    return Rate(abs(shop.amount), abs(shopper.amount), own, QUANTA.get(currency, USUAL_QUANTUM))
