"""Who a body tells of: by what was understood, and by every address, number and named id that stands in it. Pure."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from custom_events.platforms import loose_json
from custom_events.values.deliveries import Understood
from custom_events.values.events import CommerceEvent
from custom_events.values.forgotten import SubjectKind
from custom_events.values.identifiers import email_sha256, phone_sha256

Mention = tuple[SubjectKind, str]

MAX_PHONE_CHARS: Final = 32  # 15 digits (ITU-T E.164) and what people write between them
_EMAIL: Final = re.compile(r"[^\s@<>\"',;:()\[\]{}=&?/\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,253})\.[A-Za-z]{2,63}")
_HASH: Final = re.compile(r"[0-9a-fA-F]{64}")
_GID: Final = re.compile(r"gid://shopify/(Order|Customer)/(\d{1,20})")
_PHONE_NAME: Final = re.compile("phone|mobile|tel(?:$|_)|whatsapp", re.IGNORECASE)
_PHONE_VALUE: Final = re.compile(r"\+?[\d\s().\-/]{6,32}")
_FAMILY: Final = re.compile(r"(order|customer|subscription)(?:_contract)?s?[/.]")
_ID_NAMES: Final = {
    "customer_id": SubjectKind.CUSTOMER,
    "order_id": SubjectKind.ORDER,
    "orders_to_redact": SubjectKind.ORDER,
    "orders_requested": SubjectKind.ORDER,
    "cart_token": SubjectKind.CART,
    "checkout_token": SubjectKind.CART,
    "subscription_id": SubjectKind.SUBSCRIPTION,
    "subscription_contract_id": SubjectKind.SUBSCRIPTION,
}


class Mentions(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a body tells of. `happened_at` is the store's clock of what it tells, None where nothing says so."""

    subjects: frozenset[Mention]
    happened_at: datetime | None = None


def of_understood(understood: Understood) -> Mentions:
    """Whom the events and states of a body are about."""
    subjects: set[Mention] = set()
    moments: list[datetime] = []
    for event in understood.events:
        subjects.update(of_event(event))
        moments.append(event.occurred_at if event.order is None else event.order.created_at)
    if understood.subscription is not None:
        subjects.add((SubjectKind.SUBSCRIPTION, understood.subscription.id))
    orders = [refund.order_id for refund in understood.refunds]
    if understood.order is not None:
        orders.append(understood.order.id)
        moments.append(understood.order.created_at)
    if understood.deleted_order_id is not None:
        orders.append(understood.deleted_order_id)
    subjects.update((SubjectKind.ORDER, order) for order in orders)
    return Mentions(subjects=frozenset(subjects), happened_at=min(moments, default=None))


def of_event(event: CommerceEvent) -> Iterator[Mention]:
    """Whom one event is about."""
    if (order_id := event.order_id) is not None:
        yield SubjectKind.ORDER, order_id
    if event.cart is not None:
        yield SubjectKind.CART, event.cart.token
    if event.subscription is not None:
        yield SubjectKind.SUBSCRIPTION, event.subscription.id
    if (customer := event.customer) is not None:
        if customer.id is not None:
            yield SubjectKind.CUSTOMER, customer.id
        if customer.email_sha256 is not None:
            yield SubjectKind.EMAIL, customer.email_sha256
        if (
            customer.phone_sha256 is not None and customer.key is None
        ):  # a household shares a number, and has several people
            yield SubjectKind.PHONE, customer.phone_sha256


def of_body(body: bytes, topic: str | None, country: str | None = None) -> frozenset[Mention]:
    """Every address, phone number and named id in a body, whatever it is; `country` reads national numbers."""
    try:
        document = loose_json.cleaned(loose_json.decode(body))  # half a character has no digest
    except (ValueError, RecursionError):
        return frozenset(_in_text("", body.decode("utf-8", "replace"), country))
    subjects = set(_in_document(document, country))
    family = _FAMILY.match(topic or "")
    if family is not None and isinstance(document, dict) and _is_id(document.get("id")):
        subjects.add((SubjectKind(family[1]), str(document["id"])))
    return frozenset(subjects)


def _in_document(document: Any, country: str | None) -> Iterator[Mention]:
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            if name == "customer" and _is_id(value.get("id")):
                yield SubjectKind.CUSTOMER, str(value["id"])
            if value.get("type") == "order" and _is_id(
                value.get("id")
            ):  # BigCommerce's hooks: {"type": "order", "id": 118}
                yield SubjectKind.ORDER, str(value["id"])
            waiting += value.items()
            waiting += [("", key) for key in value if "@" in key]
        elif isinstance(value, list):
            waiting += [(name, item) for item in value]
        elif _is_id(value) and name in _ID_NAMES:
            yield _ID_NAMES[name], str(value)
            yield from _in_text(name, str(value), country)
        elif isinstance(value, str):
            yield from _in_text(name, value, country)
        elif isinstance(value, int) and _PHONE_NAME.search(name):
            yield from _in_text(name, str(value), country)


def _in_text(name: str, text: str, country: str | None) -> Iterator[Mention]:
    if "%40" in text:
        text = unquote(text)
    if "@" in text:
        for address in _EMAIL.findall(text):
            if (digest := email_sha256(address)) is not None:
                yield SubjectKind.EMAIL, digest
    if len(text) >= 64:  # noqa: PLR2004  as long as a SHA-256 in hexadecimal
        for digest in _HASH.findall(text):
            yield SubjectKind.EMAIL, digest.lower()
            yield SubjectKind.PHONE, digest.lower()
    for noun, number in _GID.findall(text):
        yield SubjectKind(noun.lower()), number
    is_number = len(text) <= MAX_PHONE_CHARS and _PHONE_VALUE.fullmatch(text) is not None
    if is_number and (text.startswith("+") or _PHONE_NAME.search(name)):
        for phone in (text, f"+{text}"):
            if (digest := phone_sha256(phone, country)) is not None:
                yield SubjectKind.PHONE, digest


def _is_id(value: Any) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and value != "")
