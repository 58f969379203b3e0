"""Random rules and events for the laws: as the oracle reads them (plain dicts), and as the product does."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from custom_events.values.clicks import Click, ClickKind, Consent, ConsentStatus
from custom_events.values.definitions import Assignment, DefinitionConfig
from custom_events.values.events import Cart, CommerceEvent, Customer, EventType, LineItem, Order, Refund, Subscription
from tests.oracle.reading import Event, Rule

# Clocks change on 30 March 2025 (Berlin at 2:00, Beirut at midnight), on 6 April (Lord Howe, by half an hour), on 9 March (New York, Havana
# at midnight); a quarter begins on 1 April, and weeks on 31 March and 7 April.
ZONES = (
    "UTC",
    "Europe/Berlin",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "America/Havana",
    "Asia/Kathmandu",
    "Pacific/Apia",
)
SPRING = datetime(2025, 3, 27, 22, tzinfo=UTC)
NEW_YEAR = datetime(2024, 12, 28, 11, tzinfo=UTC)
MARCH = datetime(2025, 3, 7, 5, tzinfo=UTC)
ACTION = "1234567890/77"
# Steps of half a day, and what lies just before and after them: windows' edges meet, and so do moments.
ASIDE = (
    *[timedelta(0)] * 5,
    timedelta(microseconds=-1),
    timedelta(microseconds=1),
    timedelta(hours=1),
    timedelta(minutes=90),
)
KINDS = (
    *["order.paid"] * 6,
    "order.created",
    "order.refunded",
    "order.refunded",
    "subscription.renewed",
    "checkout.started",
)
CLICKED_BEFORE = (
    None,
    None,
    timedelta(0),
    timedelta(days=1),
    timedelta(days=1, microseconds=1),
    timedelta(days=80),
    timedelta(hours=-1),
)
TOTALS = ("10.00", "25.50", "40.00", "60.00", "99.995", "100.00", "0.00")
LEAVES = (
    {"field": "order.total", "op": ">=", "value": "40"},
    {"field": "order.total", "op": "<", "value": "60", "currency": "EUR"},
    {"field": "order.tax", "op": "!=", "value": "5"},
    {"field": "order.tax", "op": "missing"},
    {"field": "event.amount", "op": "between", "value": ["10", "60"]},
    {"field": "event.currency", "op": "in", "value": ["EUR", "JPY"]},
    {"field": "event.currency", "op": "not_in", "value": ["USD"]},
    {"field": "customer.known", "op": "=", "value": True},
    {"field": "time.hour", "op": "<=", "value": 11},
    {"field": "time.weekday", "op": "in", "value": ["sunday", "monday"]},
    {"field": "time.day", "op": "=", "value": 30},
    {"field": "order.tags", "op": "contains", "value": "vip"},
    {"field": "properties.level", "op": ">", "value": 1},
    {"any_item": {"field": "item.sku", "op": "starts_with", "value": "VIP-"}},
    {"all_items": {"field": "item.total", "op": ">", "value": "20"}},
    {"no_item": {"field": "item.sku", "op": "=", "value": "A-1"}},
)
PAID = ["order.paid"]
TRIGGERS = (PAID, PAID, PAID, ["order.created", "order.paid"], ["order.refunded"], ["order.paid", "order.refunded"],
            ["subscription.renewed"], ["checkout.started", "order.paid"])  # fmt: skip
PERIODS = ("rolling", "rolling", "rolling", "day", "week", "month", "quarter", "year", "lifetime")
POLICIES = ("granted", "not_denied", "granted_in_europe", "click_only_in_europe")
ITEMS = (
    {"field": "item.sku", "op": "starts_with", "value": "VIP-"},
    {"not": {"field": "item.sku", "op": "=", "value": "A-1"}},
    {"field": "item.total", "op": ">=", "value": "25.5"},
)


class Maker:
    """Rules and events from a seed: the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.pick = self._random.choice
        # Every other history is a plain one, of one customer's paid orders in one currency: thresholds and windows have much to count.
        self._is_plain = self.often(0.5)

    def often(self, share: float) -> bool:
        return self._random.random() < share

    def zone(self) -> str:
        return self.pick(ZONES)

    def shuffled(self, many: list[Any]) -> list[list[Any]]:
        """In any order, in one to three batches."""
        arrived = self._random.sample(many, len(many))
        cuts = sorted(self._random.randrange(len(arrived) + 1) for _ in range(self.pick((0, 1, 2))))
        return [arrived[first:last] for first, last in zip([0, *cuts], [*cuts, len(arrived)], strict=True)]

    # ------------------------------------------------------------ rules
    def rules(self, *, pipeline: bool = False) -> list[Rule]:
        """One to four rules with ids from 1, most of them in one group."""
        return [self._rule(number, pipeline=pipeline) for number in range(1, self.pick((1, 2, 3, 4)) + 1)]

    def _rule(self, number: int, *, pipeline: bool) -> Rule:
        first, last = sorted(self.pick(("2025-03-28", "2025-03-29", "2025-03-30", "2025-03-31")) for _ in "ab")
        dated = not pipeline and self.often(0.15)
        return {
            "id": number,
            "trigger": PAID if self._is_plain else self.pick(TRIGGERS),
            "conditions": self._tree() if self.often(0.3) and not self._is_plain else None,
            "threshold": self._threshold() if self.often(0.6) else None,
            "dedup": self._dedup(),
            "value": self._value(),
            "group": self.pick((None, "g", "g")),
            "priority": self.pick((0, 1)),
            "click_window_days": self.pick((1, 90)),
            "delay_minutes": self.pick((0, 90)),
            "consent_needed": self.pick(POLICIES),
            "valid_from": first if dated else None,
            "valid_until": last if dated and self.often(0.5) else None,
            "ads_action": self.pick((None, ACTION, ACTION)),
        }

    def _tree(self, levels: int = 4) -> dict[str, Any]:
        if levels == 1 or self.often(0.6):
            return self.pick(LEAVES)
        if self.often(0.4):
            return {"not": self._tree(levels - 1)}
        return {self.pick(("all", "any")): [self._tree(levels - 1) for _ in range(self.pick((1, 2)))]}

    def _threshold(self) -> dict[str, Any]:
        period = self.pick(PERIODS)
        found: dict[str, Any] = {
            "scope": self.pick(("customer", "site")),
            "period": period,
            "fires": self.pick(("on_reaching", "every_further", "every_nth")),
        }
        if period == "rolling":
            found["window_days"] = self.pick((1, 2, 3))
        if self.often(0.5):
            return {**found, "at_least": self.pick(("1", "2", "2", "3"))}
        found |= {"measure": "sum", "at_least": self.pick(("10", "30", "50.5", "80", "120"))}
        field = self.pick((None, None, None, "order.total", "order.discount", "properties.points"))
        currency = self.pick((None, None, "EUR", "USD"))
        return (
            found | ({} if field is None else {"field": field}) | ({} if currency is None else {"currency": currency})
        )

    def _dedup(self) -> dict[str, Any]:
        per = self.pick(("order", "customer", "customer_window", "customer_window", "subscription_period", "event"))
        return {"per": per, "window_days": self.pick((1, 2, 3))} if per == "customer_window" else {"per": per}

    def _clamps(self) -> dict[str, Any]:
        options = {
            "factor": ("0.35", "2", "1.005"),
            "at_least": ("5", "20.005"),
            "at_most": ("50", "90.5"),
        }
        return {name: self.pick(words) for name, words in options.items() if self.often(0.4)}

    def _value(self) -> dict[str, Any]:
        source = self.pick(("order_total", "order_total", "order_total", "items_total", "fixed", "field", "none"))
        found: dict[str, Any] = {"source": source, **self._clamps()}
        if self.often(0.3):
            found["by_currency"] = {self.pick(("EUR", "JPY")): self._clamps()}
        match source:
            case "order_total":
                found |= {f"without_{part}": self.often(0.4) for part in ("tax", "shipping", "discounts")}
            case "items_total" if self.often(0.6):
                found["items"] = self.pick(ITEMS)
            case "fixed":
                found["fixed"] = self.pick(("12.345", "7"))
                if self.often(0.5):
                    found["currency"] = self.pick(("EUR", "KWD"))
                for here in found.get("by_currency", {}).values():
                    here.update({"fixed": "3.5"} if self.often(0.5) else {})
            case "field":
                found["field"] = self.pick(("order.discount", "properties.points", "event.amount"))
        return found

    # ------------------------------------------------------------ events
    def events(self) -> list[Event]:
        """What happened on a site: some orders of few customers, their refunds and renewals, at moments that meet."""
        begin = self.pick((SPRING, SPRING, NEW_YEAR, MARCH))
        steps = self.pick((4, 8, 8, 24))  # half days: the fewer, the more meet
        found: dict[str, Event] = {}
        for _ in range(self.pick((3, 5, 7, 9, 12))):
            at = begin + self._random.randrange(steps) * timedelta(hours=12) + self.pick(ASIDE)
            event = self._event(
                "order.paid" if self._is_plain else self.pick(KINDS), str(self._random.randrange(1, 13)), at
            )
            found.setdefault(event["key"], event)
        return list(found.values())

    def _event(self, kind: str, order_id: str, at: datetime) -> Event:
        currency = "EUR" if self._is_plain else self.pick(("EUR", "EUR", "EUR", "EUR", "USD", "JPY", "KWD", None))
        has_order = kind.startswith("order.") or (kind == "subscription.renewed" and self.often(0.5))
        event: Event = {
            "type": kind,
            "key": f"{kind}:{order_id}",
            "at": at,
            "test": self.often(0.05),
            "order": self._order(order_id, currency) if has_order else None,
            "refund": None,
            "subscription": None,
            "cart": None,
            "customer": self._customer(),
            "clicks": [self._click(at) for _ in range(self.pick((0, 1, 1, 2)))],
            "consent": self.pick(("granted", "granted", "unknown", "unknown", "denied")),
            "properties": self.pick(({}, {"points": "12.5", "level": 2}, {"points": -37, "level": 1}, {"points": "x"})),
        }
        if kind == "order.refunded":
            number = self.pick(("1", "2"))
            event["key"] += f":{number}"
            event["refund"] = {
                "id": number,
                "order_id": order_id,
                "amount": self.pick(TOTALS),
                "currency": currency,
                "items": self._lines(2),
            }
            if self.often(0.3):
                event["order"] = None
        elif kind == "subscription.renewed":
            event["key"] = f"{kind}:s1:{order_id}"
            named = order_id if not has_order or self.often(0.5) else None
            event["subscription"] = {"id": "s1", "order_id": named, "amount": self._maybe(TOTALS), "currency": currency}
        elif kind == "checkout.started":
            event["cart"] = {"total": self._maybe(TOTALS), "currency": currency, "items": self._lines(2)}
        return event

    def _maybe(self, words: Sequence[str]) -> str | None:
        return None if self.often(0.25) else self.pick(words)

    def _lines(self, most: int) -> list[dict[str, Any]]:
        return [
            {
                "sku": self.pick(("VIP-1", "VIP-2", "A-1", None)),
                "quantity": self.pick((0, 1, 2, 3)),
                "price": self._maybe(TOTALS),
                "total": self._maybe(TOTALS),
            }
            for _ in range(self._random.randrange(most + 1))
        ]

    def _order(self, order_id: str, currency: str | None) -> dict[str, Any]:
        return {
            "id": order_id,
            "total": None if self.often(0.1) else self.pick(TOTALS),
            "currency": currency,
            "items": self._lines(3),
            "tags": self.pick(([], ["vip"], ["new", "vip"])),
            "shipping_country": self.pick((None, "DE", "US")),
            "billing_country": self.pick((None, "FR", "US")),
            **{name: self._maybe(("0", "5", "12.345")) for name in ("tax", "shipping", "discount")},
        }

    def _customer(self) -> dict[str, Any] | None:
        key = "c:1" if self._is_plain else self.pick(("c:1", "c:1", "c:1", "c:2", None))
        if key is None and self.often(0.5):
            return None
        return {
            "key": key,
            "email": self.pick((None, "a" * 64)),
            "phone": self.pick((None, None, "b" * 64)),
            "country": self.pick((None, "GB", "BR")),
        }

    def _click(self, at: datetime) -> dict[str, Any]:
        before = self.pick(CLICKED_BEFORE)
        return {
            "kind": self.pick(("gclid", "gbraid")),
            "id": self.pick(("Cj0-one", "Cj0-two")),
            "at": None if before is None else at - before,
        }


def smallest(
    rules: list[Rule], events: list[Event], fails: Callable[[list[Rule], list[Event]], bool]
) -> tuple[list[Rule], list[Event]]:
    """What is left of a failing history when every rule and event is taken out that it does not need to fail."""
    for one in list(rules):
        fewer = [other for other in rules if other is not one]
        rules = fewer if fewer and fails(fewer, events) else rules
    for one in list(events):
        fewer_events = [other for other in events if other is not one]
        events = fewer_events if fails(rules, fewer_events) else events
    return rules, events


def config_of(rule: Rule) -> DefinitionConfig:
    """A rule as the product reads it."""
    return msgspec.convert({name: value for name, value in rule.items() if name != "id"}, DefinitionConfig)


def assignment_of(rule: Rule, site_id: int) -> Assignment:
    return Assignment(
        assignment_id=rule["id"],
        site_id=site_id,
        label=f"rule {rule['id']}",
        definition_key=f"rule_{rule['id']}",
        definition_revision_id=100 + rule["id"],
        assignment_revision_id=200 + rule["id"],
        config=config_of(rule),
    )


def commerce_event(event: Event) -> CommerceEvent:
    """An event as the product keeps it."""
    order, refund, subscription, cart = (event[name] for name in ("order", "refund", "subscription", "cart"))
    at, customer = event["at"], event["customer"]
    return CommerceEvent(
        type=EventType(event["type"]),
        key=event["key"],
        occurred_at=at,
        evidence_at=at,
        is_test=event["test"],
        order=None
        if order is None
        else Order(
            id=order["id"],
            created_at=at,
            updated_at=at,
            currency=order["currency"],
            **{name: _decimal(order[name]) for name in ("total", "tax", "shipping", "discount")},
            items=_items(order["items"]),
            tags=tuple(order["tags"]),
            shipping_country=order["shipping_country"],
            billing_country=order["billing_country"],
        ),
        refund=None
        if refund is None
        else Refund(
            id=refund["id"],
            order_id=refund["order_id"],
            amount=Decimal(refund["amount"]),
            currency=refund["currency"],
            items=_items(refund["items"]),
        ),
        subscription=None
        if subscription is None
        else Subscription(
            id=subscription["id"],
            order_id=subscription["order_id"],
            amount=_decimal(subscription["amount"]),
            currency=subscription["currency"],
        ),
        cart=None
        if cart is None
        else Cart(
            token=event["key"], currency=cart["currency"], total=_decimal(cart["total"]), items=_items(cart["items"])
        ),
        customer=None
        if customer is None
        else Customer(
            key=customer["key"],
            email_sha256=customer["email"],
            phone_sha256=customer["phone"],
            country=customer["country"],
        ),
        clicks=tuple(Click(kind=ClickKind(one["kind"]), id=one["id"], clicked_at=one["at"]) for one in event["clicks"]),
        consent=None if event["consent"] == "unknown" else Consent(ad_user_data=ConsentStatus(event["consent"])),
        properties={name: msgspec.Raw(msgspec.json.encode(value)) for name, value in event["properties"].items()},
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _items(found: list[dict[str, Any]]) -> tuple[LineItem, ...]:
    return tuple(
        LineItem(sku=one["sku"], quantity=one["quantity"], price=_decimal(one["price"]), total=_decimal(one["total"]))
        for one in found
    )
