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
from custom_events.values.recovery import FETCHED

MAX_SHOWN_COUNTED = 10  # events of a threshold in the terminal; JSON has more


def trace_lines(trace: Trace) -> Iterator[str]:
    """The whole way."""
    shop = f"{trace.site_name} ({trace.site_key}, {trace.platform})"
    if trace.order is not None:
        yield from _order(trace.order, shop)
    else:
        yield f"{shop}; times are UTC"
    yield ""
    yield "Delivered"
    for delivery in trace.deliveries:
        yield from _delivery(delivery)
    if not trace.deliveries:
        yield "  the delivery has expired by retention"
    for event in trace.events:
        yield ""
        yield from _event(event)
    if not trace.events:
        yield ""
        yield "Nothing happened: no commerce event is stored of it."
    if trace.silent:
        yield ""
        yield "Not asked"
        for silent in trace.silent:
            yield f"  {silent.definition}{_label(silent)} (assignment {silent.assignment_id}): {silent.why}"


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


def _delivery(delivery: Delivery) -> Iterator[str]:
    number = f", delivery {delivery.delivery_id}" if delivery.delivery_id else ""
    yield f"  {moment(delivery.received_at)}  {delivery.topic or 'no topic'}{number}, {delivery.body_bytes} bytes, {_brought(delivery.signature)} (raw:{delivery.raw_id})"
    if delivery.outcome is None:
        yield "    waits to be understood" if delivery.is_waiting else "    its outcome has expired by retention"
        return
    why = "" if delivery.reason is None else f" ({delivery.reason}{f': {delivery.detail}' if delivery.detail else ''})"
    new = (
        "" if not delivery.new_events else f", {delivery.new_events} new event{'s' if delivery.new_events > 1 else ''}"
    )
    yield f"    {delivery.outcome}{why} {moment(delivery.processed_at)}{new}"


def _brought(signature: str) -> str:
    """How a delivery came, by the verdict of its signature."""
    return "fetched by order recovery: no delivery had brought it" if signature == FETCHED else f"signature {signature}"


def _event(event: EventTrace) -> Iterator[str]:
    test = (", a test" if event.is_test else "") + (", taken back by the store" if event.is_undone else "")
    yield f"{event.key}  {moment(event.occurred_at)}, {amount(event.amount, event.currency)}{test} (stored {moment(event.stored_at)})"
    for decision in event.decisions:
        if decision.explanation.trigger.holds or decision.custom_events:
            yield from decision_lines(decision)
    elsewhere = [
        decision
        for decision in event.decisions
        if not decision.explanation.trigger.holds and not decision.custom_events
    ]
    if elsewhere:
        names = ", ".join(
            f"{decision.definition}{_label(decision)} ({decision.assignment_id})" for decision in elsewhere
        )
        yield f"  these are about other types of events: {names}"
    if not event.decisions:
        yield "  no assignment applied"


def decision_lines(decision: Decision) -> Iterator[str]:
    """One assignment about one event."""
    yield f"  {decision.definition}{_label(decision)} (assignment {decision.assignment_id}, {_revisions(decision)}): {decision.verdict}"
    for line in explained_lines(decision.explanation):
        yield f"    {line}"
    if decision.dedup is not None and decision.dedup.is_taken:
        yield f"    key {decision.dedup.key} belongs to {decision.dedup.event_key} of {moment(decision.dedup.occurred_at)}"
    for event in decision.custom_events:
        for line in _occurred(event):
            yield f"    {line}"


def explained_lines(explanation: Explanation) -> Iterator[str]:
    """Step by step, as far as there is something to say."""
    if not explanation.trigger.holds:
        yield f"waits for {', '.join(explanation.trigger.waits_for)}"
        return
    if not explanation.in_dates:
        yield "outside its dates"
    if explanation.conditions.tree is not None:
        yield from condition_lines(explanation.conditions.tree)
    for problem in explanation.conditions.problems:
        yield f"conditions cannot be read: {problem}"
    if explanation.threshold is not None:
        yield from _threshold(explanation.threshold)
    if explanation.group is not None:
        yield f"group {explanation.group.group}: assignment {explanation.group.winner} keeps it (of {', '.join(map(str, explanation.group.candidates))})"
    if (made := explanation.match) is not None:
        click = f"click {made.click.kind}" if made.click is not None else "no usable click"
        yield f"value {amount(made.value, made.currency)}, key {made.dedup_key}, consent {made.consent}, {click}"
        for click_step in explanation.clicks:
            if click_step.reason is not None:
                yield f"click {click_step.kind} of {moment(click_step.clicked_at)} is not usable: {click_step.reason}"
        if made.withheld is not None:
            yield f"not sent: {explanation.sentence}"


def _threshold(step: ThresholdStep) -> Iterator[str]:
    mark = "yes" if step.holds else "no "
    yield f"{mark} threshold: {threshold_words(step.threshold)}: {plain(step.before)} before, {plain(step.after)} with this one"
    shown = step.counted[-MAX_SHOWN_COUNTED:]
    if step.number_counted > len(shown):
        yield f"  {step.number_counted - len(shown)} earlier ones were counted"
    for occurrence in shown:
        worth = "" if occurrence.amount is None else f", {amount(occurrence.amount, occurrence.currency)}"
        yield f"  counted {occurrence.key} of {moment(occurrence.occurred_at)}{worth}"


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


def _occurred(occurred: Occurred) -> Iterator[str]:
    now = (
        ""
        if occurred.value_now in (None, occurred.value)
        else f", worth {amount(occurred.value_now, occurred.currency)} now"
    )
    yield f"custom event {occurred.id} made {moment(occurred.created_at)}, {amount(occurred.value, occurred.currency)}{now}"
    if occurred.withdrawn_at is not None:
        yield f"  withdrawn {moment(occurred.withdrawn_at)}: {occurred.withdrawn_reason}"
    for upload in occurred.uploads:
        yield from (f"  {line}" for line in _upload(upload))


def _upload(upload: Upload) -> Iterator[str]:
    target = upload.ads_action or "no ads action"
    kind = upload.kind if upload.sequence == 0 else f"{upload.kind} {upload.sequence}"
    yield (
        f"{kind} of {amount(upload.value, upload.currency)} to {target}, transaction {upload.transaction_id}: {upload.state}"
        + _why(upload)
    )
    if upload.state in ("held", "queued", "new"):
        yield f"  goes from {moment(upload.not_before)} on, Google takes it until {moment(upload.deadline_at)}"
    for answer in upload.answers:
        yield f"  {_answer(answer)}"
    if not upload.answers and upload.answered_at is not None:
        yield f"  sent {moment(upload.intent_at)}, answered {moment(upload.answered_at)}: {upload.state}{_request(upload.google_request_id)}"


def _why(upload: Upload) -> str:
    if upload.reason is None:
        return "" if upload.sentence is None else f" ({upload.sentence})"
    return f" ({upload.reason}: {upload.sentence})" if upload.sentence else f" ({upload.reason})"


def _answer(answer: Answer) -> str:
    sent = f"sent {moment(answer.intent_at)}, " if answer.intent_at is not None else ""
    code = "" if answer.code is None else f" ({answer.code}{f': {answer.sentence}' if answer.sentence else ''})"
    return f"{sent}Google answered {moment(answer.at)}: {answer.verdict}{code}{_request(answer.google_request_id)}"


def _request(google_id: str | None) -> str:
    return "" if google_id is None else f", request {google_id}"


def _revisions(decision: Decision) -> str:
    numbers = f"{decision.definition_revision or 'draft'}/{decision.assignment_revision or 'draft'}"
    return f"revisions {numbers}" + (", as it is now" if decision.rules == "now" else "")


def _label(subject: Decision | Silent) -> str:
    return f' "{subject.label}"' if subject.label not in ("", subject.definition) else ""


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
