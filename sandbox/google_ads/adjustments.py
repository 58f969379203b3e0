"""UploadConversionAdjustments: retractions and restatements, applied at once or when their conversion arrives."""

from typing import Any

from sandbox.google_ads.access import Caller
from sandbox.google_ads.checks_adjustment import AdjustmentRow, check_adjustment, check_against, read_adjustment
from sandbox.google_ads.diagnostics import Batch
from sandbox.google_ads.error_names import AnyName, ConversionAdjustmentUpload
from sandbox.google_ads.failures import Fail
from sandbox.google_ads.formats import CURRENCIES
from sandbox.google_ads.query_rows import repeated
from sandbox.google_ads.state import Adjustment, Conversion, State

METHOD = "UploadConversionAdjustments"
WAITING_S = 24 * 3600  # an adjustment waits up to 24 hours for its conversion (2024/08 announcement)


def adjust_conversions(state: State, caller: Caller, request: Any, job_id: int) -> list[tuple[int, Fail]]:
    """Check and apply every row; the errors by row. The caller holds the lock and has checked the request."""
    settle_waiting(state)
    now = state.clock.epoch()
    day = state.local_time(caller.customer, now).date().isoformat()
    batch = Batch(caller.customer.customer_id, day, job_id, now)
    rows = [read_adjustment(message) for message in request.conversion_adjustments]
    twice = repeated(row.request_key for row in rows)
    draw = None if request.validate_only else state.faults.rows(METHOD)
    errors: list[tuple[int, Fail]] = []
    for index, row in enumerate(rows):
        error = check_adjustment(state, caller.customer, row, twice)
        conversion = None if error is not None else find_conversion(state, row.adjustment)
        if error is None and conversion is None and state.switches.missing_conversion_refused_at_once:
            error = Fail(ConversionAdjustmentUpload.CONVERSION_NOT_FOUND)
        if error is None and conversion is not None:
            error = check_against(row.adjustment, conversion, now)
        drawn = draw() if error is None and draw is not None else None
        if error is None and not request.validate_only and (drawn is None or drawn.after_apply):
            _accept(state, batch, row, conversion, job_id)
        if drawn is not None:
            error = Fail(drawn.name)
        if error is not None:
            errors.append((index, error))
            action_id = row.adjustment.action_id
            batch.failure(action_id if action_id in state.actions else "", error.name)
    if not request.validate_only:
        state.record(batch)
    return errors


def find_conversion(state: State, adjustment: Adjustment) -> Conversion | None:
    """The conversion an adjustment means: by order id, or by gclid and time when it was sent without order id."""
    if adjustment.order_id is not None:
        conversion = state.known(adjustment.action_id, adjustment.order_id, "google_ads")
    else:
        key = (adjustment.action_id, adjustment.click_id or "", adjustment.conversion_at or 0)
        sent = state.by_click_time.get(key, ())
        conversion = next((candidate for candidate in sent if candidate.order_id is None), None)
    if conversion is None or conversion.customer_id != adjustment.customer_id:
        return None
    if conversion.kind == "wbraid" and not state.switches.wbraid_conversions_adjustable:
        return None
    if conversion.via == "data_manager" and not state.switches.data_manager_conversions_adjustable:
        return None
    return conversion


def accept(state: State, adjustment: Adjustment, conversion: Conversion | None) -> None:
    """Record a good adjustment: it takes effect, or waits for its conversion when that is None."""
    state.note("adjustment", adjustment)
    state.adjustments.append(adjustment)
    if conversion is None:
        adjustment.status = "PENDING"
        state.waiting.setdefault(_conversion_name(adjustment), []).append(adjustment)
    else:
        apply_adjustment(state, adjustment, conversion)


def apply_adjustment(state: State, adjustment: Adjustment, conversion: Conversion) -> None:
    """Let an adjustment take effect."""
    adjustment.status = "APPLIED"
    if adjustment.type == "ENHANCEMENT":
        conversion.enhanced = True
    elif adjustment.type == "RETRACTION":
        conversion.retracted, conversion.counted, conversion.value = True, False, 0.0
    else:
        conversion.value = adjustment.adjusted_value or 0.0
        sent, action = adjustment.currency, state.actions[adjustment.action_id]
        account = state.customers[adjustment.customer_id].currency
        conversion.currency = sent if sent in CURRENCIES else action.currency or account
        conversion.restatement_times = (*conversion.restatement_times, adjustment.adjusted_at)


def apply_waiting(state: State, conversion: Conversion) -> None:
    """Apply the adjustments that waited for this conversion, in the order of their adjustment times."""
    name: tuple[object, ...] = (conversion.action_id, conversion.order_id)
    if conversion.order_id is None:
        name = (conversion.action_id, conversion.click_id, conversion.conversion_at)
    waiting_for = [waiting for waiting in state.waiting.get(name, []) if find_conversion(state, waiting) is conversion]
    for adjustment in sorted(waiting_for, key=lambda waiting: waiting.adjusted_at):
        error = check_against(adjustment, conversion, conversion.uploaded_at)
        if error is None:
            apply_adjustment(state, adjustment, conversion)
        _settle(state, adjustment, None if error is None else error.name)


def settle_waiting(state: State, at: float | None = None) -> None:
    """Give up on adjustments whose conversion has not come within 24 hours of `at` (seconds since 1970; now when None)."""
    now = state.clock.epoch() if at is None else at
    late = [waiting for group in state.waiting.values() for waiting in group if waiting.uploaded_at <= now - WAITING_S]
    if late:
        state.note("settled", now)
    for adjustment in late:
        _settle(state, adjustment, ConversionAdjustmentUpload.CONVERSION_NOT_FOUND)


def _settle(state: State, adjustment: Adjustment, error: AnyName | None) -> None:
    name = _conversion_name(adjustment)
    state.waiting[name] = [waiting for waiting in state.waiting[name] if waiting is not adjustment]
    if not state.waiting[name]:
        del state.waiting[name]
    if error is not None:
        adjustment.status, adjustment.error = "FAILED", error.name
    state.diagnostics.settle(adjustment.customer_id, adjustment.action_id, adjustment.day, adjustment.job_id, error)


def _conversion_name(adjustment: Adjustment) -> tuple[object, ...]:
    if adjustment.order_id is not None:
        return (adjustment.action_id, adjustment.order_id)
    return (adjustment.action_id, adjustment.click_id, adjustment.conversion_at)


def _accept(state: State, batch: Batch, row: AdjustmentRow, conversion: Conversion | None, job_id: int) -> None:
    adjustment = row.adjustment
    adjustment.uploaded_at, adjustment.day, adjustment.job_id = batch.at, batch.day, job_id
    accept(state, adjustment, conversion)
    if conversion is None:
        batch.pending(adjustment.action_id)
    else:
        batch.success(adjustment.action_id)
