"""May a match leave, and with which click? Consent, click window, identifiers, value, and what the ads action takes: all that can
be said without a clock and without the ledger is said here."""

from datetime import timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from custom_events.conditions.runtime import consent_of
from custom_events.values.clicks import Click, ClickKind, ConsentStatus
from custom_events.values.conversions import AdsAction
from custom_events.values.definitions import ConsentNeeded
from custom_events.values.events import CommerceEvent
from custom_events.values.reasons import Reason

# The EEA, the United Kingdom and Switzerland: where Google's EU user consent policy asks for a yes (docs/reference/google-ads.md 2.5).
EUROPE: Final = frozenset(
    ["AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV", "MT", "NL",
     "PL", "PT", "RO", "SE", "SI", "SK", "IS", "LI", "NO", "GB", "CH"]
)  # fmt: skip


def is_european(event: CommerceEvent) -> bool:
    """Whether the customer may be one: by the order's address, else by the customer's; yes where nobody said."""
    order, customer = event.order, event.customer
    country = None
    if order is not None:
        country = order.shipping_country or order.billing_country
    if country is None and customer is not None:
        country = customer.country
    return country is None or country in EUROPE


class Release(NamedTuple):
    """What a policy makes of a consent that nobody gave or refused."""

    waits: bool  # for somebody to say
    with_user_data: bool


FREE: Final = Release(waits=False, with_user_data=True)


def release_of(needed: ConsentNeeded, event: CommerceEvent, click: Click | None) -> Release:
    """The policy for an event whose consent is unknown. Without a click there is nothing but user data to send: it waits."""
    if not asks_in_europe(needed) or not is_european(event):
        return FREE
    if needed is ConsentNeeded.GRANTED_IN_EUROPE or click is None:
        return Release(waits=True, with_user_data=True)
    return Release(waits=False, with_user_data=False)


def asks_in_europe(needed: ConsentNeeded) -> bool:
    """Whether the policy treats customers in Europe in its own way."""
    return needed in {ConsentNeeded.GRANTED_IN_EUROPE, ConsentNeeded.CLICK_ONLY_IN_EUROPE}


def consent_status(event: CommerceEvent) -> ConsentStatus:
    """Consent to sending user data to ad platforms; unknown when nobody said."""
    return consent_of(event).ad_user_data


def consent_reasons(needed: ConsentNeeded) -> dict[ConsentStatus, Reason]:
    """Why consent keeps a match back, by its status; a status that does not is not there. A refusal always does."""
    reasons = {ConsentStatus.DENIED: Reason.CONSENT_DENIED}
    if needed is ConsentNeeded.GRANTED:
        reasons[ConsentStatus.UNKNOWN] = Reason.CONSENT_UNKNOWN
    return reasons


def click_reason(click: Click, event: CommerceEvent, window: timedelta) -> Reason | None:
    """Why this click cannot stand for the event; None when it can. A click of unknown time is taken."""
    if click.clicked_at is None:
        return None
    if click.clicked_at > event.occurred_at:
        return Reason.CLICK_AFTER_EVENT
    return Reason.CLICK_TOO_OLD if event.occurred_at - click.clicked_at > window else None


def usable_click(event: CommerceEvent, window: timedelta) -> Click | None:
    """The best click that can stand for the event."""
    for click in event.clicks:
        if click.clicked_at is None or click_reason(click, event, window) is None:
            return click
    return None


def has_identifier(event: CommerceEvent) -> bool:
    """Whether a hashed e-mail or phone number is known."""
    customer = event.customer
    return customer is not None and (customer.email_sha256 is not None or customer.phone_sha256 is not None)


def identity_reason(event: CommerceEvent, click: Click | None, window: timedelta) -> Reason | None:
    """Why Google could not tell whose event it is; the best click's reason where there are only unusable clicks."""
    if click is not None or has_identifier(event):
        return None
    if event.clicks:
        return click_reason(event.clicks[0], event, window)
    return Reason.NO_CLICK_OR_IDENTIFIER


def match_reason(
    *,
    sends: bool,
    consent: Reason | None,
    event: CommerceEvent,
    click: Click | None,
    window: timedelta,
    value_missing: bool,
) -> Reason | None:
    """The first reason of the event and its assignment that keeps a match from leaving. `consent`: the consent's own."""
    if not sends:
        return Reason.NO_ADS_ACTION
    if consent is not None:
        return consent
    if click is None and (reason := identity_reason(event, click, window)) is not None:
        return reason
    return Reason.VALUE_UNKNOWN if value_missing else None


def action_reason(
    action: AdsAction | None, event: CommerceEvent, click: Click | None, value: Decimal | None, currency: str | None
) -> Reason | None:
    """The first reason of the ads action that keeps one from leaving which may; `click` is the one that the action takes."""
    if action is None:
        return Reason.UNKNOWN_ADS_ACTION
    if click is None and not has_identifier(event):
        return Reason.CLICK_NOT_TAKEN
    return Reason.NO_CURRENCY if value and currency is None else None


def other_clicks(
    chosen: Click | None, event: CommerceEvent, window_days: int, action: AdsAction | None
) -> tuple[Click, ...]:
    """The clicks that may stand for the event as well, best first: tried when Google refuses the chosen one."""
    if chosen is None or len(event.clicks) == 1:
        return ()
    days = window_days if action is None else min(window_days, action.click_window_days)
    window, gclid_only = timedelta(days=days), action is not None and action.one_per_click
    return tuple(
        [
            click
            for click in event.clicks
            if click is not chosen
            and (click.kind is ClickKind.GCLID or not gclid_only)
            and click_reason(click, event, window) is None
        ]
    )


def click_for(best: Click | None, event: CommerceEvent, window_days: int, action: AdsAction | None) -> Click | None:
    """The best click that the action takes too: its window may be shorter than the assignment's, and one that counts one per
    click refuses gbraid and wbraid (docs/reference/google-ads.md 2.3)."""
    if action is None or best is None or (not action.one_per_click and action.click_window_days >= window_days):
        return best
    window = timedelta(days=min(window_days, action.click_window_days))
    for click in event.clicks:
        if action.one_per_click and click.kind is not ClickKind.GCLID:
            continue
        if click_reason(click, event, window) is None:
            return click
    return None
