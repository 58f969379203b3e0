"""Rules as sentences for people: when one fires, how often, what it is worth, where it goes."""

from custom_events.conditions.render import render
from custom_events.values.definitions import (
    Dedup,
    DedupPer,
    DefinitionConfig,
    Threshold,
    ThresholdFires,
    ThresholdMeasure,
    ThresholdPeriod,
    ValueRule,
    ValueSource,
)


def sentence(config: DefinitionConfig) -> str:
    """A rule as a sentence: when it fires, how often, what it is worth, where it goes."""
    when = " or ".join(config.trigger)
    conditions = f" and {render(config.conditions)}" if config.conditions is not None else ""
    reached = f", and the {threshold(config.threshold)}" if config.threshold is not None else ""
    delay = f" after {config.delay_minutes} minutes" if config.delay_minutes else ""
    goes = (
        f"goes{delay} to the ads action {config.ads_action}" if config.ads_action else "is recorded, and sent nowhere"
    )
    return (
        f"When {when} happens{conditions}{reached}: {often(config.dedup)} it counts {worth(config.value)}, and {goes}."
    )


def often(dedup: Dedup) -> str:
    """How often a rule counts the same occurrence."""
    return {
        DedupPer.ORDER: "once for each order",
        DedupPer.CUSTOMER: "once for each customer",
        DedupPer.CUSTOMER_WINDOW: f"once for each customer within {dedup.window_days} days",
        DedupPer.SUBSCRIPTION_PERIOD: "once for each period of a subscription",
        DedupPer.EVENT: "each time",
    }[dedup.per]


def threshold(rule: Threshold) -> str:
    """How many, or how much, over time, without the article before it."""
    what = "number" if rule.measure is ThresholdMeasure.COUNT else f"sum of {rule.field or 'the amounts'}"
    period = {
        ThresholdPeriod.ROLLING: f"of {rule.window_days} days",
        ThresholdPeriod.LIFETIME: "of all time",
    }.get(rule.period, f"of the {rule.period}")
    fires = {
        ThresholdFires.REACHING: "reaches",
        ThresholdFires.EVERY_FURTHER: "is at least",
        ThresholdFires.EVERY_NTH: "reaches a multiple of",
    }[rule.fires]
    currency = f" {rule.currency}" if rule.currency else ""
    return f"{what} {period} for the {rule.scope} {fires} {rule.at_least:f}{currency}"


def worth(rule: ValueRule) -> str:
    """What a conversion is worth."""
    source = {
        ValueSource.ORDER_TOTAL: "with the order's total",
        ValueSource.ITEMS_TOTAL: "with the total of the matching items",
        ValueSource.FIXED: f"with {rule.fixed} {rule.currency or ''}".strip(),
        ValueSource.FIELD: f"with {rule.field}",
        ValueSource.NONE: "without a value",
    }[rule.source]
    without = [word for word, out in (("tax", rule.without_tax), ("shipping", rule.without_shipping)) if out]
    parts = f" without {' and '.join(without)}" if without else ""
    factor = f" times {rule.factor:f}" if rule.factor != 1 and rule.source is not ValueSource.NONE else ""
    return f"{source}{parts}{factor}"
