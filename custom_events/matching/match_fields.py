"""What a match says beside its assignment: key, value, click, why it stays, when it may leave.

It follows from the event and a few settings, which most assignments of a site share. `MatchSettings` is those settings; one object stands
for all equal ones, so that an event which many rules fire on is worked out once for each of them, not once for each rule.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache

import msgspec

from custom_events.conditions.facts import Facts
from custom_events.matching.dedup import KeyFunction, key_function, order_key
from custom_events.matching.eligibility import asks_in_europe, consent_reasons, match_reason, release_of, usable_click
from custom_events.matching.value import CompiledValueRule, amount_of, compile_rule
from custom_events.values.clicks import Click, ConsentStatus
from custom_events.values.definitions import Assignment, ConsentNeeded, Dedup, DedupPer, ValueSource
from custom_events.values.events import CommerceEvent
from custom_events.values.reasons import Reason

MAX_KEPT_MAKINGS = 4_096  # a few hundred bytes each; a rule set has some dozens

_UNKNOWN = ConsentStatus.UNKNOWN  # naming a member of an enumeration costs Python 3.11 as much as a comparison


class MatchSettings(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The settings of a rule that decide what its matches say, compiled. Equal settings are one object while it is kept."""

    key: KeyFunction
    is_per_order: bool  # the key
    has_window: bool  # of deduplication: the key follows from occurrences before the event
    value: CompiledValueRule
    wants_value: bool
    sends: bool  # names an ads action
    consent_needed: ConsentNeeded
    consent_reasons: Mapping[ConsentStatus, Reason]  # why consent keeps a match back
    asks_in_europe: bool  # consent that nobody gave is another matter there
    tells_customer: bool  # whether it is the customer's first order
    waits: bool  # before it is sent
    delay: timedelta
    click_window: timedelta


# Deduplication key ("" where a window decides), value, currency, click, why it stays, earliest time to send, whether it waits for
# consent, whether user data may go, first order. A plain tuple: a class of its own would cost more than half of making them.
MatchFields = tuple[
    str, Decimal | None, str | None, Click | None, Reason | None, datetime, bool, bool, bool | None
]  # fmt: skip


def match_settings_of(assignment: Assignment) -> MatchSettings:
    """The settings of one assignment."""
    config = assignment.config
    return _shared(
        config.dedup,
        compile_rule(config.value),
        config.consent_needed,
        (config.delay_minutes, config.click_window_days),
        sends=config.ads_action is not None or assignment.ads_action_id is not None,
        tells_customer=config.extra_data.customer_type,
    )


@lru_cache(maxsize=MAX_KEPT_MAKINGS)
def _shared(
    dedup: Dedup,
    value: CompiledValueRule,
    consent_needed: ConsentNeeded,
    minutes_and_days: tuple[int, int],
    *,
    sends: bool,
    tells_customer: bool,
) -> MatchSettings:
    delay, click_window = minutes_and_days
    return MatchSettings(
        key=key_function(dedup),
        is_per_order=dedup.per is DedupPer.ORDER,
        has_window=dedup.per is DedupPer.CUSTOMER_WINDOW,
        value=value,
        wants_value=value.rule.source is not ValueSource.NONE,
        sends=sends,
        consent_needed=consent_needed,
        consent_reasons=consent_reasons(consent_needed),
        asks_in_europe=asks_in_europe(consent_needed),
        tells_customer=tells_customer,
        waits=delay != 0,
        delay=timedelta(minutes=delay),
        click_window=timedelta(days=click_window),
    )


def match_fields(
    match_settings: MatchSettings, event: CommerceEvent, facts: Facts, consent: ConsentStatus, order_id: str | None
) -> MatchFields:
    """What every match of this event by rules of these settings says. `consent` and `order_id` are the event's."""
    clicks = event.clicks
    click = clicks[0] if clicks else None
    if click is not None and click.clicked_at is not None:
        click = usable_click(event, match_settings.click_window)
    amount, currency = amount_of(match_settings.value, event, facts)
    withheld = None
    if not match_settings.sends or click is None or amount is None or consent in match_settings.consent_reasons:
        withheld = match_reason(
            sends=match_settings.sends,
            consent=match_settings.consent_reasons.get(consent),
            event=event,
            click=click,
            window=match_settings.click_window,
            value_missing=match_settings.wants_value and amount is None,
        )
    held, with_user_data = False, True
    if match_settings.asks_in_europe and consent is _UNKNOWN:
        held, with_user_data = release_of(match_settings.consent_needed, event, click)
    key = (
        order_key(order_id, event.key)
        if match_settings.is_per_order
        else ""
        if match_settings.has_window
        else match_settings.key(event, ())
    )
    return (
        key,
        amount,
        currency,
        click,
        withheld,
        event.occurred_at + match_settings.delay if match_settings.waits else event.occurred_at,
        held,
        with_user_data,
        first_order(facts) if match_settings.tells_customer else None,
    )


def first_order(facts: Facts) -> bool | None:
    """Whether the customer had ordered nothing before; None when nobody knows."""
    return None if facts.orders_before is None else facts.orders_before == 0
