"""Consent that nobody gave or refused: what each policy makes of it, by where the customer is."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from custom_events.conditions.facts import Facts
from custom_events.matching.checks import config_problems
from custom_events.matching.compiled_rules import CompiledRules
from custom_events.matching.eligibility import (
    EUROPE,
    action_reason,
    click_for,
    click_reason,
    is_european,
    other_clicks,
    usable_click,
)
from custom_events.matching.explain import explain, explanation_lines
from custom_events.matching.match import Match, match
from custom_events.values.clicks import Click, ClickKind, Consent, ConsentStatus
from custom_events.values.conversions import AdsAction
from custom_events.values.definitions import CartRule, ConsentNeeded, ConversionExtras, DefinitionConfig
from custom_events.values.events import Customer, EventType
from custom_events.values.reasons import Reason
from tests.matching.building import assignment, paid

HASHED = Customer(key="c:1", email_sha256="a" * 64)


def made(event: Any, facts: Facts | None = None, **config: Any) -> Match:
    (found,) = match(event, 1, CompiledRules([assignment(ads_action="1234567890/1", **config)]), facts)
    return found


def order_to(country: str | None, **more: Any) -> Any:
    event = paid(customer=HASHED, **more)
    return msgspec.structs.replace(event, order=msgspec.structs.replace(event.order, shipping_country=country))


@pytest.mark.parametrize(
    ("needed", "country", "waits", "with_user_data"),
    [
        (ConsentNeeded.NOT_DENIED, "DE", False, True),
        (ConsentNeeded.GRANTED_IN_EUROPE, "DE", True, True),
        (ConsentNeeded.GRANTED_IN_EUROPE, "GB", True, True),
        (ConsentNeeded.GRANTED_IN_EUROPE, "CH", True, True),
        (ConsentNeeded.GRANTED_IN_EUROPE, None, True, True),
        (ConsentNeeded.GRANTED_IN_EUROPE, "US", False, True),
        (ConsentNeeded.CLICK_ONLY_IN_EUROPE, "FR", False, False),
        (ConsentNeeded.CLICK_ONLY_IN_EUROPE, "US", False, True),
    ],
)
def test_unknown_consent(needed: ConsentNeeded, country: str | None, waits: bool, with_user_data: bool) -> None:
    found = made(order_to(country), consent_needed=needed)
    assert (found.waits_for_consent, found.with_user_data, found.withheld) == (waits, with_user_data, None)


def test_hashes_alone_wait_where_only_the_click_may_go() -> None:
    found = made(order_to("DE", clicks=()), consent_needed=ConsentNeeded.CLICK_ONLY_IN_EUROPE)
    assert (found.waits_for_consent, found.withheld) == (True, None)


@pytest.mark.parametrize("needed", [ConsentNeeded.GRANTED_IN_EUROPE, ConsentNeeded.CLICK_ONLY_IN_EUROPE])
def test_what_somebody_said_counts(needed: ConsentNeeded) -> None:
    granted = Consent(ad_user_data=ConsentStatus.GRANTED, source="attribute")
    denied = Consent(ad_user_data=ConsentStatus.DENIED)
    found = made(order_to("DE", consent=granted), consent_needed=needed)
    assert (found.waits_for_consent, found.with_user_data, found.withheld) == (False, True, None)
    assert made(order_to("DE", consent=denied), consent_needed=needed).withheld is Reason.CONSENT_DENIED


def test_the_address_before_the_customers_country() -> None:
    event = order_to(None)
    assert is_european(event)
    american = msgspec.structs.replace(event, customer=Customer(key="c:1", country="US"))
    assert not is_european(american)
    billed = msgspec.structs.replace(american, order=msgspec.structs.replace(event.order, billing_country="AT"))
    assert is_european(billed)
    assert is_european(msgspec.structs.replace(event, order=None, customer=None))
    assert {"DE", "NO", "IS", "LI", "GB", "CH"} <= EUROPE
    assert len(EUROPE) == 32


@pytest.mark.parametrize(("orders", "new"), [(0, True), (3, False), (None, None)])
def test_the_first_order_is_told_where_it_is_asked_for(orders: int | None, new: bool | None) -> None:
    compiled_rules = CompiledRules(
        [assignment(ads_action="1234567890/1", extra_data=ConversionExtras(customer_type=True))]
    )
    event = paid(customer=HASHED)
    assert compiled_rules.needs_facts(1, event.type)
    site = compiled_rules.site(1)
    assert site is not None
    (found,) = match(event, 1, compiled_rules, site.facts_with(orders_before=orders))
    assert found.new_customer is new
    assert made(event, site.facts_with(orders_before=orders)).new_customer is None


def test_the_explanation_says_what_the_policy_does() -> None:
    for needed, word in (
        (ConsentNeeded.GRANTED_IN_EUROPE, "waits until somebody says"),
        (ConsentNeeded.CLICK_ONLY_IN_EUROPE, "the click goes alone"),
    ):
        text = explanation_lines(explain(order_to("DE"), assignment(consent_needed=needed)))
        assert any(word in line for line in text), text


@pytest.mark.parametrize(
    ("cart", "paths"),
    [
        (CartRule(merchant_id="55"), []),
        (CartRule(merchant_id="55", country="DE", language="de", item_id="a_{product_id}_{variant_id}"), []),
        (CartRule(merchant_id="shop", country="Germany", language="DE"), ["merchant_id", "country", "language"]),
        (CartRule(merchant_id="55", item_id="sku"), ["item_id"]),
        (CartRule(merchant_id="55", item_id="{sku} {title}"), ["item_id"]),
        (CartRule(merchant_id="55", item_id="{sku}}"), ["item_id"]),
    ],
)
def test_a_cart_that_cannot_be_told_is_a_problem(cart: CartRule, paths: list[str]) -> None:
    config = DefinitionConfig(trigger=(EventType.ORDER_PAID,), extra_data=ConversionExtras(cart=cart))
    assert [problem.path for problem in config_problems(config)] == [f"extra_data.cart.{path}" for path in paths]


def test_the_best_click_that_its_windows_and_its_action_take() -> None:
    event = paid()
    window = timedelta(days=30)
    old = Click(kind=ClickKind.GCLID, id="old", clicked_at=event.occurred_at - window - timedelta(seconds=1))
    late = Click(kind=ClickKind.GCLID, id="late", clicked_at=event.occurred_at + timedelta(seconds=1))
    braid = Click(kind=ClickKind.WBRAID, id="braid", clicked_at=event.occurred_at - timedelta(days=20))
    edge = Click(kind=ClickKind.GCLID, id="edge", clicked_at=event.occurred_at - timedelta(days=10))
    untimed = Click(kind=ClickKind.GBRAID, id="untimed")
    reasons = [click_reason(click, event, window) for click in (old, late, braid, edge, untimed)]
    assert reasons == [Reason.CLICK_TOO_OLD, Reason.CLICK_AFTER_EVENT, None, None, None]
    at_once = Click(kind=ClickKind.GCLID, id="at once", clicked_at=event.occurred_at)
    assert click_reason(at_once, event, window) is None
    event = msgspec.structs.replace(event, clicks=(old, late, braid, edge, untimed))
    assert usable_click(event, window) is braid
    assert usable_click(msgspec.structs.replace(event, clicks=(old, late)), window) is None
    for action, taken in (
        (None, braid),
        (AdsAction(id=1, ads_account_id=1, click_window_days=30), braid),
        (AdsAction(id=1, ads_account_id=1, click_window_days=10), edge),
        (AdsAction(id=1, ads_account_id=1, click_window_days=5), untimed),
        (AdsAction(id=1, ads_account_id=1, one_per_click=True), edge),
        (AdsAction(id=1, ads_account_id=1, one_per_click=True, click_window_days=5), None),
    ):
        assert click_for(braid, event, 30, action) is taken
    assert click_for(None, event, 30, AdsAction(id=1, ads_account_id=1)) is None


def test_the_other_clicks_that_may_stand_for_an_event() -> None:
    event = paid()
    first = Click(kind=ClickKind.GCLID, id="first", clicked_at=event.occurred_at - timedelta(days=2))
    braid = Click(kind=ClickKind.WBRAID, id="braid", clicked_at=event.occurred_at - timedelta(days=5))
    older = Click(kind=ClickKind.GCLID, id="older", clicked_at=event.occurred_at - timedelta(days=20))
    event = msgspec.structs.replace(event, clicks=(first, braid, older))
    for chosen, days, action, others in (
        (first, 30, None, (braid, older)),
        (braid, 30, None, (first, older)),
        (first, 10, None, (braid,)),
        (first, 30, AdsAction(id=1, ads_account_id=1, click_window_days=10), (braid,)),
        (first, 10, AdsAction(id=1, ads_account_id=1, click_window_days=30), (braid,)),
        (first, 30, AdsAction(id=1, ads_account_id=1, click_window_days=30, one_per_click=True), (older,)),
        (None, 30, None, ()),
    ):
        assert other_clicks(chosen, event, days, action) == others
    assert other_clicks(first, msgspec.structs.replace(event, clicks=(first, older)), 30, None) == (older,)
    assert other_clicks(first, msgspec.structs.replace(event, clicks=(first,)), 30, None) == ()


def test_what_an_ads_action_keeps_back() -> None:
    click, action = Click(kind=ClickKind.GCLID, id="a"), AdsAction(id=1, ads_account_id=1)
    known, unknown, ten = paid(customer=HASHED), paid(customer="c:1"), Decimal(10)
    assert action_reason(None, known, click, ten, "EUR") is Reason.UNKNOWN_ADS_ACTION
    assert action_reason(action, unknown, None, ten, "EUR") is Reason.CLICK_NOT_TAKEN
    assert action_reason(action, known, None, ten, "EUR") is None
    assert action_reason(action, unknown, click, ten, "EUR") is None
    assert action_reason(action, unknown, click, ten, None) is Reason.NO_CURRENCY
    assert action_reason(action, unknown, click, None, None) is action_reason(action, unknown, click, Decimal(0), None)
    assert action_reason(action, unknown, click, None, None) is None
