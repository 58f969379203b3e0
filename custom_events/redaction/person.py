"""Who a request is about: by what the store says, and by what is stored of them."""

from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.errors import InvalidConfiguration
from custom_events.platforms import loose_json
from custom_events.queries import redaction as sql
from custom_events.values.identifiers import email_sha256, phone_sha256

_ORDER_LISTS: Final = ("orders_to_redact", "orders_requested")
_MAX_ROUNDS: Final = 10  # of looking for further keys of the same person; each finds an account of the same address


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """By what somebody is found. Addresses and numbers are hashes, as everywhere."""

    customer_ids: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    order_ids: tuple[str, ...] = ()

    @property
    def is_nobody(self) -> bool:
        """Whether nothing says who it is."""
        return not (self.customer_ids or self.emails or self.phones or self.order_ids)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """All by which the stored rows of a person are found: `keys` are customer keys, the rest as in `Person`."""

    keys: tuple[str, ...]
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    orders: tuple[str, ...]


def person(
    *,
    customer_ids: tuple[str, ...] = (),
    emails: tuple[str, ...] = (),
    phones: tuple[str, ...] = (),
    order_ids: tuple[str, ...] = (),
    country: str | None = None,
) -> Person:
    """Somebody as a person enters them. Raises InvalidConfiguration for an address or a number that is none, and for nobody at all."""
    hashed_emails, hashed_phones = [], []
    for address in emails:
        if (digest := email_sha256(address)) is None:
            raise InvalidConfiguration("no e-mail address: write it as name@example.org", path="email")
        hashed_emails.append(digest)
    for number in phones:
        if (digest := phone_sha256(number, country)) is None:
            raise InvalidConfiguration(
                "no phone number: write it with its country, as +49 30 1234567 (or set the site's default_country)",
                path="phone",
            )
        hashed_phones.append(digest)
    made = Person(
        customer_ids=tuple(customer_id.strip() for customer_id in customer_ids if customer_id.strip()),
        emails=tuple(hashed_emails),
        phones=tuple(hashed_phones),
        order_ids=tuple(order_id.strip() for order_id in order_ids if order_id.strip()),
    )
    if made.is_nobody:
        raise InvalidConfiguration("say who it is: an e-mail address, a phone number, a customer id or an order id")
    return made


def of_body(body: bytes, country: str | None) -> Person:
    """Whom a store's request names (docs/reference/platforms.md 1.7). What cannot be read names nobody."""
    try:
        document = loose_json.decode(body)
    except (ValueError, RecursionError):
        return Person()
    if not isinstance(document, dict):
        return Person()
    customer = document.get("customer")
    known: dict[str, Any] = customer if isinstance(customer, dict) else {}
    orders = [order for name in _ORDER_LISTS if isinstance(listed := document.get(name), list) for order in listed]
    email, phone = known.get("email"), known.get("phone")
    emails = email_sha256(email) if isinstance(email, str) else None
    phones = phone_sha256(str(phone), country) if isinstance(phone, str | int) else None
    return Person(
        customer_ids=tuple(_texts([known.get("id")])),
        emails=(emails,) if emails else (),
        phones=(phones,) if phones else (),
        order_ids=tuple(_texts(orders)),
    )


def _texts(values: list[Any]) -> list[str]:
    return [
        str(value) for value in values if isinstance(value, str | int) and not isinstance(value, bool) and str(value)
    ]


def find(connection: sa.Connection, site_id: int, who: Person, until: Any) -> Found:
    """What is stored of somebody: all customer keys with one of their ids or addresses, and the orders of these until then."""
    keys = {f"c:{customer_id}" for customer_id in who.customer_ids}
    emails, phones = set(who.emails), set(who.phones)
    for _ in range(_MAX_ROUNDS):
        keys |= {f"e:{email}" for email in emails}
        before = len(keys), len(emails)
        for row in connection.execute(sql.CUSTOMERS, {"site": site_id, "keys": sorted(keys), "emails": sorted(emails)}):
            keys.add(row.customer_key)
            emails |= {row.email_sha256} - {None}
            phones |= {row.phone_sha256} - {None}
        if (len(keys), len(emails)) == before:
            break
    values = {"site": site_id, "keys": sorted(keys), "until": until, "redacted": sql.REDACTED_ID}
    orders = set(who.order_ids) | {row.order_id for row in connection.execute(sql.ORDERS, values)}
    return Found(
        keys=tuple(sorted(keys)),
        emails=tuple(sorted(emails)),
        phones=tuple(sorted(phones)),
        orders=tuple(sorted(orders)),
    )
