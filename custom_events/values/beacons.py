"""What a browser tells by POST /collect of a visitor's clicks and consent. Nobody has signed it: it may add to an order that its store
tells of, and never makes one, nor says an amount."""

from datetime import datetime
from typing import Final

import msgspec

from custom_events.values.clicks import Click, Consent

TOPIC: Final = "collect"
MECHANISM: Final = "x-custom-events-mechanism"  # header of a landed beacon, which no sender can write
BY_TOKEN: Final = "cart:"  # noqa: S105  (before the token of a cart or checkout)
UNSIGNED: Final = "unsigned"  # verdict of its signature


def subjects_of(order_id: str | None, *, cart_token: str | None, checkout_token: str | None) -> tuple[str, ...]:
    """What an order, or a beacon of one, is known by in `app.beacons`, what is surest first: carts and checkouts by tokens that nobody
    guesses, orders by numbers."""
    tokens = dict.fromkeys(token for token in (checkout_token, cart_token) if token)
    return (*(f"{BY_TOKEN}{token}" for token in tokens), *([f"order:{order_id}"] if order_id else []))


class Beacon(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One beacon. `order_id`, `cart_token` and `checkout_token` are what it is about, as far as it says so; `at` is the browser's clock;
    `landing_path` a page without its query."""

    event: str | None = None
    order_id: str | None = None
    cart_token: str | None = None
    checkout_token: str | None = None
    clicks: tuple[Click, ...] = ()
    consent: Consent | None = None
    utm: dict[str, str] = {}
    landing_path: str | None = None
    at: datetime | None = None

    @property
    def subjects(self) -> tuple[str, ...]:
        """What it is about (`subjects_of`)."""
        return subjects_of(self.order_id, cart_token=self.cart_token, checkout_token=self.checkout_token)

    @property
    def is_of_use(self) -> bool:
        """Whether it says something of something."""
        return bool(self.subjects) and bool(self.clicks or self.consent)
