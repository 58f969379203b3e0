"""Orders and what else happened in stores; the search for what somebody has in hand; one order's whole way on a timeline."""

from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from console.api.calls import Call
from console.api.routes import browsing, explanations
from console.pages.ask import ROWS, Ask
from console.pages.navigation import READ
from console.pages.page import Answer, Moved, Pages, Shown, right_of
from console.pages.translations import _, ngettext
from console.pages.visible import chosen_site, site_choice, site_names
from custom_events.browse.search import Kind
from custom_events.errors import NeedsAction, NotFound
from custom_events.explain.trace import Decision, Trace
from custom_events.ledger.single_uploads import reference_of
from custom_events.values.events import EventType

PAGES: Final = Pages()
_EXPLAIN: Final = right_of(explanations.ROUTES, explanations.explain)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A moment of the way: `kind` is delivery, event, upload or answer; `about` what it shows, `reference` that of an upload."""

    kind: str
    at: datetime
    about: Any
    decision: Decision | None = None
    reference: str = ""


@PAGES.show("/orders", right=READ, template="orders.html")
def orders_page(call: Call, ask: Ask) -> Answer:
    """What happened in stores, the newest first; or what was found. Who finds one order or one delivery, and nothing else, is led to it."""
    site_id = chosen_site(call, ask)
    text = ask.text("search", longest=500)
    content: dict[str, Any] = {"ask": ask, "sites": site_choice(call), "site_id": site_id, "types": tuple(EventType)}
    if text is not None:
        results = browsing.find(call, text, site_id=site_id).items
        if len(results) == 1 and results[0].kind is Kind.ORDER:
            return Moved(to=story_address(results[0].site_id, results[0].order_id or text))
        if len(results) == 1 and results[0].raw_id is not None:
            return Moved(to=f"deliveries/{results[0].raw_id}")
        content |= {"results": results, "list": None, "names": site_names(call, results), "text": text}
        return Shown(title=_("Orders and events"), content=content)
    listed = browsing.list_commerce_events(
        call,
        site_id=site_id,
        kind=ask.choice("type", tuple(EventType)),
        customer_key=ask.text("customer_key") if site_id is not None else None,
        since=ask.moment("since"),
        until=ask.moment("until"),
        order=ask.order(),
        limit=ROWS,
        after=ask.text("after", longest=2_000),
    )
    content |= {"results": None, "list": listed, "names": site_names(call, listed.items), "text": ""}
    return Shown(title=_("Orders and events"), content=content)


@PAGES.show("/orders/story", right=_EXPLAIN, template="story.html")
def story_page(call: Call, ask: Ask) -> Shown:
    """One order or event from the store's delivery to Google's answer, with the reasons of each decision."""
    subject, site_id = ask.text("subject"), chosen_site(call, ask)
    rules = ask.choice("rules", ("then", "now")) or "then"
    if subject is None:
        raise NeedsAction("Nothing was asked for: give an order's number.")
    try:
        trace = explanations.explain(call, subject, site_id=site_id, rules=rules)  # pyright: ignore[reportArgumentType]
    except NotFound as error:
        raise NotFound(f"Nothing is known of {subject!r}: {error}", what="order") from None
    title = (
        _("Order %(order_id)s", order_id=trace.order.number or trace.order.order_id)
        if trace.order is not None
        else _("Event %(subject)s", subject=subject)
    )
    content = {"ask": ask, "trace": trace, "steps": steps(trace), "outcome": outcome(trace), "rules": rules}
    return Shown(title=title, content={**content, "now": datetime.now(UTC)})


def story_address(site_id: int, subject: str) -> str:
    """Where an order's way is shown."""
    return f"orders/story?{urlencode({'site_id': site_id, 'subject': subject})}"


def steps(trace: Trace) -> list[Step]:
    """The way in the order in which it happened here."""
    listed = [Step(kind="delivery", at=part.received_at, about=part) for part in trace.deliveries]
    listed += [Step(kind="event", at=part.stored_at, about=part) for part in trace.events]
    for event in trace.events:
        for decision in event.decisions:
            for occurred in decision.custom_events:
                for upload in occurred.uploads:
                    reference = reference_of(upload.created_at, upload.id)
                    listed.append(
                        Step(kind="upload", at=upload.created_at, about=upload, decision=decision, reference=reference)
                    )
                    listed += [
                        Step(kind="answer", at=part.at, about=part, decision=decision, reference=reference)
                        for part in upload.answers
                    ]
    ranks = {"delivery": 0, "event": 1, "upload": 2, "answer": 3}
    return sorted(listed, key=lambda step: (step.at, ranks[step.kind]))


def outcome(trace: Trace) -> tuple[str, str]:
    """How it ended, in a sentence, and its tone."""
    uploads = [
        upload
        for event in trace.events
        for decision in event.decisions
        for occurred in decision.custom_events
        for upload in occurred.uploads
        if upload.kind == "conversion"
    ]
    states = [upload.state for upload in uploads]
    if not trace.events:
        return _("No commerce event is stored of it: see its deliveries below."), "warn"
    if not uploads:
        fired = [decision for event in trace.events for decision in event.decisions if decision.custom_events]
        if fired:
            return _("It matched, and nothing of it goes to Google: the assignments below say why."), "quiet"
        return _("No assignment matched it: open one below to see which condition decided."), "quiet"
    accepted = states.count("accepted")
    if accepted == len(states):
        return _("Google accepted %(conversions)s of it.", conversions=_conversions(accepted)), "good"
    rest = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states) if state != "accepted")
    tone = "bad" if {"rejected", "expired"} & set(states) else "warn" if {"held", "unknown"} & set(states) else "info"
    return _(
        "Of %(conversions)s, Google accepted %(accepted)s; %(rest)s.",
        conversions=_conversions(len(states)),
        accepted=accepted,
        rest=rest,
    ), tone


def _conversions(count: int) -> str:
    return ngettext("%(conversions)s conversion", "%(conversions)s conversions", count, conversions=count)
