"""What the choices of a definition's form are called, and its settings in words."""

from collections.abc import Mapping
from typing import Any, Final

from console.pages import words
from custom_events.catalog.configurations import stored_config
from custom_events.values.definitions import (
    ConsentNeeded,
    DedupPer,
    ThresholdFires,
    ThresholdMeasure,
    ThresholdPeriod,
    ThresholdScope,
    ValueSource,
)

# By the setting that is chosen; each with what it is called. Every word of the settings is here: a test sees to it.
CHOICES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "threshold.measure": (
        ("", "no threshold: every event counts by itself"),
        (ThresholdMeasure.COUNT.value, "how many events there are"),
        (ThresholdMeasure.SUM.value, "how much they amount to"),
    ),
    "threshold.scope": (
        (ThresholdScope.CUSTOMER.value, "each customer"),
        (ThresholdScope.SITE.value, "the whole site"),
    ),
    "threshold.period": (
        (ThresholdPeriod.LIFETIME.value, "all time"),
        (ThresholdPeriod.ROLLING.value, "a number of days up to the event"),
        (ThresholdPeriod.DAY.value, "the calendar day"),
        (ThresholdPeriod.WEEK.value, "the calendar week"),
        (ThresholdPeriod.MONTH.value, "the calendar month"),
        (ThresholdPeriod.QUARTER.value, "the calendar quarter"),
        (ThresholdPeriod.YEAR.value, "the calendar year"),
    ),
    "threshold.fires": (
        (ThresholdFires.REACHING.value, "once, when it is reached"),
        (ThresholdFires.EVERY_FURTHER.value, "from then on, each time"),
        (ThresholdFires.EVERY_NTH.value, "at each multiple of it"),
    ),
    "dedup.per": (
        (DedupPer.ORDER.value, "once for each order"),
        (DedupPer.CUSTOMER.value, "once for each customer"),
        (DedupPer.CUSTOMER_WINDOW.value, "once for each customer within a number of days"),
        (DedupPer.SUBSCRIPTION_PERIOD.value, "once for each period of a subscription"),
        (DedupPer.EVENT.value, "each time"),
    ),
    "value.source": (
        (ValueSource.ORDER_TOTAL.value, "the order's total"),
        (ValueSource.ITEMS_TOTAL.value, "the total of some line items"),
        (ValueSource.FIXED.value, "a fixed amount"),
        (ValueSource.FIELD.value, "a field of the event"),
        (ValueSource.NONE.value, "no value"),
    ),
    "value.refunds_lower_it": (("yes", "lower the value"), ("no", "leave the value as it is")),
    "consent_needed": (
        (ConsentNeeded.CLICK_ONLY_IN_EUROPE.value, "in Europe the click alone goes until somebody says yes"),
        (ConsentNeeded.GRANTED_IN_EUROPE.value, "in Europe it is held until somebody says yes"),
        (ConsentNeeded.GRANTED.value, "nothing goes without a yes"),
        (ConsentNeeded.NOT_DENIED.value, "everything goes unless there was a no"),
    ),
}


def setting_in_words(name: str, config: Mapping[str, Any]) -> str:
    """A setting of a configuration, as a revision keeps it, in words."""
    return words.setting(name, getattr(stored_config({"trigger": [], **config}), name))
