"""A trace for the terminal: one order from the store's webhook to Google's answer, line by line. Times are UTC."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from custom_events.conditions.explain import lines as condition_lines
from custom_events.explain.trace import (
    Answer,
    Decision,
    Delivery,
    EventTrace,
    Occurred,
    OrderState,
    Silent,
    Trace,
    Upload,
)
from custom_events.matching.explain import Explanation, ThresholdStep
from custom_events.matching.money import rounded
from custom_events.values.definitions import Threshold, ThresholdFires, ThresholdMeasure, ThresholdPeriod

MAX_SHOWN_COUNTED = 10  # events of a threshold in the terminal; JSON has more


def trace_lines(found: Trace) -> Iterator[str]:
    """The whole way."""
    shop = f"{found.site_name} ({found.site_key}, {found.platform})"
    if found.order is not None:
        yield from _order(found.order, shop)
    else:
        yield f"{shop}; times are UTC"
    yield ""
    yield "Delivered"
    for delivery in found.deliveries:
        yield from _delivery(delivery)
    if not found.deliveries:
        yield "  the delivery has expired by retention"
    for event in found.events:
        yield ""
        yield from _event(event)
    if not found.events:
        yield ""
        yield "Nothing happened: no commerce event is stored of it."
    if found.silent:
        yield ""
        yield "Not asked"
        for one in found.silent:
            yield f"  {one.definition}{_label(one)} (assignment {one.assignment_id}): {one.why}"


def _order(order: OrderState, shop: str) -> Iterator[str]:
    name = order.number if order.number is not None else order.order_id
    number = f" (id {order.order_id})" if name != order.order_id else ""
    yield f"Order {name}{number} of {shop}; times are UTC"
    words = [word for word in (order.status, order.financial_status) if word]
    yield f"  {amount(order.total, order.currency)}" + (f", {', '.join(words)}" if words else "")
    moments = {
        "created": order.ordered_at,
        "paid": order.paid_at,
        "payment lost": order.payment_lost_at,
        "cancelled": order.cancelled_at,
        "deleted": order.deleted_at,
        "as of": order.state_at,
    }
    yield "  " + ", ".join(f"{word} {moment(at)}" for word, at in moments.items() if at is not None)
    if order.current_total is not None and order.current_total != order.total:
        yield f"  worth {amount(order.current_total, order.currency)} now by the store's count"
    if order.is_test:
        yield "  a test order: it matches nothing"
    for refund in order.refunds:
        gone = "" if refund.counts else ", which counts no more: it failed, or the store lists it no longer"
        if refund.counts and None not in (refund.currency, order.currency) and refund.currency != order.currency:
            gone = ", in another currency than the order's: it lowers no value"
        yield f"  refunded {amount(refund.amount, refund.currency)} {moment(refund.refunded_at)} (refund {refund.refund_id}){gone}"


def _delivery(one: Delivery) -> Iterator[str]:
    number = f", delivery {one.delivery_id}" if one.delivery_id else ""
    yield f"  {moment(one.received_at)}  {one.topic or 'no topic'}{number}, {one.body_bytes} bytes, signature {one.signature} (raw:{one.raw_id})"
    if one.outcome is None:
        yield "    waits to be understood" if one.is_waiting else "    its outcome has expired by retention"
        return
    why = "" if one.reason is None else f" ({one.reason}{f': {one.detail}' if one.detail else ''})"
    new = "" if not one.new_events else f", {one.new_events} new event{'s' if one.new_events > 1 else ''}"
    yield f"    {one.outcome}{why} {moment(one.processed_at)}{new}"


def _event(event: EventTrace) -> Iterator[str]:
    test = (", a test" if event.is_test else "") + (", taken back by the store" if event.is_undone else "")
    yield f"{event.key}  {moment(event.occurred_at)}, {amount(event.amount, event.currency)}{test} (stored {moment(event.stored_at)})"
    for one in event.decisions:
        if one.explanation.trigger.holds or one.custom_events:
            yield from decision_lines(one)
    elsewhere = [one for one in event.decisions if not one.explanation.trigger.holds and not one.custom_events]
    if elsewhere:
        names = ", ".join(f"{one.definition}{_label(one)} ({one.assignment_id})" for one in elsewhere)
        yield f"  these are about other types of events: {names}"
    if not event.decisions:
        yield "  no assignment applied"


def decision_lines(one: Decision) -> Iterator[str]:
    """One assignment about one event."""
    yield f"  {one.definition}{_label(one)} (assignment {one.assignment_id}, {_revisions(one)}): {one.verdict}"
    for line in explained_lines(one.explanation):
        yield f"    {line}"
    if one.dedup is not None and one.dedup.is_taken:
        yield f"    key {one.dedup.key} belongs to {one.dedup.event_key} of {moment(one.dedup.occurred_at)}"
    for event in one.custom_events:
        for line in _occurred(event):
            yield f"    {line}"


def explained_lines(found: Explanation) -> Iterator[str]:
    """Step by step, as far as there is something to say."""
    if not found.trigger.holds:
        yield f"waits for {', '.join(found.trigger.waits_for)}"
        return
    if not found.in_dates:
        yield "outside its dates"
    if found.conditions.tree is not None:
        yield from condition_lines(found.conditions.tree)
    for problem in found.conditions.problems:
        yield f"conditions cannot be read: {problem}"
    if found.threshold is not None:
        yield from _threshold(found.threshold)
    if found.group is not None:
        yield f"group {found.group.group}: assignment {found.group.winner} keeps it (of {', '.join(map(str, found.group.candidates))})"
    if (made := found.match) is not None:
        click = f"click {made.click.kind}" if made.click is not None else "no usable click"
        yield f"value {amount(made.value, made.currency)}, key {made.dedup_key}, consent {made.consent}, {click}"
        for one in found.clicks:
            if one.reason is not None:
                yield f"click {one.kind} of {moment(one.clicked_at)} is not usable: {one.reason}"
        if made.withheld is not None:
            yield f"not sent: {found.sentence}"


def _threshold(step: ThresholdStep) -> Iterator[str]:
    mark = "yes" if step.holds else "no "
    yield f"{mark} threshold: {threshold_words(step.threshold)}: {plain(step.before)} before, {plain(step.after)} with this one"
    shown = step.counted[-MAX_SHOWN_COUNTED:]
    if step.number_counted > len(shown):
        yield f"  {step.number_counted - len(shown)} earlier ones were counted"
    for one in shown:
        worth = "" if one.amount is None else f", {amount(one.amount, one.currency)}"
        yield f"  counted {one.key} of {moment(one.occurred_at)}{worth}"


_FIRES = {
    ThresholdFires.REACHING: "when {} is reached",
    ThresholdFires.EVERY_FURTHER: "from {} on, each time",
    ThresholdFires.EVERY_NTH: "at every multiple of {}",
}


def threshold_words(rule: Threshold) -> str:
    """As one says it: `number of events per customer ever, when 3 is reached`."""
    measure = "number of events" if rule.measure is ThresholdMeasure.COUNT else "sum"
    match rule.period:
        case ThresholdPeriod.LIFETIME:
            period = "ever"
        case ThresholdPeriod.ROLLING:
            period = f"within {rule.window_days} days"
        case _:
            period = f"in a calendar {rule.period}"
    fires = _FIRES[rule.fires].format(f"{plain(rule.at_least)} {rule.currency or ''}".rstrip())
    return f"{measure} per {rule.scope} {period}, {fires}"


def _occurred(one: Occurred) -> Iterator[str]:
    now = "" if one.value_now in (None, one.value) else f", worth {amount(one.value_now, one.currency)} now"
    yield f"custom event {one.id} made {moment(one.created_at)}, {amount(one.value, one.currency)}{now}"
    if one.withdrawn_at is not None:
        yield f"  withdrawn {moment(one.withdrawn_at)}: {one.withdrawn_reason}"
    for upload in one.uploads:
        yield from (f"  {line}" for line in _upload(upload))


def _upload(one: Upload) -> Iterator[str]:
    target = one.ads_action or "no ads action"
    kind = one.kind if one.sequence == 0 else f"{one.kind} {one.sequence}"
    yield (
        f"{kind} of {amount(one.value, one.currency)} to {target}, transaction {one.transaction_id}: {one.state}"
        + _why(one)
    )
    if one.state in ("held", "queued", "new"):
        yield f"  goes from {moment(one.not_before)} on, Google takes it until {moment(one.deadline_at)}"
    for answer in one.answers:
        yield f"  {_answer(answer)}"
    if not one.answers and one.answered_at is not None:
        yield f"  sent {moment(one.intent_at)}, answered {moment(one.answered_at)}: {one.state}{_request(one.google_request_id)}"


def _why(one: Upload) -> str:
    if one.reason is None:
        return "" if one.sentence is None else f" ({one.sentence})"
    return f" ({one.reason}: {one.sentence})" if one.sentence else f" ({one.reason})"


def _answer(one: Answer) -> str:
    sent = f"sent {moment(one.intent_at)}, " if one.intent_at is not None else ""
    code = "" if one.code is None else f" ({one.code}{f': {one.sentence}' if one.sentence else ''})"
    return f"{sent}Google answered {moment(one.at)}: {one.verdict}{code}{_request(one.google_request_id)}"


def _request(google_id: str | None) -> str:
    return "" if google_id is None else f", request {google_id}"


def _revisions(one: Decision) -> str:
    numbers = f"{one.definition_revision or 'draft'}/{one.assignment_revision or 'draft'}"
    return f"revisions {numbers}" + (", as it is now" if one.rules == "now" else "")


def _label(one: Decision | Silent) -> str:
    return f' "{one.label}"' if one.label not in ("", one.definition) else ""


def moment(at: datetime | None) -> str:
    """A time in UTC, to the second."""
    return "at an unknown time" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def amount(value: Decimal | None, currency: str | None) -> str:
    """Money, in the currency's minor units."""
    if value is None:
        return "no value"
    return f"{rounded(value, currency):,} {currency or ''}".rstrip()


def plain(value: Decimal) -> str:
    """A number without the zeros that its column adds."""
    return f"{value.normalize():f}"
