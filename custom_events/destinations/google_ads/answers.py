"""Google's answers read row by row: partial failures, whole failures, and silence.

An error belongs to the row named in its location, wherever it stands in the list of errors (docs/reference/google-ads.md 5.3, 5.4); row 0
is a row like any other.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from custom_events.destinations.google_ads.errors import RULES, code_of
from custom_events.destinations.google_ads.requests import message_class
from custom_events.destinations.rules import Rule, answer, innocent, lookup, not_understood, says_nothing, whole
from custom_events.destinations.transport_errors import NO_ANSWER, classify
from custom_events.errors import CustomEventsError, NeedsAction, Transient
from custom_events.values.conversions import BatchAnswer, Conversion, RowAnswer, Scope, UploadKind, Verdict
from custom_events.values.reasons import NO_VERDICT, WAITS

ROW_FIELDS: Final = ("conversions", "conversion_adjustments")
_FAILURE_KEY_END: Final = "googleadsfailure-bin"
_NO_VERDICT: Final = Rule(Verdict.UNKNOWN, WAITS[NO_VERDICT])
# Who may use a service: where the one for adjustments refuses, nothing is said about conversions.
_OF_THE_SERVICE: Final = frozenset(
    {"NotAllowlistedError.CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE", "AuthorizationError.SERVICE_ACCESS_DENIED"}
)


class Fault(msgspec.Struct, frozen=True):
    """One error of a GoogleAdsFailure. `index` is None when it names no row; `delay_s` is Google's own retry_delay."""

    code: str
    index: int | None = None
    delay_s: float | None = None


def read_answer(response: Any, rows: Sequence[Conversion], now: datetime, request_id: str | None) -> BatchAnswer:
    """The answer to a request that came back with status OK: accepted rows and partial failures."""
    job_id = int(response.job_id) or None
    if response.partial_failure_error.code == 0:
        accepted = tuple(RowAnswer(upload_id=row.upload_id, verdict=Verdict.ACCEPTED) for row in rows)
        return BatchAnswer(rows=accepted, request_id=request_id, job_id=job_id)
    by_row: dict[int, list[Fault]] = {}
    unplaced: list[Fault] = []
    for fault in _partial_faults(response.partial_failure_error):
        if fault.index is not None and 0 <= fault.index < len(rows):
            by_row.setdefault(fault.index, []).append(fault)
        else:
            unplaced.append(fault)
    filled = [bool(result.ByteSize()) for result in response.results]
    answers = tuple(
        _row_answer(row, by_row.get(index), index < len(filled) and filled[index], unplaced, now)
        for index, row in enumerate(rows)
    )
    return BatchAnswer(rows=answers, request_id=request_id, job_id=job_id)


def read_failure(error: Exception, rows: Sequence[Conversion], now: datetime) -> BatchAnswer:
    """The answer when the call raised: Google's own reason where one came with it, else what the transport says."""
    faults, request_id = failure_of(error)
    if not faults:
        classified = classify(error)
        return whole(classified.code, classified.rule, rows, now, request_id)
    named = {fault.index: fault.code for fault in reversed(faults) if fault.index is not None}
    if any(index < len(rows) for index in named):
        answers = tuple(
            answer(lookup(RULES, named[index]), named[index], row, now) if index in named else innocent(row, now)
            for index, row in enumerate(rows)
        )
        return BatchAnswer(rows=answers, request_id=request_id)
    fault = _gravest(faults)
    return whole(fault.code, _of_request(fault.code, rows), rows, now, request_id, fault.delay_s)


def _of_request(code: str, rows: Sequence[Conversion]) -> Rule:
    """The rule for a request that was refused as such, none of its rows being named."""
    if code.startswith("InternalError."):
        return NO_ANSWER  # it does not say whether the request had been applied (of a row it does)
    if says_nothing(RULES, code):
        return not_understood(code)
    rule = RULES[code]
    if rule.scope is Scope.ROW and rule.verdict not in {Verdict.RETRY, Verdict.SPLIT}:
        return not_understood(code, f"which is about a row and names none ({rule.sentence})")
    if code in _OF_THE_SERVICE and rows and rows[0].kind is not UploadKind.CONVERSION:
        return msgspec.structs.replace(rule, scope=Scope.ADJUSTMENTS)
    return rule


def not_read(failure: BatchAnswer) -> CustomEventsError:
    """What to raise when a reading failed as `failure` says: nobody's rows are concerned, so it is an error of the reader."""
    sentence = f"Google Ads could not be read: {failure.sentence} ({failure.code})"
    if failure.verdict is Verdict.FIX:
        return NeedsAction(sentence, who="ads account owner")
    return Transient(sentence, retry_after_s=failure.retry_after_s or 0.0)


def failure_of(error: Exception) -> tuple[list[Fault], str | None]:
    """Google's reasons and request id from an exception, whichever class it has (3.2): GoogleAdsException holds the
    failure itself; RESOURCE_EXHAUSTED and INTERNAL hold it in the trailing metadata only."""
    failure = getattr(error, "failure", None)
    request_id = getattr(error, "request_id", None)
    if failure is None:
        failure, request_id = _from_trailer(error)
    if failure is None:
        return [], request_id
    raw = getattr(failure, "_pb", failure)
    return [fault_of(item) for item in raw.errors], request_id or raw.request_id or None


def _from_trailer(error: Exception) -> tuple[Any, str | None]:
    failure: Any = None
    request_id: str | None = None
    for call in getattr(error, "errors", None) or ():
        trailing = getattr(call, "trailing_metadata", None)
        metadata: Any = trailing() if callable(trailing) else None
        for key, value in metadata or ():
            if key == "request-id":
                request_id = value
            elif key.endswith(_FAILURE_KEY_END):
                failure = message_class("errors.types.errors", "GoogleAdsFailure").FromString(value)
    return failure, request_id


def _partial_faults(status: Any) -> list[Fault]:
    """Every error of a partial failure: one Any, however many rows failed (1.5). Its version is whichever was called."""
    failure_class = message_class("errors.types.errors", "GoogleAdsFailure")
    return [
        fault_of(item)
        for detail in status.details
        if detail.type_url.endswith("GoogleAdsFailure")
        for item in failure_class.FromString(detail.value).errors
    ]


def fault_of(item: Any) -> Fault:
    """One GoogleAdsError: its code by name, its row, its delay."""
    quota = item.details.quota_error_details
    delay_s = quota.retry_delay.seconds + quota.retry_delay.nanos / 1e9 if quota.HasField("retry_delay") else None
    return Fault(code_in(item.error_code), _row_index(item), delay_s)


def code_in(error_code: Any) -> str:
    """The code that a oneof `error_code` holds, in our spelling. Errors of calls and alerts of summaries have one each."""
    family = error_code.WhichOneof("error_code")
    if family is None:
        return "ErrorCode.UNKNOWN"
    number = getattr(error_code, family)
    value = error_code.DESCRIPTOR.fields_by_name[family].enum_type.values_by_number.get(number)
    return code_of(family, f"UNKNOWN_{number}" if value is None else value.name)


def _row_index(item: Any) -> int | None:
    """The row an error is about. An index that is not set reads as 0, which is right: encoders may leave out zeros."""
    path = item.location.field_path_elements
    if not path or path[0].field_name not in ROW_FIELDS:
        return None
    return int(path[0].index)


def _row_answer(
    row: Conversion, faults: list[Fault] | None, filled: bool, unplaced: list[Fault], now: datetime
) -> RowAnswer:
    if faults:
        fault = _gravest(faults)
        return answer(lookup(RULES, fault.code), fault.code, row, now)
    if filled:
        return RowAnswer(upload_id=row.upload_id, verdict=Verdict.ACCEPTED)
    if unplaced:
        return answer(lookup(RULES, unplaced[0].code), unplaced[0].code, row, now)
    return answer(_NO_VERDICT, NO_VERDICT, row, now)


def _gravest(faults: Sequence[Fault]) -> Fault:
    """The error that decides: a duplicate means delivered only where it is the sole error."""
    for fault in faults:
        if lookup(RULES, fault.code).verdict not in {Verdict.ALREADY_THERE, Verdict.ACCEPTED}:
            return fault
    return faults[0]
