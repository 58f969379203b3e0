"""What a browser tells by POST /collect of a visitor's clicks and consent. Nobody has signed it: it may add to an order that its store
tells of, and never makes one, nor says an amount."""

from datetime import datetime
from typing import Final

import msgspec

from custom_events.values.clicks import Click, Consent

TOPIC: Final = "collect"
MECHANISM: Final = "x-custom-events-mechanism"  # header of a landed beacon, which no sender can write
UNSIGNED: Final = "unsigned"  # verdict of its signature


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
        """What it is about, as `app.beacons` has it. Carts and checkouts are known by tokens that nobody guesses, orders by numbers."""
        tokens = dict.fromkeys(token for token in (self.cart_token, self.checkout_token) if token)
        return (*(f"cart:{token}" for token in tokens), *([f"order:{self.order_id}"] if self.order_id else []))

    @property
    def is_of_use(self) -> bool:
        """Whether it says something of something."""
        return bool(self.subjects) and bool(self.clicks or self.consent)
