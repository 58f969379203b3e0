"""The course of store operators: what came in, what was not sent and why, and what a person may do about it."""

from decimal import Decimal
from typing import Final

from custom_events.browse.raw_events import RawEventFilter, RawEventRow, raw_events
from custom_events.browse.uploads import UploadFilter, UploadRow
from custom_events.catalog import audit
from custom_events.errors import NeedsAction
from custom_events.explain.trace import Upload
from custom_events.values.conversions import UploadKind, UploadState
from custom_events.values.deliveries import Outcome
from custom_events.values.reasons import FULLY_REFUNDED, Reason
from custom_events.watching import sums
from sandbox.training.exercises import Exercise, Lesson, Verdict, number_in, right, word_in, wrong
from sandbox.training.ledger_rows import RUN_THE_DEMO, newest_of_order, trace_of, uploads_of

# Those first that a customer's consent or the click is behind: of what is only recorded there is nothing to find out.
WITHHELD: Final = tuple(
    UploadFilter(state=UploadState.WITHHELD, kind=UploadKind.CONVERSION, reason=reason)
    for reason in (Reason.CONSENT_DENIED.value, Reason.NO_CLICK_OR_IDENTIFIER.value, FULLY_REFUNDED, None)
)
ADJUSTED: Final = tuple(
    UploadFilter(state=UploadState.ACCEPTED, kind=kind) for kind in (UploadKind.RESTATEMENT, UploadKind.RETRACTION)
)


def _ask_refused(lesson: Lesson) -> str:
    del lesson
    return "How many deliveries has the receiver refused, whatever the reason?"


def _check_refused(lesson: Lesson, answer: str) -> Verdict:
    with lesson.engine.connect() as connection:
        refused = sums.tallied(connection).refused
    if number_in(answer) == refused:
        return right("That many were turned away, and none of them was stored as an order.")
    return wrong("The first line of `custom-events status` says what became of everything that was received.")


def _ask_parked(lesson: Lesson) -> str:
    row = _parked(lesson)
    return f"Delivery raw:{row.id} (site {row.site_id}, {row.topic or 'no topic'}) is parked. For which reason?"


def _check_parked(lesson: Lesson, answer: str) -> Verdict:
    row = _parked(lesson)
    if word_in(answer) == row.reason:
        return right("It waits there with its bytes: once the cause is mended, a replay understands it.")
    return wrong(
        f"`custom-events explain raw:{row.id}` tells it, and so does the console under *Parked and withheld*. Type the reason's code."
    )


def _parked(lesson: Lesson) -> RawEventRow:
    with lesson.engine.connect() as connection:
        rows = raw_events(connection, RawEventFilter(outcome=Outcome.PARKED), now=lesson.now, limit=1).rows
    if not rows:
        raise NeedsAction(f"No delivery is parked here. {RUN_THE_DEMO}")
    return rows[0]


def _ask_not_sent(lesson: Lesson) -> str:
    row, site_key, upload = _not_sent(lesson)
    return f"Why was the conversion of order {row.order_id} of site {site_key} not sent to {upload.ads_action or 'Google'}?"


def _check_not_sent(lesson: Lesson, answer: str) -> Verdict:
    row, site_key, upload = _not_sent(lesson)
    if word_in(answer) == upload.reason:
        return right("The order is stored and matched all the same: only Google is not told of it.")
    return wrong(
        f"Look for `withheld` behind {upload.ads_action or 'no ads action'} in `custom-events explain {row.order_id} --site {site_key}`, and "
        "type the code that stands with it."
    )


def _not_sent(lesson: Lesson) -> tuple[UploadRow, str, Upload]:
    """The newest withheld row, its site's key, and the same as `explain` tells it."""
    row, site_key = newest_of_order(lesson, *WITHHELD)
    return row, site_key, next(upload for upload in uploads_of(trace_of(lesson, row)) if upload.id == row.id)


def _ask_release(lesson: Lesson) -> str:
    del lesson
    return (
        "Hold what waits of an order whose click is too recent (`custom-events uploads hold CUSTOMER_ID REASON --order ORDER`), look at it "
        "in the console, then release it. Which order was it?"
    )


def _check_release(lesson: Lesson, answer: str) -> Verdict:
    order_id = answer.strip()
    with lesson.engine.connect() as connection:
        held, released = (
            [
                entry.id
                for entry in audit.search(connection, audit.Filter(action=action))
                if entry.detail.get("order_id") == order_id and entry.detail.get("rows")
            ]
            for action in ("uploads.hold", "uploads.release")
        )
    if not held:
        return wrong(
            "The audit trail has no hold of what waited of this order. `custom-events uploads list` says where something waits; type the "
            "order as --order had it."
        )
    if not released or max(released) < max(held):
        return wrong("It is held still: the answer to `uploads hold` named the command that releases it.")
    return right("Held and released again; the audit trail has who did both, and why.")


def _ask_at_google(lesson: Lesson) -> str:
    row, site_key = newest_of_order(lesson, *ADJUSTED)
    return (
        f"Order {row.order_id} of site {site_key} changed after Google had accepted its conversion {row.transaction_id}. How much is that "
        f"conversion worth at Google now{f', in {row.currency}' if row.currency else ''}?"
    )


def _check_at_google(lesson: Lesson, answer: str) -> Verdict:
    row, site_key = newest_of_order(lesson, *ADJUSTED)
    accepted = [
        upload
        for upload in uploads_of(trace_of(lesson, row))
        if upload.transaction_id == row.transaction_id and upload.state == UploadState.ACCEPTED.value
    ]
    newest = max(accepted, key=lambda upload: upload.sequence)
    worth = Decimal(0) if newest.kind == UploadKind.RETRACTION.value else newest.value
    if number_in(answer) == worth:
        return right("A restatement gives a conversion a new value, and a retraction takes it back.")
    return wrong(
        f"`custom-events explain {row.order_id} --site {site_key}` lists the conversion and what was sent after it: the last one that is "
        "accepted counts, and a retraction leaves nothing."
    )


EXERCISES: Final = (
    Exercise(key="refused", title="What the receiver turned away", answer="a number", question=_ask_refused, check=_check_refused),
    Exercise(key="parked", title="A delivery that nobody understood", answer="a reason", question=_ask_parked, check=_check_parked),
    Exercise(key="not-sent", title="Why an order was not sent", answer="a reason", question=_ask_not_sent, check=_check_not_sent),
    Exercise(key="release", title="Hold an order, and release it", answer="an order", question=_ask_release, check=_check_release),
    Exercise(key="at-google", title="What a refund left at Google", answer="an amount", question=_ask_at_google, check=_check_at_google),
)  # fmt: skip
