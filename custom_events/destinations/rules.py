"""What a code of an ad platform means to us: one rule for each code, in tables beside each lane."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from custom_events.values.conversions import BatchAnswer, Conversion, RowAnswer, Scope, UploadKind, Verdict

SETTLING_S: Final = (
    6 * 3600
)  # Google takes a click, and a new action, six hours after it came into being (google-ads 2.2)
LATER_S: Final = 24 * 3600  # once more after a day, where Google may only be late (google-ads 2.1)
RATE_PAUSE_S: Final = 30  # at least, where Google names no delay (google-ads 2.1)


class Rule(msgspec.Struct, frozen=True):
    """What happens next (`verdict`), how far it reaches, and what to tell people.

    `hold_s`: how long a HOLD waits. `then`: the verdict when the same code comes again after such a wait (None: wait again).
    """

    verdict: Verdict
    sentence: str
    scope: Scope = Scope.ROW
    hold_s: int | None = None
    then: Verdict | None = None


def retry(sentence: str, pause_s: int | None = None, scope: Scope = Scope.ROW) -> Rule:
    """Try again by itself."""
    return Rule(Verdict.RETRY, sentence, scope, pause_s)


def hold(sentence: str, seconds: int = SETTLING_S, then: Verdict | None = None) -> Rule:
    """Wait for a known time."""
    return Rule(Verdict.HOLD, sentence, Scope.ROW, seconds, then)


def fix(sentence: str, scope: Scope = Scope.ACCOUNT) -> Rule:
    """A person must act first."""
    return Rule(Verdict.FIX, sentence, scope)


def taken(sentence: str) -> Rule:
    """Settled, though nothing can be attributed; not an error."""
    return Rule(Verdict.ACCEPTED, sentence)


def there(sentence: str) -> Rule:
    """Google has it already."""
    return Rule(Verdict.ALREADY_THERE, sentence)


def never(sentence: str) -> Rule:
    """It will not be taken, however often it is sent."""
    return Rule(Verdict.REJECTED, sentence)


def unreadable(sentence: str) -> Rule:
    """The click id is none; without one, hashed e-mail or phone may still tell who it was."""
    return Rule(Verdict.DROP_CLICK, sentence)


def expired(sentence: str) -> Rule:
    """It came too late."""
    return Rule(Verdict.EXPIRED, sentence)


def split(sentence: str) -> Rule:
    """Send in smaller parts."""
    return Rule(Verdict.SPLIT, sentence)


def delayed(rule: Rule, delay_s: float | None) -> Rule:
    """The rule with the platform's own delay, where it named one."""
    return rule if delay_s is None else msgspec.structs.replace(rule, hold_s=math.ceil(delay_s))


def lookup(table: Mapping[str, Rule], code: str) -> Rule:
    """The rule of a code. A code that the table does not know waits for a person: it is neither repeated nor dropped."""
    rule = table.get(code)
    if rule is not None:
        return rule
    return fix(f"Google answered {code}, which this version does not know: update it, then release the rows", Scope.ROW)


def answer(rule: Rule, code: str, row: Conversion, now: datetime) -> RowAnswer:
    """The rule applied to one row: with the time of the next try, and that time in words."""
    verdict, sentence, retry_at = rule.verdict, rule.sentence, None
    if rule.verdict is Verdict.HOLD:
        retry_at = hold_until(rule, code, row, now)
        sentence = f"{sentence}: {retry_at:%Y-%m-%d %H:%M} UTC"
    elif rule.hold_s is not None:
        retry_at = now + timedelta(seconds=rule.hold_s)
    elif verdict is Verdict.DROP_CLICK:
        verdict, sentence = without_click(row, sentence)
    return RowAnswer(
        upload_id=row.upload_id,
        verdict=verdict,
        code=code,
        sentence=sentence,
        retry_at=retry_at,
        scope=rule.scope,
        then=rule.then,
    )


def without_click(row: Conversion, sentence: str) -> tuple[Verdict, str]:
    """What becomes of a row whose click id is of no use, and why: its hashes go alone where it has some that may be sent."""
    if row.goes_without_click:
        return Verdict.DROP_CLICK, f"{sentence}; it goes with hashed e-mail or phone alone"
    return Verdict.REJECTED, sentence


def whole(
    code: str,
    rule: Rule,
    rows: Sequence[Conversion],
    now: datetime,
    request_id: str | None = None,
    delay_s: float | None = None,
) -> BatchAnswer:
    """One answer for every row of a request that failed as such; `retry_after_s` is what its account or lane should pause."""
    rule = delayed(rule, delay_s)
    return BatchAnswer(
        rows=tuple(answer(rule, code, row, now) for row in rows),
        request_id=request_id,
        verdict=rule.verdict,
        code=code,
        sentence=rule.sentence,
        retry_after_s=rule.hold_s,
        scope=rule.scope if rule.scope is not Scope.ROW else Scope.ACCOUNT,
    )


def hold_until(rule: Rule, code: str, row: Conversion, now: datetime) -> datetime:
    """When a held row may go: counted from the click or from the action's making where that is known, else from now."""
    wait = timedelta(seconds=rule.hold_s or 0)
    start: datetime | None = None
    if "TOO_RECENT_CONVERSION_ACTION" in code or "TOO_RECENTLY_CREATED" in code:
        start = row.action_created_at
    elif "TOO_RECENT" in code and row.kind is UploadKind.CONVERSION:
        start = row.click.clicked_at if row.click is not None else None
    until = (start or now) + wait
    return until if until > now else now + timedelta(seconds=RATE_PAUSE_S)
