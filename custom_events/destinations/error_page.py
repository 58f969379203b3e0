"""docs/reference/google-errors.md, made from the rules by which answers are read."""

from collections.abc import Iterable, Mapping
from typing import Final

from custom_events.destinations.google_ads.errors import FAMILIES
from custom_events.destinations.google_data_manager.codes import ERROR_REASONS, PROCESSING_REASONS, WARNING_REASONS
from custom_events.destinations.rules import Rule
from custom_events.values.conversions import Scope, Verdict

_HOUR_S: Final = 3_600
_HEAD: Final = """\
# What Google's answers mean here

Generated from the tables that the sender uses (`make docs`); every name of the installed packages has an entry, and a test fails
when a new version brings one that has none.

| what happens | meaning |
|---|---|
| accepted | Google has it |
| already there | Google had it before: delivered by an earlier call of ours, or by another system |
| retry | tried again by itself: after Google's own delay, else after 5, 10, 20 s ... up to an hour, with jitter |
| hold | waits for a known hour, which the sentence names |
| fix | a person must act: the row is held and tried daily, or what the reason reaches is stopped until it is mended or released |
| drop click | the click id is invalid: it goes again with hashed e-mail or phone alone where it has them, else it is rejected |
| rejected | never taken, however often it is sent |
| expired | too late for Google |
| split | the request goes again in smaller parts, until the row that is to blame stands alone |
| unknown | no answer: it may have been applied, so it is sent again under the same order id |

**Reaches** says what is stopped: the row; the conversion action; of the account what carries hashed e-mail or phone (clicks alone
go on), or its adjustments (conversions go on); the account; every account of the lane. What is stopped is tried every quarter of
an hour with a row of the kind that was refused, validated and not stored, and goes on by itself once Google takes it.

A code that is in no table here, or that only says that something is wrong, tells of no row that it is to blame. Where it stands beside a
row, that row is held and tried daily. Where a whole request is refused with it, all its rows are held, the account goes again
after one minute, two, four ... up to an hour, the alarm `ReasonNotKnown` tells a person, and nothing is rejected or sent in smaller
parts for it. An enum's value that the installed client does not know goes by its number (`UNKNOWN_57`), over REST by Google's own word.

A call that ends without an answer of Google's own is read from its text (`destinations/transport_errors.py`): a revoked grant and a
refused certificate park, no connection is a retry, and whatever may have reached Google is unknown.
"""
_WORDS: Final[Mapping[Verdict, str]] = {
    Verdict.ALREADY_THERE: "already there",
    Verdict.DROP_CLICK: "drop click",
}
_REACH: Final[Mapping[Scope, str]] = {
    Scope.ROW: "row",
    Scope.ACTION: "action",
    Scope.USER_DATA: "account, with hashes",
    Scope.ADJUSTMENTS: "account, adjustments",
    Scope.ACCOUNT: "account",
    Scope.PROJECT: "lane",
}


def render() -> str:
    """The whole page."""
    parts = [_HEAD, "\n## Google Ads API\n"]
    for enum, table in FAMILIES.values():
        parts += [f"\n### {enum}\n\n", *_table(table.items())]
    parts.append("\n## Data Manager API\n")
    for enum, table in (("ErrorReason", ERROR_REASONS), ("ProcessingErrorReason", PROCESSING_REASONS)):
        parts += [f"\n### {enum}\n\n", *_table(table.items())]
    remarks = [f"| `{name}` | {sentence} |\n" for name, sentence in sorted(WARNING_REASONS.items())]
    parts += ["\n### WarningReason: remarks about rows that were taken\n\n| code | in words |\n|---|---|\n", *remarks]
    return "".join(parts)


def _table(rules: Iterable[tuple[str, Rule]]) -> list[str]:
    rows = [f"| `{name}` | {_what(rule)} | {_REACH[rule.scope]} | {rule.sentence} |\n" for name, rule in sorted(rules)]
    return ["| code | what happens | reaches | in words |\n|---|---|---|---|\n", *rows]


def _what(rule: Rule) -> str:
    word = _WORDS.get(rule.verdict, rule.verdict.value)
    if rule.verdict is Verdict.HOLD and rule.hold_s is not None:
        word += f" {rule.hold_s // _HOUR_S} h"
    return f"{word}, then {_WORDS.get(rule.then, rule.then.value)}" if rule.then is not None else word
