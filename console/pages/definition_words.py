"""What the choices of a definition's form are called, and its settings in words."""

from collections.abc import Mapping
from typing import Any, Final

from console.pages import words
from console.pages.translations import N_
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
        ("", N_("no threshold: every event counts by itself")),
        (ThresholdMeasure.COUNT.value, N_("how many events there are")),
        (ThresholdMeasure.SUM.value, N_("how much they amount to")),
    ),
    "threshold.scope": (
        (ThresholdScope.CUSTOMER.value, N_("each customer")),
        (ThresholdScope.SITE.value, N_("the whole site")),
    ),
    "threshold.period": (
        (ThresholdPeriod.LIFETIME.value, N_("all time")),
        (ThresholdPeriod.ROLLING.value, N_("a number of days up to the event")),
        (ThresholdPeriod.DAY.value, N_("the calendar day")),
        (ThresholdPeriod.WEEK.value, N_("the calendar week")),
        (ThresholdPeriod.MONTH.value, N_("the calendar month")),
        (ThresholdPeriod.QUARTER.value, N_("the calendar quarter")),
        (ThresholdPeriod.YEAR.value, N_("the calendar year")),
    ),
    "threshold.fires": (
        (ThresholdFires.REACHING.value, N_("once, when it is reached")),
        (ThresholdFires.EVERY_FURTHER.value, N_("from then on, each time")),
        (ThresholdFires.EVERY_NTH.value, N_("at each multiple of it")),
    ),
    "dedup.per": (
        (DedupPer.ORDER.value, N_("once for each order")),
        (DedupPer.CUSTOMER.value, N_("once for each customer")),
        (DedupPer.CUSTOMER_WINDOW.value, N_("once for each customer within a number of days")),
        (DedupPer.SUBSCRIPTION_PERIOD.value, N_("once for each period of a subscription")),
        (DedupPer.EVENT.value, N_("each time")),
    ),
    "value.source": (
        (ValueSource.ORDER_TOTAL.value, N_("the order's total")),
        (ValueSource.ITEMS_TOTAL.value, N_("the total of some line items")),
        (ValueSource.FIXED.value, N_("a fixed amount")),
        (ValueSource.FIELD.value, N_("a field of the event")),
        (ValueSource.NONE.value, N_("no value")),
    ),
    "value.refunds_lower_it": (("yes", N_("lower the value")), ("no", N_("leave the value as it is"))),
    "consent_needed": (
        (ConsentNeeded.CLICK_ONLY_IN_EUROPE.value, N_("in Europe the click alone goes until somebody says yes")),
        (ConsentNeeded.GRANTED_IN_EUROPE.value, N_("in Europe it is held until somebody says yes")),
        (ConsentNeeded.GRANTED.value, N_("nothing goes without a yes")),
        (ConsentNeeded.NOT_DENIED.value, N_("everything goes unless there was a no")),
    ),
}


def setting_in_words(name: str, config: Mapping[str, Any]) -> str:
    """A setting of a configuration, as a revision keeps it, in words."""
    return words.setting(name, getattr(stored_config({"trigger": [], **config}), name))
