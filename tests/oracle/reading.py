"""The oracle's events: their order, their amounts, and whether conditions hold for them. See `oracle.py`."""

from collections.abc import Iterable
from datetime import datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo  # noqa: TID251  (it imports nothing of ours)

Event = dict[str, Any]
Rule = dict[str, Any]
Amount = Fraction | None

LIMIT = 10**15  # what has more digits before the point is no amount of money


# ---------------------------------------------------------------- events and their order
def place(event: Event) -> tuple[datetime, str]:
    return event["at"], event["key"]


def in_time(events: Iterable[Event]) -> list[Event]:
    return sorted(events, key=place)


def local(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone))


def part(event: Event, name: str, field: str) -> Any:
    found = event.get(name)
    return None if found is None else found.get(field)


def order_of(event: Event) -> str | None:
    if event.get("order") is not None:
        return event["order"]["id"]
    if event.get("refund") is not None:
        return event["refund"]["order_id"]
    return part(event, "subscription", "order_id")


def customer_of(event: Event) -> str | None:
    return part(event, "customer", "key")


def number(value: Any) -> Amount:
    """An amount of money, or None."""
    if value is None or isinstance(value, bool):
        return None
    try:
        found = Fraction(str(value))
    except ValueError:
        return None
    return found if abs(found) < LIMIT else None


def amount_of(event: Event) -> Amount:
    if event.get("refund") is not None:
        return number(event["refund"]["amount"])
    if part(event, "subscription", "amount") is not None:
        return number(event["subscription"]["amount"])
    if event.get("order") is not None:
        return number(event["order"].get("total"))
    return number(part(event, "cart", "total"))


def currency_of(event: Event) -> str | None:
    names = ("refund", "order", "subscription", "cart")
    return next((found for name in names if (found := part(event, name, "currency")) is not None), None)


def lines_of(event: Event) -> list[dict[str, Any]] | None:
    """The lines that an event is about; None where there can be none."""
    if part(event, "refund", "items"):
        return event["refund"]["items"]
    if event.get("order") is not None:
        return event["order"].get("items") or []
    return None if event.get("cart") is None else event["cart"].get("items") or []


def line_total(line: dict[str, Any]) -> Amount:
    if line.get("total") is not None:
        return number(line["total"])
    price = number(line.get("price"))
    return None if price is None else price * line.get("quantity", 0)


def sum_of_lines(lines: Iterable[dict[str, Any]]) -> Amount:
    total = Fraction(0)
    for line in lines:
        found = line_total(line)
        if found is None:
            return None
        total += found
    return total


# ---------------------------------------------------------------- conditions
class World:
    """A site's zone, and its orders that were paid: dicts with id, paid_at, customer, total, currency."""

    def __init__(self, zone: str = "UTC", paid: Iterable[dict[str, Any]] = ()) -> None:
        self.zone, self.paid = zone, list(paid)

    def orders_before(self, event: Event) -> list[dict[str, Any]] | None:
        customer = customer_of(event)
        if customer is None:
            return None
        own = order_of(event) or ""
        return [
            one
            for one in self.paid
            if one["customer"] == customer and one["id"] != own and (one["paid_at"], one["id"]) < (event["at"], own)
        ]

    def read(self, name: str, event: Event, line: dict[str, Any] | None) -> tuple[Any, str | None]:
        """A field's value (None: missing) and the currency of an amount."""
        root, _, rest = name.partition(".")
        if root == "item" and line is not None:
            money = rest in ("total", "price")
            value = line_total(line) if rest == "total" else number(line.get(rest)) if money else line.get(rest)
            return (value, currency_of(event)) if money else (value or None, None)
        if name == "event.amount":
            return amount_of(event), currency_of(event)
        if name in ("order.total", "order.tax", "order.shipping", "order.discount"):
            return number(part(event, "order", rest)), part(event, "order", "currency")
        if name == "refund.amount":
            return number(part(event, "refund", rest)), currency_of(event)
        if root == "time":
            at = local(event["at"], self.zone)
            words = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
            return {"hour": at.hour, "day": at.day, "month": at.month, "weekday": words[at.weekday()]}[rest], None
        if root == "properties":
            return (event.get("properties") or {}).get(rest), None
        before = self.orders_before(event)
        if name == "customer.orders_before":
            return None if before is None else len(before), None
        if name == "customer.spent_before":
            mine = currency_of(event)
            if before is None or any(one["currency"] != mine for one in before):
                return None, mine
            return sum((Fraction(one["total"]) for one in before), Fraction(0)), mine
        found = {
            "event.type": event["type"],
            "event.currency": currency_of(event),
            "order.id": part(event, "order", "id"),
            "order.currency": part(event, "order", "currency"),
            "order.tags": part(event, "order", "tags"),
            "customer.known": customer_of(event) is not None,
        }[name]
        return (None if found in ("", [], ()) else found), None

    def holds(self, tree: dict[str, Any] | None, event: Event, line: dict[str, Any] | None = None) -> bool:
        if tree is None:
            return True
        if "all" in tree:
            return all(self.holds(one, event, line) for one in tree["all"])
        if "any" in tree:
            return any(self.holds(one, event, line) for one in tree["any"])
        if "not" in tree:
            return not self.holds(tree["not"], event, line)
        if "field" not in tree:
            return self.lines_hold(tree, event)
        value, currency = self.read(tree["field"], event, line)
        op, wanted = tree["op"], tree.get("value")
        if op in ("exists", "missing"):
            return (value is not None) is (op == "exists")
        if value is None or ("currency" in tree and currency != tree["currency"]):
            return False
        if tree["field"].startswith("properties."):
            value = number(value) if isinstance(wanted, int) and not isinstance(wanted, bool) else value
            if value is None:
                return False
        if isinstance(value, Fraction | int) and not isinstance(value, bool):
            wanted = [Fraction(str(one)) for one in wanted] if isinstance(wanted, list) else Fraction(str(wanted))
        return _compared(op, value, wanted)

    def lines_hold(self, tree: dict[str, Any], event: Event) -> bool:
        ((word, below),) = tree.items()
        verdicts = [self.holds(below, event, one) for one in lines_of(event) or []]
        match word:
            case "any_item":
                return any(verdicts)
            case "all_items":
                return bool(verdicts) and all(verdicts)
            case "no_item":
                return not any(verdicts)
        raise NotImplementedError(word)


def _compared(op: str, value: Any, wanted: Any) -> bool:
    match op:
        case "=":
            return value == wanted
        case "!=":
            return value != wanted
        case "<":
            return value < wanted
        case "<=":
            return value <= wanted
        case ">":
            return value > wanted
        case ">=":
            return value >= wanted
        case "in":
            return value in wanted
        case "not_in":
            return value not in wanted
        case "between":
            return wanted[0] <= value <= wanted[1]
        case "contains":
            return wanted in value
        case "starts_with":
            return any(one.startswith(wanted) for one in ([value] if isinstance(value, str) else value))
    raise NotImplementedError(op)
