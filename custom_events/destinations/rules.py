"""What a code of an ad platform means to us: one rule for each code, in tables beside each lane."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from custom_events.values.conversions import BatchAnswer, Conversion, RowAnswer, Scope, UploadKind, Verdict

SETTLING_S: Final = (
    6 * 3600
)  # Google takes a click, and a new action, six hours after it came into being (docs/reference/google-ads.md 2.2)
LATER_S: Final = 24 * 3600  # once more after a day, where Google may only be late (docs/reference/google-ads.md 2.1)
# Codes that refuse a click id, whatever is wrong with it: another one of the same conversion is tried first.
OF_THE_CLICK: Final = frozenset(
    [
        "UNPARSEABLE_GCLID",
        "UNPARSEABLE_WBRAID",
        "UNPARSEABLE_GBRAID",
        "INVALID_GCLID",
        "INVALID_WBRAID",
        "INVALID_GBRAID",
        "INVALID_CLICK",
        "UNAUTHORIZED_CUSTOMER",
        "INVALID_CUSTOMER_FOR_CLICK",
        "INVALID_AD_IDENTIFIER_FOR_ACCOUNT",
        "INVALID_OPERATING_ACCOUNT_FOR_CLICK",
        "OPERATING_ACCOUNT_MISMATCH_FOR_AD_IDENTIFIER",
        "EVENT_NOT_FOUND",
        "EXPIRED_EVENT",
        "CONVERSION_PRECEDES_EVENT",
        "CONVERSION_PRECEDES_CLICK",
        "CONVERSION_TRACKING_NOT_ENABLED_AT_IMPRESSION_TIME",
        "ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID",
    ]
)
NEXT_CLICK: Final = "; the next of its click ids is tried"
HASHES_ALONE: Final = "; it goes with hashed e-mail or phone alone"
RATE_PAUSE_S: Final = 30  # at least, where Google names no delay (docs/reference/google-ads.md 2.1)


class Rule(msgspec.Struct, frozen=True):
    """What happens next (`verdict`), how far it reaches, and what to tell people.

    `hold_s`: how long a HOLD waits (None: longer with every try). `then`: the verdict when the same code comes again after such a wait (None: wait again).
    """

    verdict: Verdict
    sentence: str
    scope: Scope = Scope.ROW
    hold_s: int | None = None
    then: Verdict | None = None


_INNOCENT: Final = Rule(Verdict.RETRY, "Another row of the request was refused; this one goes again", Scope.ROW, 0)


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
    """The click id is invalid; without one, hashed e-mail or phone may still tell who it was."""
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


def not_understood(code: str, detail: str = "and this version does not know the reason") -> Rule:
    """A whole request was refused and nothing says which row is to blame, if any is: all of them wait, longer each time, and a
    person has to look. Nothing is rejected for it, and nothing is sent in smaller parts: each part would be refused alike."""
    return Rule(
        Verdict.HOLD,
        f"Google refused the whole request with {code}, {detail}: its rows wait and go again; update, or ask Google",
        Scope.ACCOUNT,
    )


def says_nothing(table: Mapping[str, Rule], code: str) -> bool:
    """Whether a code tells nobody what is wrong: no table has it, or it is the enum's name for the absence of a reason."""
    rule = table.get(code)
    if rule is None:
        return True
    nameless = code.endswith((".UNSPECIFIED", ".UNKNOWN", "_UNSPECIFIED"))
    return nameless and rule.verdict is Verdict.FIX and rule.scope is Scope.ROW


def answer(rule: Rule, code: str, row: Conversion, now: datetime, *, names_row: bool = True) -> RowAnswer:
    """The rule applied to one row: with the time of the next try, and that time in words. `names_row`: the refusal is this row's own."""
    verdict, sentence, retry_at = rule.verdict, rule.sentence, None
    names_click = names_row and verdict is not Verdict.SPLIT and code.rpartition(".")[2] in OF_THE_CLICK
    if row.has_other_clicks and names_click:
        verdict, sentence = without_click(row, sentence)
    elif rule.verdict is Verdict.HOLD and rule.hold_s is not None:
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
    """What becomes of a row whose click id is of no use, and why: the next one is tried, then its hashes go alone where it has some
    that may be sent."""
    if row.has_other_clicks:
        return Verdict.DROP_CLICK, sentence + NEXT_CLICK
    if row.goes_without_click:
        return Verdict.DROP_CLICK, sentence + HASHES_ALONE
    return Verdict.REJECTED, sentence


def innocent(row: Conversion, now: datetime) -> RowAnswer:
    """The answer to a row of a refused request in which others are to blame: it goes again at once."""
    return answer(_INNOCENT, "another_row_refused", row, now)


def whole(
    code: str,
    rule: Rule,
    rows: Sequence[Conversion],
    now: datetime,
    request_id: str | None = None,
    delay_s: float | None = None,
) -> BatchAnswer:
    """One answer for every row of a request that failed as such; `retry_after_s` is what its account or lane should pause.
    What Google says of hashed user data is no answer to rows that carry none."""
    rule = delayed(rule, delay_s)
    spared: frozenset[int] = frozenset()
    if rule.scope is Scope.USER_DATA:  # rows with clicks alone go on, if any row is left that it is about
        spared = frozenset(row.upload_id for row in rows if not row.has_user_data)
        if len(spared) == len(rows):
            rule, spared = msgspec.structs.replace(rule, scope=Scope.ACCOUNT), frozenset()
    return BatchAnswer(
        rows=tuple(
            innocent(row, now) if row.upload_id in spared else answer(rule, code, row, now, names_row=len(rows) == 1)
            for row in rows
        ),
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
