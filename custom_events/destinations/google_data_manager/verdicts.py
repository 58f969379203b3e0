"""The Data Manager's later verdicts: counts by reason for each conversion action, and never a row (docs/reference/google-ads.md 2.7).

Where the counts leave no doubt they are told to every row; else the rows go again in smaller parts. Sending them again changes
nothing at Google, as the same transaction id overwrites the same value.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from custom_events.destinations.google_data_manager.answers import enum_name, refusal_of
from custom_events.destinations.google_data_manager.codes import RULES, processing_name
from custom_events.destinations.google_data_manager.raw_answers import Place
from custom_events.destinations.rules import Rule, answer, fix, lookup
from custom_events.destinations.transport_errors import classify
from custom_events.values.conversions import BatchAnswer, Conversion, RowAnswer, Scope, Verdict
from custom_events.values.reasons import NO_VERDICT, REQUEST_FORGOTTEN
from custom_events.values.summaries import Counts, RequestCounts

SUCCESS: Final = 1  # RequestStatusPerDestination.RequestStatus; a test compares them with the installed package
FAILED: Final = 3
PARTIAL_SUCCESS: Final = 4

_TAKEN: Final = Rule(Verdict.ACCEPTED, "Google has processed it")
_SPLIT: Final = Rule(
    Verdict.SPLIT, "Some rows of the request failed and Google does not say which: sent again in smaller parts"
)
_NONE: Final = fix("Google could not process it and gave no reason: ask Google with the request id", Scope.ROW)
_FORGOTTEN: Final = Rule(Verdict.UNKNOWN, REQUEST_FORGOTTEN)
_NOT_KNOWN: Final = frozenset({"ErrorReason.INVALID_REQUEST_ID", "ErrorReason.REQUEST_TOO_OLD"})  # kept about 50 days
_DELIVERED: Final = frozenset({Verdict.ALREADY_THERE, Verdict.ACCEPTED})

ReasonCounts = tuple[tuple[str, int], ...]


class Part(NamedTuple):
    """What Google says of one conversion action: a RequestStatusPerDestination, and its counts by code."""

    status: int
    events: int
    counts: ReasonCounts


def read_status(
    response: Any,
    rows: Sequence[Conversion],
    now: datetime,
    request_id: str,
    names: Callable[[], Mapping[Place, str]] = dict,
) -> BatchAnswer:
    """A RetrieveRequestStatusResponse (wrapped or raw) as answers to the request's rows; PENDING until all is processed.

    `names`: Google's own words for reasons that the client does not know, by their place (raw_answers.py).
    """
    raw = type(response).pb(response) if hasattr(type(response), "pb") else response
    statuses = list(raw.request_status_per_destination)
    if not statuses or any(part.request_status not in {SUCCESS, FAILED, PARTIAL_SUCCESS} for part in statuses):
        return pending(rows, request_id)
    by_place = names() if any(count.reason == 0 for part in statuses for count in part.error_info.error_counts) else {}
    parts = {
        part.destination.product_destination_id: Part(
            part.request_status, int(part.events_ingestion_status.record_count), counts_of(part, place, by_place)
        )
        for place, part in enumerate(statuses)
    }
    sizes: dict[str, int] = {}
    for row in rows:
        sizes[row.action_id] = sizes.get(row.action_id, 0) + 1
    decided = {action: _decide(parts[action], size) for action, size in sizes.items() if action in parts}
    answers: list[RowAnswer] = []
    for row in rows:
        code, rule = decided.get(row.action_id, (NO_VERDICT, _SPLIT if len(rows) > 1 else _NONE))
        answers.append(answer(rule, code, row, now) if code else _accepted(row, rule))
    counts = tuple(_request_counts(action, part, sizes.get(action, 0)) for action, part in parts.items())
    return BatchAnswer(rows=tuple(answers), request_id=request_id, counts=counts)


def _request_counts(action_id: str, part: Part, size: int) -> RequestCounts:
    """What Google counted for one conversion action, by its own words: a repetition counts as failed there."""
    reasons = dict(part.counts)
    events = part.events or size
    failed = sum(reasons.values())
    if part.status == FAILED and not reasons:
        failed = events
    failed = min(failed, events)
    return RequestCounts(action_id=action_id, counts=Counts(successful=events - failed, failed=failed), reasons=reasons)


def read_poll_failure(error: Exception, rows: Sequence[Conversion], request_id: str) -> BatchAnswer:
    """A poll without a verdict. It says nothing about the rows, so they keep waiting, and never go again for it."""
    refusal = refusal_of(error)
    code = f"ErrorReason.{refusal.reason}"
    if code in _NOT_KNOWN:
        answers = tuple(
            RowAnswer(upload_id=row.upload_id, verdict=_FORGOTTEN.verdict, code=code, sentence=_FORGOTTEN.sentence)
            for row in rows
        )
        return BatchAnswer(rows=answers, request_id=request_id)
    if code in RULES:
        return pending(rows, request_id, code, RULES[code].sentence)
    classified = classify(error)
    return pending(rows, request_id, classified.code, classified.rule.sentence)


def pending(
    rows: Sequence[Conversion], request_id: str, code: str | None = None, sentence: str | None = None
) -> BatchAnswer:
    """Nothing is known yet."""
    answers = tuple(RowAnswer(upload_id=row.upload_id, verdict=Verdict.PENDING) for row in rows)
    return BatchAnswer(
        rows=answers, request_id=request_id, verdict=Verdict.PENDING, code=code, sentence=sentence, scope=Scope.ROW
    )


def counts_of(part: Any, place: int, by_place: Mapping[Place, str]) -> ReasonCounts:
    """(code, rows) of one destination, each code once."""
    counts: Counter[str] = Counter()
    for within, count in enumerate(part.error_info.error_counts):
        name = processing_name(enum_name(count, "reason", by_place.get((place, within))))
        counts[f"ProcessingErrorReason.{name}"] += int(count.record_count)
    return tuple((code, number) for code, number in counts.items() if number)


def _decide(part: Part, size: int) -> tuple[str, Rule]:
    """Code and rule for every row of one conversion action; an empty code for plain success."""
    if part.status == SUCCESS:
        return "", _TAKEN
    rules = {code: lookup(RULES, code) for code, _ in part.counts}
    if rules and all(rule.verdict in _DELIVERED for rule in rules.values()):
        return _delivered(part.counts, rules, max(size, part.events))
    if part.status == FAILED and len(rules) == 1:
        return next(iter(rules.items()))
    if part.status == FAILED and not rules:
        return NO_VERDICT, _NONE  # all of them: smaller parts would say no more
    code = next((name for name, rule in rules.items() if rule.verdict not in _DELIVERED), NO_VERDICT)
    if size > 1:
        return code, _SPLIT
    return code, rules.get(code, _NONE)


def _delivered(counts: ReasonCounts, rules: dict[str, Rule], size: int) -> tuple[str, Rule]:
    """All rows are taken. What is said of some of them is no row's code, since Google does not name them: it is kept with the
    request's counts, and said to each row as that."""
    code, rule = next(iter(rules.items()))
    total = sum(count for _, count in counts)
    if total >= size:
        return code, rule
    said = "; ".join(
        f"{count} of the request's {size} rows, not named: {rules[name].sentence}" for name, count in counts
    )
    return "", Rule(Verdict.ACCEPTED, said)


def _accepted(row: Conversion, rule: Rule) -> RowAnswer:
    sentence = None if rule is _TAKEN else rule.sentence
    return RowAnswer(upload_id=row.upload_id, verdict=Verdict.ACCEPTED, sentence=sentence)
