"""Who ordered, as an event may hold it: ids, hashes and coarse facts; never an address, a name or a number in clear."""

from collections.abc import Iterable
from datetime import datetime

from custom_events.platforms.parse import HASHED_ID, Id, country_code, optional_id
from custom_events.values.events import Customer
from custom_events.values.identifiers import email_sha256, phone_sha256

MAX_PHONE_CHARS = 64  # a hash in hexadecimal; longer is neither one nor a number, and parsing it would only cost time
MAX_EMAIL_CHARS = 320  # RFC 5321: 64 + @ + 255


def customer(
    *,
    id: Id | None = None,  # noqa: A002  (the field's name)
    emails: Iterable[str | None] = (),
    phones: Iterable[str | None] = (),
    countries: Iterable[str | None] = (),
    tags: tuple[str, ...] = (),
    created_at: datetime | None = None,
    accepts_marketing: bool | None = None,
) -> Customer | None:
    """A customer from the first usable of each kind; None when nothing identifies anybody.

    National phone numbers are read with the first country given. `key` is `c:<id>`, else `e:<hash>`. An id
    that is an e-mail address or a phone number counts as that.
    """
    platform_id = optional_id(id)
    if platform_id is not None and platform_id.startswith(HASHED_ID):
        emails, phones, platform_id = (
            (*emails, str(id)),
            (*phones, str(id)),
            None,
        )  # an address is no id: it joins as what it is
    country = email = phone = None
    for code in countries:
        if code and (country := country_code(code)):
            break
    for address in emails:
        if address and len(address) <= MAX_EMAIL_CHARS and (email := email_sha256(address)):
            break
    for number in phones:
        if number and len(number) <= MAX_PHONE_CHARS and (phone := phone_sha256(number, country)):
            break
    if platform_id is None and email is None and phone is None:
        return None
    return Customer(
        key=f"c:{platform_id}" if platform_id else f"e:{email}" if email else None,
        id=platform_id,
        email_sha256=email,
        phone_sha256=phone,
        tags=tags,
        country=country,
        created_at=created_at,
        accepts_marketing=accepts_marketing,
    )
