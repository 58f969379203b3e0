"""The Data Manager's answers at once: taken for processing, or refused, naming rows or not. Verdicts: verdicts.py."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import msgspec

from custom_events.destinations.google_data_manager.codes import RULES, warning_name
from custom_events.destinations.google_data_manager.requests import actions_of
from custom_events.destinations.rules import (
    RATE_PAUSE_S,
    Rule,
    answer,
    innocent,
    lookup,
    not_understood,
    retry,
    says_nothing,
    whole,
)
from custom_events.destinations.transport_errors import BAD_REQUEST, TOO_MUCH, classify, status_of
from custom_events.values.conversions import BatchAnswer, Conversion, RowAnswer, Scope, Verdict

_EVENT = re.compile(r"(?:^|\.)events\[(\d+)\]")
_DESTINATION = re.compile(r"(?:^|\.)destinations\[(\d+)\]")
_NEXT: Final = Rule(Verdict.RETRY, "A request takes ten conversion actions; this one goes with the next", Scope.ROW, 0)


# The enum's own words for "something is wrong", which say of no row what.
_GENERAL: Final = frozenset({"ErrorReason.INVALID_ARGUMENT", "ErrorReason.ERROR_REASON_UNSPECIFIED"})
_TOO_MANY: Final = retry("Google refuses for the moment: too many requests", RATE_PAUSE_S, Scope.PROJECT)


class Violation(msgspec.Struct, frozen=True):
    """A bad field. `event` or `destination` is its index where the path names one; another path is a field of the request."""

    reason: str
    event: int | None = None
    destination: int | None = None
    path: str = ""

    @property
    def is_of_the_request(self) -> bool:
        """Whether its path leads to no event and no destination."""
        return bool(self.path) and self.event is None and self.destination is None


class Refusal(msgspec.Struct, frozen=True):
    """What a refused request says, over gRPC or REST."""

    reason: str | None = None
    violations: tuple[Violation, ...] = ()
    delay_s: float | None = None
    request_id: str | None = None


class Warned(msgspec.Struct, frozen=True):
    """What Google says of one event that it takes all the same. `code` is its reason (`WarningReason.GENERIC`)."""

    event: int
    code: str
    sentence: str


def accepted(rows: Sequence[Conversion], request_id: str, warned: Sequence[Warned] = ()) -> BatchAnswer:
    """Every row was taken for processing; the verdict comes later. `warned`: what was said of some of them."""
    answers = [RowAnswer(upload_id=row.upload_id, verdict=Verdict.PENDING) for row in rows]
    for warning in reversed(warned):  # of several about one row, the first is kept
        if warning.event < len(answers):
            answers[warning.event] = msgspec.structs.replace(
                answers[warning.event], code=warning.code, sentence=warning.sentence
            )
    return BatchAnswer(rows=tuple(answers), request_id=request_id)


def warnings_of(response: Any, names: Mapping[int, str] = MappingProxyType({})) -> tuple[Warned, ...]:
    """The `field_warnings` of an answer that name an event. `names`: by their place, the words of those that this client does not
    know (raw_answers.py)."""
    raw = type(response).pb(response) if hasattr(type(response), "pb") else response
    warnings: list[Warned] = []
    for place, warning in enumerate(raw.field_warnings):
        event = _EVENT.search(warning.field)
        if event is not None:
            code = f"WarningReason.{warning_name(enum_name(warning, 'reason', names.get(place)))}"
            warnings.append(Warned(int(event[1]), code, f"Google took it with a remark: {warning.description or code}"))
    return tuple(warnings)


def enum_name(message: Any, field: str, word: str | None = None) -> str:
    """The name of an enum's value: the client's, else Google's own word (`told`), else its number."""
    number = getattr(message, field)
    if word is not None and not number:
        return word
    known = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number.get(number)
    return f"UNKNOWN_{number}" if known is None else str(known.name)


def next_request(row: Conversion, now: datetime) -> RowAnswer:
    """For rows that were left out of a request with ten actions."""
    return answer(_NEXT, "next_request", row, now)


def read_failure(error: Exception, rows: Sequence[Conversion], now: datetime) -> BatchAnswer:
    """The answer when the call raised: the rows it names get their reason, the others go again; or one for all."""
    refusal = refusal_of(error)
    named = _named_rows(refusal, rows)
    if named:
        answers = tuple(
            answer(lookup(RULES, named[index]), named[index], row, now) if index in named else innocent(row, now)
            for index, row in enumerate(rows)
        )
        return BatchAnswer(rows=answers, request_id=refusal.request_id)
    code, rule = _whole(error, refusal, len(rows))
    return whole(code, rule, rows, now, refusal.request_id, refusal.delay_s)


def _whole(error: Exception, refusal: Refusal, rows: int) -> tuple[str, Rule]:
    """One rule for a refused request. A reason about a row that is not named has to be looked for: SPLIT. A reason that nobody
    knows, or that is about the request itself, says of no row that it is to blame."""
    reason = refusal.violations[0].reason if refusal.violations else refusal.reason
    code = f"ErrorReason.{reason}"
    if reason is None or code not in RULES:
        return _unknown(error, refusal, reason)
    if says_nothing(RULES, code) or (code in _GENERAL and not refusal.violations):
        return code, not_understood(code)
    rule = RULES[code]
    if status_of(error) != "INVALID_ARGUMENT" or rule.scope is not Scope.ROW or rule.verdict is Verdict.SPLIT:
        return code, rule
    if refusal.violations and all(violation.is_of_the_request for violation in refusal.violations):
        return code, not_understood(code, f"which names the request's field {refusal.violations[0].path} and no row")
    if rows > 1:
        return code, Rule(Verdict.SPLIT, f"{rule.sentence}; Google does not say which row: looked for in parts")
    return code, rule


def _unknown(error: Exception, refusal: Refusal, reason: str | None) -> tuple[str, Rule]:
    """No reason, or none of the installed package's: the status decides, and a bad request keeps Google's word for why."""
    classified = classify(error)
    if classified.rule is TOO_MUCH and (reason is not None or refusal.delay_s is not None):
        return (
            classified.code,
            _TOO_MANY,
        )  # a reason or a delay comes with a quota, not with a message that is too large
    if classified.rule is not BAD_REQUEST or reason is None:
        return classified.code, classified.rule
    return f"ErrorReason.{reason}", not_understood(f"ErrorReason.{reason}")


def _named_rows(refusal: Refusal, rows: Sequence[Conversion]) -> dict[int, str]:
    """Index of row -> code. A named destination stands for every row of its conversion action."""
    actions = actions_of(rows)
    named: dict[int, str] = {}
    for violation in refusal.violations:
        code = f"ErrorReason.{violation.reason}"
        if violation.event is not None and violation.event < len(rows):
            named.setdefault(violation.event, code)
        elif violation.destination is not None and violation.destination < len(actions):
            if lookup(RULES, code).scope in {Scope.ACCOUNT, Scope.USER_DATA}:
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
        path,
    )
