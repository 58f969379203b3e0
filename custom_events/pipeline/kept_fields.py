"""What of a commerce event is kept: facts that matching and sending need, clicks, consent, UTM words, and of the rest what a rule names.

Attributes, meta values, properties, tags, postcodes and reasons are free text by strangers. Of them a field is kept when a revision that is
or was published names it; whatever text is kept holds no e-mail address or international phone number, and free text none as it is
written at home in the country of the order, the customer or the site. A rule that is published later and names another field finds it in what arrives from then on, and by a replay in bodies that are still there: a backtest says so.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from operator import is_not
from typing import Any, Final, TypeVar

import msgspec

from custom_events.pipeline.bulk_rows import Connection
from custom_events.platforms.attribution import LANDING_NAMES
from custom_events.platforms.home_numbers import holds_home_number
from custom_events.platforms.personal import BEGINS, is_personal_name, is_personal_part, is_personal_value
from custom_events.queries import matching as sql
from custom_events.values.deliveries import Understood
from custom_events.values.events import Cart, CommerceEvent, Customer, LineItem, Order, Refund

# Families of fields whose names a shop or a sender chooses, and fields that hold free text about people.
OPEN: Final = ("note_attributes", "meta", "item.properties", "properties")
FREE: Final = ("order.billing_postcode", "order.shipping_postcode", "order.tags", "customer.tags", "refund.reason")

Part = TypeVar("Part", bound=msgspec.Struct)
Branches = dict[str, "Branches"]  # of a sender's properties: what is kept below a name; nothing below it: all of it

_PLAIN: Final = msgspec.json.Decoder()
_ENCODER: Final = msgspec.json.Encoder()
_PERSONAL: Final = object()
PATHS: Final = 4_096  # of pages that are remembered: shops have few pages beside their orders


def is_kept_by_name(field: str) -> bool:
    """Whether a field is kept only where a published rule names it."""
    return field in FREE or any(field.startswith(f"{prefix}.") for prefix in OPEN)


async def load(connection: Connection) -> "KeptFields":
    """What the published revisions name, those that were published once among them."""
    return KeptFields(row[0] for row in await connection.fetch(sql.NAMED_FIELDS))


class KeptFields:
    """The fields that are kept by name. Changes whole verdicts of understanding."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = frozenset(name for name in names if is_kept_by_name(name))
        self._note_attributes, self._meta, self._item_properties, properties = (
            frozenset(name.removeprefix(f"{prefix}.") for name in self.names if name.startswith(f"{prefix}."))
            for prefix in OPEN
        )
        self._properties = _branches(properties)
        self._dropped_postcodes = tuple([name.removeprefix("order.") for name in FREE[:2] if name not in self.names])
        self._order_tags, self._customer_tags, self._reasons = (name in self.names for name in FREE[2:])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeptFields) and self.names == other.names

    def __hash__(self) -> int:
        return hash(self.names)

    def of_understood(self, understood: Understood, default_country: str | None = None) -> Understood:
        """The same without what is not kept. Parts that several events share are shared still. `default_country` (ISO 3166 alpha-2): the site's,
        where a body names none."""
        if not (understood.events or understood.order or understood.refunds):
            return understood
        country = _country_of(understood) or default_country
        reduced = _Once(self, country)
        return msgspec.structs.replace(
            understood,
            events=tuple([reduced.event(event) for event in understood.events]),
            order=None if understood.order is None else reduced.part(understood.order, self.order),
            refunds=tuple([reduced.part(refund, self.refund) for refund in understood.refunds]),
        )

    def order(self, order: Order, country: str | None = None) -> Order:
        """An order."""
        changes: dict[str, Any] = dict.fromkeys(self._dropped_postcodes)
        if order.tags:
            changes["tags"] = _free(order.tags, country) if self._order_tags else ()
        for name in ("discount_codes", "shipping_methods", "payment_methods"):
            if (texts := getattr(order, name)) and any(map(is_suspicious, texts)):
                changes[name] = _clean_all(texts)
        if (page := order.landing_site) is not None:
            changes["landing_site"] = clean_address(page, LANDING_NAMES)
        if (page := order.referring_site) is not None:
            changes["referring_site"] = clean_address(page, frozenset())
        for name in ("number", "source_name", "cancel_reason"):
            if is_suspicious(word := getattr(order, name)):
                changes[name] = clean(word)
        items = [self.item(item, country) for item in order.items]
        if any(map(is_not, items, order.items)):
            changes["items"] = tuple(items)
        return _changed(order, changes)

    def item(self, item: LineItem, country: str | None = None) -> LineItem:
        """A line."""
        # Nothing to look at in the ordinary case, which is asked of every line.
        if not (
            item.properties
            or is_suspicious(item.sku)
            or is_suspicious(item.title)
            or is_suspicious(item.vendor)
            or is_suspicious(item.product_type)
        ):
            return item
        changes: dict[str, Any] = {
            name: clean(getattr(item, name))
            for name in ("sku", "title", "vendor", "product_type")
            if is_suspicious(getattr(item, name))
        }
        if item.properties:
            changes["properties"] = _named(item.properties, self._item_properties, country)
        return _changed(item, changes)

    def refund(self, refund: Refund, country: str | None = None) -> Refund:
        """A refund."""
        changes: dict[str, Any] = {}
        if refund.reason is not None:
            changes["reason"] = _clean_free(refund.reason, country) if self._reasons else None
        if refund.items:
            changes["items"] = tuple([self.item(item, country) for item in refund.items])
        return _changed(refund, changes)

    def cart(self, cart: Cart, country: str | None = None) -> Cart:
        """A cart."""
        return (
            _changed(cart, {"items": tuple([self.item(item, country) for item in cart.items])}) if cart.items else cart
        )

    def customer(self, customer: Customer, country: str | None = None) -> Customer:
        """A customer."""
        tags = _free(customer.tags, country) if self._customer_tags else ()
        return _changed(customer, {"tags": tags}) if customer.tags else customer

    def of_event(self, event: CommerceEvent, country: str | None = None) -> dict[str, Any]:
        """What of an event's own attributes changes, the parts it shares left out."""
        changes: dict[str, Any] = {}
        if event.note_attributes:
            changes["note_attributes"] = _named(event.note_attributes, self._note_attributes, country)
        if event.meta:
            changes["meta"] = _named(event.meta, self._meta, country)
        if event.properties:
            changes["properties"] = _pruned_properties(event.properties, self._properties, country)
        if any(map(is_suspicious, event.utm.values())):
            changes["utm"] = {name: word for name, word in event.utm.items() if clean(word) is not None}
        return {name: value for name, value in changes.items() if value != getattr(event, name)}


class _Once:
    """Reduces each part of one body once, since its events share them."""

    def __init__(self, kept: KeptFields, country: str | None) -> None:
        self._kept, self._country = kept, country
        self._done: dict[int, Any] = {}
        self._own: tuple[CommerceEvent, dict[str, Any]] | None = None

    def part(self, part: Part, reduce: Callable[[Part, str | None], Part]) -> Part:
        reduced: Part | None = self._done.get(id(part))
        if reduced is None:
            reduced = self._done[id(part)] = reduce(part, self._country)
        return reduced

    def event(self, event: CommerceEvent) -> CommerceEvent:
        kept = self._kept
        # Line by line: this is asked of every event, and a loop over names costs three times as much.
        return msgspec.structs.replace(
            event,
            order=None if event.order is None else self.part(event.order, kept.order),
            refund=None if event.refund is None else self.part(event.refund, kept.refund),
            cart=None if event.cart is None else self.part(event.cart, kept.cart),
            customer=None if event.customer is None else self.part(event.customer, kept.customer),
            **self._own_of(event),
        )

    def _own_of(self, event: CommerceEvent) -> dict[str, Any]:
        if self._own is not None:
            first, changes = self._own
            if (
                first.note_attributes is event.note_attributes
                and first.meta is event.meta
                and first.properties is event.properties
                and first.utm is event.utm
            ):
                return changes
        changes = self._kept.of_event(event, self._country)
        self._own = event, changes
        return changes


def is_suspicious(text: str | None) -> bool:
    """Whether a text may be an address or a number: most are neither, and to ask that costs less than to look."""
    return text is not None and text != "" and ("@" in text or "+" in text or text[0] in BEGINS)


def clean(text: str | None) -> str | None:
    """The text, or None where it holds an e-mail address or a phone number."""
    return None if is_suspicious(text) and is_personal_value(text or "") else text


def clean_address(page: str, names: frozenset[str]) -> str | None:
    """A page's address with these parameters of its query alone, and no fragment; None where its path names somebody."""
    path, _, query = page.partition("#")[0].partition("?")
    if _names_somebody(path):
        return None
    parameters = []
    for field in query.split("&") if query and names else ():
        name, _, value = field.partition("=")
        if name.lower() in names and not ((is_suspicious(value) or "%" in value) and is_personal_part(value)):
            parameters.append(field)
    return f"{path}?{'&'.join(parameters)}" if parameters else path


def _clean_free(text: str | None, country: str | None) -> str | None:
    """The same of what people write themselves, who write their number as at home."""
    return None if text and country and holds_home_number(text, country) else clean(text)


def _free(texts: tuple[str, ...], country: str | None) -> tuple[str, ...]:
    return tuple([text for text in texts if _clean_free(text, country) is not None])


def _country_of(understood: Understood) -> str | None:
    """Of the order, else of the customer."""
    for order in (understood.order, *(event.order for event in understood.events)):
        if order is not None and (country := order.billing_country or order.shipping_country):
            return country
    countries = (event.customer.country for event in understood.events if event.customer is not None)
    return next(filter(None, countries), None)


@lru_cache(maxsize=PATHS)
def _names_somebody(path: str) -> bool:
    return is_personal_part(path)


def _clean_all(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple([text for text in texts if clean(text) is not None])


def _named(values: Mapping[str, str], names: frozenset[str], country: str | None) -> dict[str, str]:
    if not names:
        return {}
    return {name: value for name, value in values.items() if name in names and _clean_free(value, country) is not None}


def _changed(part: Part, changes: dict[str, Any]) -> Part:
    real = {name: value for name, value in changes.items() if value != getattr(part, name)}
    return msgspec.structs.replace(part, **real) if real else part


# ---------------------------------------------------------------- properties of custom senders: JSON below each name
def _branches(paths: Iterable[str]) -> Branches:
    """Dotted paths as a tree. The shorter of two paths holds the longer one."""
    root: Branches = {}
    whole: set[int] = set()
    for path in sorted(paths, key=lambda path: path.count(".")):
        branch = root
        steps = path.split(".")
        for place, step in enumerate(steps):
            if id(branch) in whole:
                break
            branch = branch.setdefault(step, {})
            if place == len(steps) - 1:
                whole.add(id(branch))
    return root


def _pruned_properties(
    properties: Mapping[str, msgspec.Raw], branches: Branches, country: str | None
) -> dict[str, msgspec.Raw]:
    named: dict[str, msgspec.Raw] = {}
    for name, raw in properties.items():
        if name in branches:
            document = _PLAIN.decode(raw)
            value = _pruned(document, branches[name], country)
            if value is not _PERSONAL:
                named[name] = raw if value == document else msgspec.Raw(_ENCODER.encode(value))
    return named


def _pruned(value: Any, branches: Branches, country: str | None) -> Any:
    """What is named of a value, and names nobody; places in lists stay, since rules count them."""
    if isinstance(value, dict):
        named = {name: inner for name, inner in value.items() if name in branches or not branches}
        pruned = {
            name: _pruned(inner, branches.get(name, {}), country)
            for name, inner in named.items()
            if not is_personal_name(name) and clean(name) is not None
        }
        return {name: inner for name, inner in pruned.items() if inner is not _PERSONAL}
    if isinstance(value, list):
        parts = [
            _pruned(inner, branches.get(str(place), {}), country) if str(place) in branches or not branches else None
            for place, inner in enumerate(value)
        ]
        return [None if part is _PERSONAL else part for part in parts]
    return _PERSONAL if isinstance(value, str) and value and _clean_free(value, country) is None else value
