"""What becomes of a value when its order is undone, edited or paid back, and how long a retraction waits: pure."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from custom_events.ledger.desired import Desired, Hold
from custom_events.ledger.order_worth import LOWERED_BY_REFUNDS, follows_order, not_counted, worth_now
from custom_events.ledger.undoing import HOLD, KEEP, OrderNow, Waits, undone_value, wait_of_unpaid
from custom_events.settings import Settings
from custom_events.values import reasons
from custom_events.values.definitions import ValueRule
from custom_events.values.events import EventType, Refund
from tests.matching.building import paid

NOW = datetime(2026, 10, 20, 12, 0, tzinfo=UTC)
WORTH = Decimal(90)
WAITS = Waits(cancelled=timedelta(hours=24), deleted=timedelta(hours=48), payment_lost=timedelta(hours=72))
ASKED = Hold(reasons.PAYMENT_LOST, reasons.WAITS[reasons.PAYMENT_LOST], None)


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def waits(reason: str, hours: float) -> Hold:
    return Hold(reason, reasons.WAITS[reason], NOW + timedelta(hours=hours))


def cancelled(hours: float) -> Hold:
    return waits(reasons.CANCELLATION_MAY_BE_UNDONE, hours)


def unpaid(hours: float) -> Hold:
    return waits(reasons.PAYMENT_MAY_COME_BACK, hours)


@pytest.mark.parametrize(
    ("order", "hold", "reason"),
    [
        ({"cancelled_at": ago(1)}, cancelled(23), None),
        ({"cancelled_at": ago(24)}, None, None),
        ({"gone_at": ago(1)}, waits(reasons.DELETION_MAY_BE_UNDONE, 47), None),
        ({"gone_at": ago(1), "cancelled_at": ago(1)}, cancelled(23), None),
        ({"gone_at": ago(47), "cancelled_at": ago(1)}, waits(reasons.DELETION_MAY_BE_UNDONE, 1), None),
        ({"payment_lost_at": ago(1)}, unpaid(71), reasons.PAYMENT_LOST),
        ({"payment_lost_at": ago(71), "cancelled_at": ago(1)}, unpaid(1), None),
        ({"payment_lost_at": ago(1), "gone_at": ago(1)}, waits(reasons.DELETION_MAY_BE_UNDONE, 47), None),
        ({"payment_lost_at": ago(71), "cancelled_at": ago(1), "payment_lost": KEEP}, cancelled(23), None),
        ({"payment_lost_at": ago(71), "cancelled_at": ago(1), "payment_lost": HOLD}, cancelled(23), None),
        (
            {"payment_lost_at": ago(71), "gone_at": ago(1), "payment_lost": HOLD},
            waits(reasons.DELETION_MAY_BE_UNDONE, 47),
            None,
        ),
    ],
)
def test_an_undone_order_is_worth_nothing_after_the_first_wait_that_ends(
    order: dict[str, Any], hold: Hold | None, reason: str | None
) -> None:
    assert undone_value(OrderNow(**order), WORTH, WAITS, NOW) == Desired(Decimal(0), reason, hold)


def test_what_stands_keeps_its_worth() -> None:
    kept = OrderNow(payment_lost_at=ago(1), payment_lost=KEEP)
    for order in (OrderNow(), kept):
        assert undone_value(order, WORTH, WAITS, NOW) == Desired(WORTH)
    assert undone_value(OrderNow(cancelled_at=ago(1)), Decimal(0), WAITS, NOW) == Desired(Decimal(0))


def test_a_person_decides_on_a_lost_payment_where_the_site_says_so() -> None:
    order = OrderNow(payment_lost_at=ago(100), payment_lost=HOLD)
    asked = Desired(Decimal(0), reasons.PAYMENT_LOST, ASKED, undecided=WORTH)
    assert undone_value(order, WORTH, WAITS, NOW) == asked


def test_what_an_unpaid_order_waits_for() -> None:
    assert wait_of_unpaid(OrderNow(), WAITS, NOW) is None
    assert wait_of_unpaid(OrderNow(state_at=ago(1)), WAITS, NOW) == unpaid(71)
    assert wait_of_unpaid(OrderNow(state_at=ago(72)), WAITS, NOW) is None
    assert wait_of_unpaid(OrderNow(state_at=ago(71), cancelled_at=ago(1)), WAITS, NOW) == cancelled(23)


def test_waits_are_those_of_the_settings() -> None:
    chosen = Settings(retract_cancelled_after_h=1, retract_deleted_after_h=2, retract_payment_lost_after_h=3)
    assert Waits.of(chosen) == tuple(timedelta(hours=hours) for hours in (1, 2, 3))


@pytest.mark.parametrize("event_type", list(EventType))
def test_a_conversion_follows_its_order_where_its_value_is_the_order_s(event_type: EventType) -> None:
    event = msgspec.structs.replace(paid(), type=event_type)
    assert follows_order(event, ValueRule()) is (event_type in LOWERED_BY_REFUNDS)
    assert not follows_order(event, ValueRule(refunds_lower_it=False))


def refund(number: int, amount: str, currency: str | None = "EUR") -> Refund:
    return Refund(id=f"r{number}", order_id="1", amount=Decimal(amount), currency=currency)


@pytest.mark.parametrize(
    ("order", "refunds", "worth"),
    [
        (OrderNow(total=Decimal(100)), [], "100"),
        (OrderNow(total=Decimal(100)), [refund(1, "30"), refund(2, "20")], "50"),
        (OrderNow(total=Decimal(100), refunded=Decimal(30)), [], "70"),
        (OrderNow(total=Decimal(100), refunded=Decimal(30)), [refund(1, "20")], "70"),
        (OrderNow(total=Decimal(100), refunded=Decimal(20)), [refund(1, "20")], "80"),
        (OrderNow(total=Decimal(100), refunded=Decimal(10)), [refund(1, "20")], "80"),
        (OrderNow(total=Decimal(150)), [refund(1, "30")], "120"),
        (OrderNow(total=Decimal(100), current_total=Decimal(60)), [], "60"),
        (OrderNow(), [refund(1, "30")], "70"),
    ],
)
def test_worth_after_edits_and_refunds(order: OrderNow, refunds: list[Refund], worth: str) -> None:
    assert worth_now(paid(), ValueRule(), Decimal(100), order, refunds) == Decimal(worth)


def test_what_is_in_another_currency_is_named_and_not_counted() -> None:
    assert not_counted(paid(), None, []) is None
    assert not_counted(paid(), "EUR", [refund(1, "5"), refund(2, "5", None), refund(3, "0", "USD")]) is None
    order = not_counted(paid(), "USD", [refund(1, "5", "CHF")])
    assert order == reasons.ORDER_IN_OTHER_CURRENCY.format(order="USD", own="EUR")
    refunds = not_counted(paid(), "EUR", [refund(1, "5", "USD"), refund(2, "5"), refund(3, "7", "CHF")])
    named = reasons.WITHHELD[reasons.OTHER_CURRENCY].format(own="EUR", refunds="r1 (USD), r3 (CHF)")
    assert refunds == named
    assert not_counted(msgspec.structs.replace(paid(), order=None), "USD", []) is None
