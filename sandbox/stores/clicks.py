"""Where a visitor's click id travels: every place in which stores carry one (docs/reference/platforms.md 1.8, 2.4, 4)."""

from datetime import datetime, timedelta
from random import Random

import msgspec

from sandbox.google_ads.click_ids import make_click_id

YOUNGEST_SETTLED_H = 7  # Google accepts a click six hours after it happened; older ones settle at once
PLACES = ("attribute", "landing", "item", "none", "attribute", "landing")


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """How a visitor came: the click, and in which place the store carries it. `place` none: no click id at all."""

    place: str
    kind: str = "gclid"
    click_id: str | None = None
    clicked_at: datetime | None = None
    consent: str | None = None


def fresh_visit(customer_id: str, ordered_at: datetime, serial: int) -> Visit:
    """A click half an hour before the order: Google takes it only six hours after it happened, so it is held."""
    clicked_at = ordered_at - timedelta(minutes=30)
    click_id = make_click_id("gclid", customer_id, clicked_at, serial)
    return Visit(place="attribute", click_id=click_id, clicked_at=clicked_at, consent="granted")


def visit(generator: Random, customer_id: str, ordered_at: datetime, now: datetime, serial: int) -> Visit:
    """A visit before an order. One in six has no click; the others are old enough for Google."""
    place = PLACES[serial % len(PLACES)]
    if place == "none":
        return Visit(place=place, consent=generator.choice(("granted", None)))
    kind = ("gclid", "gclid", "gclid", "gbraid", "wbraid")[serial % 5]
    clicked_at = ordered_at - timedelta(minutes=generator.randint(20, 5 * 24 * 60))
    clicked_at = min(clicked_at, now - timedelta(hours=YOUNGEST_SETTLED_H))
    return Visit(
        place=place,
        kind=kind,
        click_id=make_click_id(kind, customer_id, clicked_at, serial),
        clicked_at=clicked_at,
        consent=generator.choices(("granted", "denied", None), weights=(8, 1, 1))[0],
    )


def landing_page(seen: Visit) -> str:
    """Path and query of the session's first page."""
    query = "utm_source=google&utm_medium=cpc&utm_campaign=autumn"
    if seen.place == "landing":
        query += f"&{seen.kind}={seen.click_id}"
    return f"/collections/all?{query}"
