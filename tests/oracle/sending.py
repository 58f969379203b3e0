"""Whether and when the oracle's conversions are sent. See `oracle.py`."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from tests.oracle.oracle import standing
from tests.oracle.reading import Amount, Event, Rule, World, order_of, part
from tests.oracle.worth import value_of

EUROPE = [
    "AT",
    "BE",
    "BG",
    "CY",
    "CZ",
    "DE",
    "DK",
    "EE",
    "ES",
    "FI",
    "FR",
    "GR",
    "HR",
    "HU",
    "IE",
    "IT",
    "LT",
    "LU",
    "LV",
    "MT",
    "NL",
    "PL",
    "PT",
    "RO",
    "SE",
    "SI",
    "SK",
    "IS",
    "LI",
    "NO",
    "GB",
    "CH",
]
MANY_PER_ORDER = ("order.refunded", "subscription.payment_failed", "cart.item_added")


def click_reason(click: dict[str, Any], event: Event, days: int) -> str | None:
    if click["at"] is None:
        return None
    if click["at"] > event["at"]:
        return "click_after_event"
    return "click_too_old" if event["at"] - click["at"] > timedelta(days=days) else None


def sending(rule: Rule, event: Event, value: Amount, action: dict[str, Any] | None = None) -> dict[str, Any]:
    """Why it is withheld by rule and event (and by its ads action, where one is given: click_window_days, one_per_click), with which
    click it would go, not before when, whether it waits for consent and whether hashes go."""
    days, said = rule.get("click_window_days", 90), event.get("consent", "unknown")
    needed = rule.get("consent_needed", "not_denied")
    clicks = event.get("clicks") or []
    usable = [one for one in clicks if click_reason(one, event, days) is None]
    click = usable[0] if usable else None
    hashed = part(event, "customer", "email") is not None or part(event, "customer", "phone") is not None
    reason = None
    if rule.get("ads_action") is None:
        reason = "no_ads_action"
    elif said == "denied":
        reason = "consent_denied"
    elif said == "unknown" and needed == "granted":
        reason = "consent_unknown"
    elif click is None and not hashed:
        reason = click_reason(clicks[0], event, days) if clicks else "no_click_or_identifier"
    elif value is None and (rule.get("value") or {}).get("source") != "none":
        reason = "value_unknown"
    place_of = (
        part(event, "order", "shipping_country")
        or part(event, "order", "billing_country")
        or part(event, "customer", "country")
    )
    asks = needed in ("granted_in_europe", "click_only_in_europe") and said == "unknown"
    asks = asks and (place_of is None or place_of in EUROPE)
    waits = asks and (needed == "granted_in_europe" or click is None)
    if action is not None and click is not None:
        window = min(days, action["click_window_days"])
        fitting = [one for one in usable if click_reason(one, event, window) is None]
        fitting = [one for one in fitting if one["kind"] == "gclid" or not action["one_per_click"]]
        click = fitting[0] if fitting else None
    return {
        "reason": reason,
        "click": None if click is None else click["id"],
        "clicked_at": None if click is None else click["at"],
        "hashed": hashed,
        "waits_for_consent": waits,
        "with_hashes": not asks or waits,
        "not_before": event["at"] + timedelta(minutes=rule.get("delay_minutes", 0)),
    }


def transaction_of(site_id: int, event: Event) -> str:
    order = order_of(event)
    if order and event["type"] not in MANY_PER_ORDER and order.isprintable() and "@" not in order and order[0] != "+":
        name = f"{site_id}-{order}"
        if len(name) <= 64:
            return name
    return "ce-" + hashlib.sha256(f"{site_id}:{event['key']}".encode()).hexdigest()[:24]


def conversions(
    events: Iterable[Event], rules: list[Rule], world: World, *, site_id: int, now: datetime
) -> list[dict[str, Any]]:
    """Every custom event with its value and why its conversion does not go (None: it goes, or waits). Ads actions are registered, take
    every click for 90 days, and nothing was sent yet."""
    taken: set[tuple[str, str]] = set()
    found: list[dict[str, Any]] = []
    for event, rule, key in standing(events, rules, world):
        value, currency = value_of(rule, event, world)
        told = sending(rule, event, value, {"click_window_days": 90, "one_per_click": False})
        reason = told["reason"]
        if reason is None and told["click"] is None and not told["hashed"]:
            reason = "click_not_taken"
        if reason is None and value and currency is None:
            reason = "no_currency"
        if reason is None:
            begins = event["at"] if told["clicked_at"] is None else told["clicked_at"]
            days = 63 if told["click"] is None else 90
            reason = "too_late" if begins + timedelta(days=days) <= now else None
        if reason is None:
            transaction = (rule["ads_action"], transaction_of(site_id, event))
            reason = "same_transaction_other_assignment" if transaction in taken else None
            taken.add(transaction)
        found.append(
            {
                "rule": rule["id"],
                "event": event["key"],
                "key": key,
                "value": value,
                "currency": currency,
                "reason": reason,
            }
        )
    return found
