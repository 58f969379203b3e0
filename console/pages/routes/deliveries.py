"""Deliveries of stores, as they land: what each was, what became of it, its body for who may read it; sent through once more."""

from typing import Any, Final

from console.api.calls import Call
from console.api.routes import browsing
from console.api.routes import raw_events as operations
from console.pages.ask import ROWS, Ask
from console.pages.navigation import READ
from console.pages.page import Moved, Pages, Shown, right_of
from console.pages.translations import _
from console.pages.visible import chosen_site, site_choice, site_names
from custom_events.browse.raw_events import OUTCOMES
from custom_events.catalog import connecting, sites
from custom_events.values.deliveries import Platform, Refusal

PAGES: Final = Pages()
EVERY_S: Final = 3  # between two looks for new deliveries, while a page follows them: a person sees them come, and 200 pages ask 70 times a second
_READ_ONE: Final = right_of(operations.ROUTES, operations.read_raw_event)
_REPLAY: Final = right_of(operations.ROUTES, operations.replay_raw_event)
_READ_BODY: Final = right_of(operations.ROUTES, operations.read_raw_content)


@PAGES.show("/deliveries", right=READ, template="deliveries.html")
def deliveries_page(call: Call, ask: Ask) -> Shown:
    """Deliveries, the newest first; followed as they come where `live` is asked for."""
    site_id = chosen_site(call, ask)
    listed = browsing.list_raw_events(
        call,
        site_id=site_id,
        outcome=ask.choice("outcome", OUTCOMES),
        reason=ask.text("reason"),
        topic=ask.text("topic"),
        since=ask.moment("since"),
        until=ask.moment("until"),
        order=ask.order(),
        limit=ROWS,
        after=ask.text("after", longest=2_000),
    )
    content = {
        "ask": ask,
        "list": listed,
        "names": site_names(call, listed.items),
        "sites": site_choice(call),
        "site_id": site_id,
        "outcomes": OUTCOMES,
        "live": ask.flag("live") or False,
        "every_s": EVERY_S,
    }
    return Shown(title=_("Deliveries"), content=content)


@PAGES.show("/deliveries/refused", right=READ, template="refused.html")
def refused_page(call: Call, ask: Ask) -> Shown:
    """Deliveries that were refused, and what to do about each reason."""
    site_id = chosen_site(call, ask)
    platform = ask.choice("platform", tuple(Platform))
    listed = browsing.list_refused_events(
        call,
        site_id=site_id,
        platform=None if platform is None else Platform(platform),
        reason=ask.choice("reason", tuple(Refusal)),
        topic=ask.text("topic"),
        since=ask.moment("since"),
        until=ask.moment("until"),
        order=ask.order(),
        limit=ROWS,
        after=ask.text("after", longest=2_000),
    )
    content = {
        "ask": ask,
        "list": listed,
        "names": site_names(call, listed.items),
        "sites": site_choice(call),
        "site_id": site_id,
        "reasons": tuple(Refusal),
        "platforms": tuple(Platform),
        "means": connecting.refusal_sentence,
    }
    return Shown(title=_("Refused deliveries"), content=content)


@PAGES.show("/deliveries/{raw_event_id}", right=_READ_ONE, template="delivery.html")
def delivery_page(call: Call, ask: Ask) -> Shown:
    """One delivery without its headers; what names somebody in its body is covered."""
    return _delivery(call, ask)


@PAGES.show("/deliveries/{raw_event_id}/body", right=_READ_BODY, template="delivery.html", of_primary=True)
def body_page(call: Call, ask: Ask) -> Shown:
    """The same with its headers and its body, which hold personal data: the audit trail has who read them."""
    listed = operations.read_raw_content(call, ask.path["raw_event_id"])
    return _delivery(call, ask, content=listed)


@PAGES.change("/deliveries/{raw_event_id}/replay", right=_REPLAY)
def replay_delivery(call: Call, ask: Ask) -> Moved:
    """A parked delivery is understood once more."""
    number = ask.path["raw_event_id"]
    operations.replay_raw_event(call, number)
    return Moved(to=f"deliveries/{number}", said=_("Delivery %(number)s is understood once more.", number=number))


def _delivery(call: Call, ask: Ask, content: Any = None) -> Shown:
    number = ask.path["raw_event_id"]
    fate = operations.read_raw_event(call, number)
    site = sites.get(call.connection, fate.site_id)
    masked = operations.read_masked_content(call, number) if content is None else None
    return Shown(
        title=_("Delivery %(number)s", number=number),
        content={"fate": fate, "site": site, "body": content, "masked": masked},
    )
