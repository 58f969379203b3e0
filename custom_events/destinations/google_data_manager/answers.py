"""The Data Manager's answers at once: taken for processing, or refused, naming rows or not. Verdicts: verdicts.py."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from custom_events.destinations.google_data_manager.codes import RULES
from custom_events.destinations.google_data_manager.requests import actions_of
from custom_events.destinations.rules import Rule, answer, lookup, whole
from custom_events.destinations.transport_errors import classify, status_of
from custom_events.values.conversions import BatchAnswer, Conversion, RowAnswer, Scope, Verdict

_EVENT = re.compile(r"(?:^|\.)events\[(\d+)\]")
_DESTINATION = re.compile(r"(?:^|\.)destinations\[(\d+)\]")
_INNOCENT: Final = Rule(Verdict.RETRY, "Another row of the request was refused; this one goes again", Scope.ROW, 0)
_NEXT: Final = Rule(Verdict.RETRY, "A request takes ten conversion actions; this one goes with the next", Scope.ROW, 0)


class Violation(msgspec.Struct, frozen=True):
    """A bad field. `event` or `destination` is its index where the path names one."""

    reason: str
    event: int | None = None
    destination: int | None = None


class Refusal(msgspec.Struct, frozen=True):
    """What a refused request says, over gRPC or REST."""

    reason: str | None = None
    violations: tuple[Violation, ...] = ()
    delay_s: float | None = None
    request_id: str | None = None


def accepted(rows: Sequence[Conversion], request_id: str) -> BatchAnswer:
    """Every row was taken for processing; the verdict comes later."""
    answers = tuple(RowAnswer(upload_id=row.upload_id, verdict=Verdict.PENDING) for row in rows)
    return BatchAnswer(rows=answers, request_id=request_id)


def next_request(row: Conversion, now: datetime) -> RowAnswer:
    """For rows that were left out of a request with ten actions."""
    return answer(_NEXT, "next_request", row, now)


def read_failure(error: Exception, rows: Sequence[Conversion], now: datetime) -> BatchAnswer:
    """The answer when the call raised: the rows it names get their reason, the others go again; or one for all."""
    refusal = refusal_of(error)
    named = _named_rows(refusal, rows)
    if named:
        answers = tuple(
            answer(lookup(RULES, named[index]), named[index], row, now)
            if index in named
            else answer(_INNOCENT, "another_row_refused", row, now)
            for index, row in enumerate(rows)
        )
        return BatchAnswer(rows=answers, request_id=refusal.request_id)
    code, rule = _whole(error, refusal, len(rows))
    return whole(code, rule, rows, now, refusal.request_id, refusal.delay_s)


def _whole(error: Exception, refusal: Refusal, rows: int) -> tuple[str, Rule]:
    """One rule for a refused request. A reason about data that names no row has to be looked for: SPLIT."""
    reason = refusal.violations[0].reason if refusal.violations else refusal.reason
    code = f"ErrorReason.{reason}"
    if reason is None or code not in RULES:
        classified = classify(error)
        return classified.code, classified.rule
    rule = RULES[code]
    if status_of(error) == "INVALID_ARGUMENT" and rule.scope is Scope.ROW and rows > 1:
        return code, Rule(Verdict.SPLIT, f"{rule.sentence}; Google does not say which row: looked for in halves")
    return code, rule


def _named_rows(refusal: Refusal, rows: Sequence[Conversion]) -> dict[int, str]:
    """Index of row -> code. A named destination stands for every row of its conversion action."""
    actions = actions_of(rows)
    named: dict[int, str] = {}
    for violation in refusal.violations:
        code = f"ErrorReason.{violation.reason}"
        if violation.event is not None and violation.event < len(rows):
            named.setdefault(violation.event, code)
        elif violation.destination is not None and violation.destination < len(actions):
            if lookup(RULES, code).scope is Scope.ACCOUNT:
                continue  # concerns the account, whichever action it was found at
            action_id = actions[violation.destination]
            for index, row in enumerate(rows):
                if row.action_id == action_id:
                    named.setdefault(index, code)
    return named


def refusal_of(error: Exception) -> Refusal:
    """ErrorInfo, BadRequest, RetryInfo and RequestInfo of an exception: messages over gRPC, dicts over REST (5.16)."""
    reason: str | None = None
    violations: tuple[Violation, ...] = ()
    delay_s: float | None = None
    request_id: str | None = None
    for detail in getattr(error, "details", None) or ():
        fields = detail if isinstance(detail, Mapping) else _as_mapping(detail)
        if "fieldViolations" in fields:
            violations = tuple(_violation(item) for item in fields["fieldViolations"])
        elif "retryDelay" in fields:
            delay_s = float(str(fields["retryDelay"]).removesuffix("s"))
        elif "requestId" in fields:
            request_id = str(fields["requestId"])
        elif "reason" in fields:
            reason = str(fields["reason"])
    return Refusal(reason, violations, delay_s, request_id)


def _as_mapping(message: Any) -> dict[str, Any]:
    from google.protobuf.json_format import MessageToDict

    return MessageToDict(message)


def _violation(item: Mapping[str, Any]) -> Violation:
    path = str(item.get("field", ""))
    event, destination = _EVENT.search(path), _DESTINATION.search(path)
    return Violation(
        str(item.get("reason") or "INVALID_ARGUMENT"),
        int(event[1]) if event else None,
        int(destination[1]) if destination and not event else None,
    )
