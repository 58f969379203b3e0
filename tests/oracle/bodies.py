"""Histories for the real pipeline: what a custom sender would send of them, and rules that ask for the customer's past."""

from datetime import datetime, timedelta
from typing import Any

from tests.oracle.histories import ASIDE, KINDS, Maker
from tests.oracle.reading import Event, Rule

PAST = (
    {"field": "customer.orders_before", "op": "=", "value": 0},
    {"field": "customer.orders_before", "op": ">=", "value": 1},
    {"not": {"field": "customer.orders_before", "op": "<", "value": 2}},
    {"field": "customer.spent_before", "op": ">=", "value": "40"},
    {"not": {"field": "customer.spent_before", "op": "<", "value": "60", "currency": "EUR"}},
)
MOST_EVENTS = (3, 5, 7, 9)


class Sender(Maker):
    """What is constant about an order (amounts, customer, consent, whether it is a test) is so in every body of it."""

    def rules(self) -> list[Rule]:
        """Rules without dates; some ask for the customer's past."""
        found = super().rules()
        for rule in found:
            if self.often(0.3):
                rule["conditions"] = self.pick(PAST)
            rule["valid_from"] = rule["valid_until"] = None
        return found

    def sent(self, begin: datetime) -> list[Event]:
        """Events of some orders, at moments that meet."""
        orders: dict[str, Event] = {}
        found: dict[str, Event] = {}
        for _ in range(self.pick(MOST_EVENTS)):
            kind, number = self.pick(KINDS), str(self._random.randrange(1, 9))
            at = begin + self._random.randrange(8) * timedelta(hours=12) + self.pick(ASIDE)
            event = self._event(kind, number, at)
            first = orders.setdefault(number, self._complete(event, number))
            event |= {name: first[name] for name in ("customer", "consent", "test")}
            if event["order"] is not None:
                event["order"] = first["order"]
            for name in ("refund", "subscription", "cart"):
                if event[name] is not None:
                    event[name]["currency"] = first["order"]["currency"]
            event["clicks"] = event["clicks"][:1]
            event["taken_back"] = event["refund"] is not None and float(event["refund"]["amount"] or 1) == 0
            found.setdefault(event["key"], event)
        return list(found.values())

    def _complete(self, event: Event, number: str) -> Event:
        """An event whose order says all that a sender has to say."""
        currency = self.pick(("EUR", "EUR", "EUR", "USD", "JPY"))
        order = event["order"] or self._order(number, currency)
        order["currency"], order["total"] = currency, order["total"] or "40.00"
        customer = event["customer"]
        if customer is not None and customer["key"] is None and customer["email"] is not None:
            customer["key"] = f"e:{customer['email']}"  # who has no id is known by the address
        return {**event, "order": order}


def paid_orders(events: list[Event]) -> list[dict[str, Any]]:
    """What the oracle knows of orders that were paid."""
    return [
        {
            "id": one["order"]["id"],
            "paid_at": one["at"],
            "customer": (one["customer"] or {}).get("key"),
            "total": one["order"]["total"],
            "currency": one["order"]["currency"],
        }
        for one in events
        if one["type"] == "order.paid" and not one["test"]
    ]


def body_of(event: Event) -> dict[str, Any]:
    """The JSON that a custom sender sends of an event."""
    at = event["at"].isoformat()
    body: dict[str, Any] = {
        "type": event["type"],
        "occurred_at": at,
        "test": event["test"],
        "properties": event["properties"],
    }
    if (order := event["order"]) is not None:
        body["order"] = {**_given(order), "items": [_given(one) for one in order["items"]], "updated_at": at}
        if event["type"] == "order.paid":
            body["order"]["paid_at"] = at
    if (refund := event["refund"]) is not None:
        body["refund"] = {**_given(refund), "items": [_given(one) for one in refund["items"]]}
    if (subscription := event["subscription"]) is not None:
        body["subscription"] = _given(subscription)
    if (cart := event["cart"]) is not None:
        body["cart"] = {
            **_given(cart),
            "items": [_given(one) for one in cart["items"]],
            "token": event["key"].partition(":")[2],
        }
    if (customer := event["customer"]) is not None:
        key = customer["key"]
        body["customer"] = _given(
            {
                "id": key and key.partition(":")[2],
                "email": customer["email"],
                "phone": customer["phone"],
                "country": customer["country"],
            }
        )
    for click in event["clicks"]:
        body["clicks"] = _given({click["kind"]: click["id"], "clicked_at": click["at"] and click["at"].isoformat()})
    if event["consent"] != "unknown":
        body["consent"] = {"ad_user_data": event["consent"]}
    return body


def _given(part: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if value is not None}
