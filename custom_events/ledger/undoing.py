"""What a cancelled, deleted or unpaid order makes of a conversion's value, and how long its retraction waits. Pure.

Google takes no retraction back on one lane (docs/reference/google-ads.md 1.4), while stores do restore and uncancel orders, and payments are
tried again: so a retraction waits a while where that may happen. Money that was given back does not come back: that does not wait.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from custom_events.ledger.desired import Desired, Hold
from custom_events.settings import Settings
from custom_events.values import reasons

KEEP: Final = "keep"  # what a site's setting `payment_lost` may say
HOLD: Final = "hold"
RETRACT: Final = "retract"


class Waits(NamedTuple):
    """How long retractions wait after what they follow from."""

    cancelled: timedelta
    deleted: timedelta
    payment_lost: timedelta

    @classmethod
    def of(cls, settings: Settings) -> "Waits":
        """Those of the settings."""
        hours = (
            settings.retract_cancelled_after_h,
            settings.retract_deleted_after_h,
            settings.retract_payment_lost_after_h,
        )
        return cls(*(timedelta(hours=hour) for hour in hours))


class OrderNow(NamedTuple):
    """An order as it stands now, as far as its conversions' value follows from it. `payment_lost` is the site's setting."""

    total: Decimal | None = None  # as it was edited last; None: in another currency than the conversion, or not known
    current_total: Decimal | None = None
    refunded: Decimal = Decimal(0)
    state_at: datetime | None = None
    cancelled_at: datetime | None = None
    gone_at: datetime | None = None
    payment_lost_at: datetime | None = None
    payment_lost: str = RETRACT


def undone_value(order: OrderNow, worth: Decimal, waits: Waits, now: datetime) -> Desired:
    """What Google should have of an order that is worth so much by its total and refunds: nothing of what was undone."""
    lost_at = order.payment_lost_at if order.payment_lost != KEEP else None
    if not worth or (order.cancelled_at is None and order.gone_at is None and lost_at is None):
        return Desired(worth)
    if order.cancelled_at is None and order.gone_at is None and order.payment_lost == HOLD:
        return Desired(
            Decimal(0),
            reasons.PAYMENT_LOST,
            Hold(reasons.PAYMENT_LOST, reasons.WAITS[reasons.PAYMENT_LOST], None),
            undecided=worth,
        )
    moments = _moments(order, waits)
    if lost_at is not None and order.payment_lost == RETRACT:
        moments.append(_of_payment(lost_at, waits))
    reason = reasons.PAYMENT_LOST if order.cancelled_at is None and order.gone_at is None else None
    return Desired(Decimal(0), reason, _first(moments, now))


def wait_of_unpaid(order: OrderNow, waits: Waits, now: datetime) -> Hold | None:
    """What the retraction of a payment waits for that the newest state of its order denies."""
    moments = _moments(order, waits)
    if not moments and order.state_at is not None:
        moments.append(_of_payment(order.state_at, waits))
    return _first(moments, now)


def _moments(order: OrderNow, waits: Waits) -> list[Hold]:
    holds: list[Hold] = []
    if order.cancelled_at is not None:
        holds.append(_hold(reasons.CANCELLATION_MAY_BE_UNDONE, order.cancelled_at + waits.cancelled))
    if order.gone_at is not None:
        holds.append(_hold(reasons.DELETION_MAY_BE_UNDONE, order.gone_at + waits.deleted))
    return holds


def _hold(reason: str, until: datetime) -> Hold:
    return Hold(reason, reasons.WAITS[reason], until)


def _of_payment(at: datetime, waits: Waits) -> Hold:
    return _hold(reasons.PAYMENT_MAY_COME_BACK, at + waits.payment_lost)


def _first(holds: list[Hold], now: datetime) -> Hold | None:
    """The one that ends first; None when it has ended, or there is none."""
    until, first = min(((hold.until or now, hold) for hold in holds), default=(now, None))
    return first if until > now else None
