"""Search: what somebody has in hand (an order's number, an address, a click id) and where it was found.

Addresses and phone numbers are hashed before anything is asked; nobody stores or logs them. Each look is by index, and none reads more with
more history: orders and customers by one look for each site, clicks by one for each month, deliveries by one for each site and week. The
last is what costs, so deliveries are looked for where nothing else is called so, or by `delivery:`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.errors import InvalidConfiguration
from custom_events.queries import search as sql
from custom_events.queries.deliveries import RAW_EVENT, probed_weeks
from custom_events.values.deliveries import keys_of_id
from custom_events.values.identifiers import email_sha256, is_sha256_hex, phone_sha256
from custom_events.values.numbers import MAX_ID

MOST_RESULTS: Final = 20  # of each way to find something
LONGEST: Final = 500  # characters; click ids have about 100
RAW, DELIVERY = "raw:", "delivery:"
_SHORTEST_PHONE: Final = 7  # digits
_OF_ORDER: Final = "order:"


class Kind(StrEnum):
    """What a result is."""

    ORDER = "order"
    CUSTOMER = "customer"
    DELIVERY = "delivery"
    CLICK = "click"


class SearchResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where it was found. `matched` says by what: order id, order number, e-mail, phone, customer id, click id, delivery id or raw event.
    `at`: when the order was made, the customer first seen, the click carried, the delivery received. An order has `order_id` and `number`;
    a customer `customer_key`; a click its `click_kind`, its `subject`, and `order_id` where an order carried it; a delivery `raw_id`,
    `landed_week` and `topic`."""

    kind: Kind
    matched: str
    site_id: int
    at: datetime | None = None
    order_id: str | None = None
    number: str | None = None
    customer_key: str | None = None
    click_kind: str | None = None
    subject: str | None = None
    raw_id: int | None = None
    landed_week: str | None = None
    topic: str | None = None


def search(
    connection: sa.Connection, text: str, *, now: datetime, site_id: int | None = None, country: str | None = None
) -> list[SearchResult]:
    """Everything that is called so, of one site or of all. `country` (ISO 3166 alpha-2) is for phone numbers as they are dialled at home.
    Raises InvalidConfiguration for an empty text or one that is too long."""
    text = text.strip()
    if not text or len(text) > LONGEST:
        raise InvalidConfiguration(f"a text of 1 to {LONGEST} characters is searched for, not {len(text)}", path="text")
    values = {"text": text, "site": site_id, "rows": MOST_RESULTS}
    if text.startswith(RAW):
        return list(_raw_event(connection, values, now))
    if text.startswith(DELIVERY):
        return list(_deliveries(connection, {**values, "text": text.removeprefix(DELIVERY)}, now))
    results = [*_orders(connection, values), *_customers(connection, values, country), *_clicks(connection, values)]
    return results or list(_deliveries(connection, values, now))


def _orders(connection: sa.Connection, values: dict[str, Any]) -> Iterator[SearchResult]:
    bare = values["text"].removeprefix("#")
    rows = connection.execute(sql.ORDERS, {**values, "numbers": [bare, f"#{bare}"]})
    seen: set[tuple[int, str]] = set()  # many shops number orders as their ids are
    for row in rows:
        if (row.site_id, row.order_id) not in seen:
            seen.add((row.site_id, row.order_id))
            yield SearchResult(
                kind=Kind.ORDER,
                matched=row.matched,
                site_id=row.site_id,
                at=row.ordered_at,
                order_id=row.order_id,
                number=row.number,
                customer_key=row.customer_key,
            )


def _customers(connection: sa.Connection, values: dict[str, Any], country: str | None) -> Iterator[SearchResult]:
    text = values["text"]
    ways: list[tuple[str, sa.TextClause, dict[str, str | None]]] = [
        ("customer id", sql.BY_KEY, {"key": text if text.startswith(("c:", "e:")) else f"c:{text}"})
    ]
    if "@" in text or is_sha256_hex(text):
        ways.append(("e-mail", sql.BY_EMAIL, {"digest": email_sha256(text)}))
    if sum(sign.isdigit() for sign in text) >= _SHORTEST_PHONE or is_sha256_hex(text):
        ways.append(("phone", sql.BY_PHONE, {"digest": phone_sha256(text, country)}))
    seen: set[tuple[int, str]] = set()
    for matched, statement, asked in ways:
        if None in asked.values():
            continue
        for row in connection.execute(statement, {"site": values["site"], "rows": MOST_RESULTS, **asked}):
            if (row.site_id, row.customer_key) not in seen:
                seen.add((row.site_id, row.customer_key))
                yield SearchResult(
                    kind=Kind.CUSTOMER,
                    matched=matched,
                    site_id=row.site_id,
                    at=row.first_seen_at,
                    customer_key=row.customer_key,
                )


def _clicks(connection: sa.Connection, values: dict[str, Any]) -> Iterator[SearchResult]:
    for row in connection.execute(sql.CLICKS, values):
        is_order = row.subject.startswith(_OF_ORDER)
        yield SearchResult(
            kind=Kind.CLICK,
            matched="click id",
            site_id=row.site_id,
            at=row.seen_at,
            order_id=row.subject.removeprefix(_OF_ORDER) if is_order else None,
            click_kind=row.kind,
            subject=row.subject,
        )


def _raw_event(connection: sa.Connection, values: dict[str, Any], now: datetime) -> Iterator[SearchResult]:
    number = values["text"].removeprefix(RAW)
    if number.isdecimal() and 0 < int(number) <= MAX_ID:
        place = {"id": int(number), "weeks": probed_weeks(now.astimezone(UTC).date())}
        for row in connection.execute(RAW_EVENT, place):
            if values["site"] in (None, row.site_id):
                yield _delivery(row, "raw event")


def _deliveries(connection: sa.Connection, values: dict[str, Any], now: datetime) -> Iterator[SearchResult]:
    """Week by week from the newest, until one has it: senders do not use an id again."""
    first, last = keys_of_id(values["text"])
    asked = {"text": values["text"], "site": values["site"], "first": first, "last": last}
    weeks = {"weeks": probed_weeks(now.astimezone(UTC).date())}
    for week in connection.execute(sql.WEEKS, weeks).scalars().all():
        rows = connection.execute(sql.DELIVERIES, {**asked, "week": week}).all()
        if rows:
            yield from (_delivery(row, "delivery id") for row in rows)
            return


def _delivery(row: Any, matched: str) -> SearchResult:
    return SearchResult(
        kind=Kind.DELIVERY,
        matched=matched,
        site_id=row.site_id,
        at=row.received_at,
        raw_id=row.id,
        landed_week=row.landed_week.isoformat(),
        topic=row.topic,
    )
