"""What a capability probe found out about an ads account, in plain sentences."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from custom_events.values.conversions import BatchAnswer, Scope, Verdict

MAY_IMPORT: Final = "may_import"
_IN_THE_WAY = frozenset({MAY_IMPORT, "action_exists", "action_type", "action_enabled"})


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One question and its answer. `fine` None: it could not be found out, and `sentence` says why."""

    question: str  # a stable word: may_import, terms_accepted, action_type ...
    fine: bool | None
    sentence: str
    action_id: str | None = None  # of a finding about one conversion action
    code: str | None = None  # Google's, where it refused
    scope: Scope = Scope.ACCOUNT  # what a refusal reaches


class ActionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A conversion action as Google describes it now."""

    action_id: str
    name: str
    action_type: str
    click_window_days: int
    one_per_click: bool


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """All of a probe. `actions` is empty where the lane cannot read them; `calls` is what it used of the quota."""

    findings: tuple[Finding, ...]
    actions: tuple[ActionFacts, ...] = ()
    calls: int = 1

    @property
    def fine(self) -> bool:
        """Nothing was found that keeps conversions from being sent."""
        return all(finding.fine is not False for finding in self.findings)


def may_import(answer: BatchAnswer, action_id: str | None = None) -> Finding:
    """From a rehearsal: whatever Google says of the row itself, it let us ask. A refusal of the action that was asked with is a finding
    of this action (None: the account has none yet, and its absence says nothing); one that reaches further is one of the account."""
    verdict = answer.rows[0] if answer.verdict is None else answer
    of_action = verdict.scope is Scope.ACTION
    if verdict.verdict is Verdict.FIX and verdict.scope is not Scope.ROW and not (of_action and action_id is None):
        return Finding(
            question=MAY_IMPORT,
            fine=False,
            sentence=verdict.sentence or str(verdict.code),
            action_id=action_id if of_action else None,
            code=verdict.code,
            scope=verdict.scope,
        )
    if answer.verdict is None:
        return Finding(question=MAY_IMPORT, fine=True, sentence="Google takes conversions of this account from us")
    sentence = f"Google did not answer: {answer.sentence}"
    refused = answer.code if answer.verdict is Verdict.HOLD else None  # it did, and nobody understands it
    return Finding(question=MAY_IMPORT, fine=None, sentence=sentence, code=refused)


def in_the_way(findings: Findings) -> list[Finding]:
    """What keeps every conversion of the account, or of one action, from being taken; nothing else is worth a stop. Terms and
    settings of enhanced conversions concern rows that go without a click id, and Google says so row by row."""
    return [finding for finding in findings.findings if finding.fine is False and finding.question in _IN_THE_WAY]


def as_json(findings: Findings, checked_at: str) -> Mapping[str, Any]:
    """What `ads_accounts.capabilities` keeps."""
    return {"checked_at": checked_at, "fine": findings.fine, "findings": msgspec.to_builtins(findings.findings)}
