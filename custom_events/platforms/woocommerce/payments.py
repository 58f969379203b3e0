"""How a WooCommerce order was paid: gift cards, deposits, and gateways in test mode. Plugins say it in fields and meta of their own."""

import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

from custom_events.errors import NotUnderstood
from custom_events.platforms.parse import amount
from custom_events.platforms.scalars import yes_or_no
from custom_events.platforms.woocommerce import bodies

_NO_CENTS = Decimal("0.00")
_YITH_GIFT_CARDS = "_ywgc_applied_gift_cards_totals"  # YITH WooCommerce Gift Cards
# WooCommerce Deposits (webtomizer): statuses of an order of which the deposit was paid, and how much that was.
_DEPOSIT_STATUSES = frozenset(("partially-paid", "partial-payment"))
_DEPOSIT_IS_PAID, _DEPOSIT = "_wc_deposits_deposit_paid", "_wc_deposits_deposit_amount"

# Meta in which gateways say whether an order was paid in test mode.
TEST_MODES: Final = frozenset(
    (
        "_wcpay_mode",  # WooPayments: test, prod
        "_ppcp_paypal_payment_mode",  # WooCommerce PayPal Payments: sandbox, live
        "_ppcp_environment",  # Payment Plugins for PayPal: sandbox, production
        "_wc_stripe_mode",  # Payment Plugins for Stripe: test, live
        "_mollie_payment_mode",  # Mollie: test, live
        "_wc_klarna_environment",  # Klarna: test, live, us-test, eu-test ...
        # Gateways on SkyVerge's framework (`_wc_<gateway>_environment`): test or sandbox, production
        "_wc_square_credit_card_environment",
        "_wc_square_cash_app_pay_environment",
        "_wc_braintree_credit_card_environment",
        "_wc_braintree_paypal_environment",
        "_wc_authorize_net_cim_credit_card_environment",
        "_wc_authorize_net_cim_echeck_environment",
    )
)
_TEST = frozenset(("test", "sandbox", "testing", "testmode"))
# What gateways that are not listed write: `_stripe_mode`, `_viva_environment`; `_acme_test_mode`, `_acme_sandbox`; `_acme_livemode`.
_MODE = re.compile(
    r"_(?:(?P<mode>mode|environment|env)|(?P<test>test_?mode|is_test|sandbox(?:_mode)?)|(?P<live>live_?mode|is_live))\Z"
)
_OF_PAYMENTS = "pay"
_WORDS_OF_ALL = frozenset(("", "wc", "woo", "woocommerce", "gateway", "cc", "card", "credit", "test", "mode"))


def gift_cards_of(body: bodies.Order, meta: dict[str, Any]) -> Decimal | None:
    """What gift cards paid of the order; None for nothing."""
    cards = body.gift_cards or body.pw_gift_cards_redeemed
    if cards:
        paths = (amount(card.amount, "$.gift_cards[].amount") for card in cards if card.amount)
        return sum((abs(path) for path in paths), _NO_CENTS) or None
    if _YITH_GIFT_CARDS in meta:
        paid = _money(meta[_YITH_GIFT_CARDS])
        return _NO_CENTS + paid if paid is not None and paid > 0 else None
    return None


def deposit_of(body: bodies.Order, meta: dict[str, Any]) -> Decimal | None:
    """What was paid of an order whose deposit was; None where nobody says."""
    if body.status not in _DEPOSIT_STATUSES or meta.get(_DEPOSIT_IS_PAID) != "yes":
        return None
    return _money(meta.get(_DEPOSIT))


def is_in_test_mode(meta: dict[str, Any], payment_method: str | None) -> bool:
    """Whether a gateway says that no real money moved: in meta that is known for it, or whose name is one of the payment's and ends as
    such names do."""
    for name, value in meta.items():
        says = "mode" if name in TEST_MODES else _says(name, payment_method)
        if says is not None and _is_test(says, value):
            return True
    return False


@lru_cache(maxsize=4_096)  # the same few names in every order of a shop
def _says(name: str, payment_method: str | None) -> str | None:
    """What a meta entry may say, by its name: `mode`, `test` or `live`; None: nothing of the payment."""
    match = _MODE.search(name.lower())
    if match is None:
        return None
    words = set(name.lower().split("_")) - _WORDS_OF_ALL
    of_payment = set(re.split("[_-]", (payment_method or "").lower())) & words
    return match.lastgroup if of_payment or _OF_PAYMENTS in name.lower() else None


def _is_test(says: str, value: Any) -> bool:
    if says == "mode":
        return isinstance(value, str) and value.lower().rpartition("-")[2] in _TEST
    if not isinstance(value, bool | int | str):
        return False
    answer = value if isinstance(value, bool) else yes_or_no(value)
    return answer is (says == "test")


def _money(value: Any) -> Decimal | None:
    """An amount in a meta value, which may be of any type."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return amount(Decimal(repr(value) if isinstance(value, float) else value), "$.meta_data[].value")
    except (InvalidOperation, NotUnderstood):
        return None
