"""Codes of both lanes and words of our own, as they stand in `reason`: what each means."""

from typing import Final

from custom_events.destinations.google_ads.errors import RULES as ADS_RULES
from custom_events.destinations.google_data_manager.codes import RULES as DATA_MANAGER_RULES
from custom_events.destinations.google_data_manager.codes import WARNINGS
from custom_events.destinations.rules import says_nothing
from custom_events.values import reasons
from custom_events.values.conversions import Scope, Verdict

RULES: Final = {**ADS_RULES, **DATA_MANAGER_RULES}
UNATTRIBUTABLE: Final = sorted(code for code, rule in RULES.items() if rule.verdict is Verdict.ACCEPTED)
ALREADY_THERE: Final = sorted(code for code, rule in RULES.items() if rule.verdict is Verdict.ALREADY_THERE)
USER_DATA_CODES: Final = sorted(code for code, rule in RULES.items() if rule.scope is Scope.USER_DATA)

_WAITS_BY_RULE: Final = frozenset({Verdict.HOLD, Verdict.FIX, Verdict.RETRY, Verdict.SPLIT, Verdict.UNKNOWN})


def sentence_of(reason: str) -> str:
    """What a code, or a word of our own, means."""
    rule = RULES.get(reason)
    if rule is not None:
        return rule.sentence
    return reasons.meaning(reason) or WARNINGS.get(reason) or "see the rows' sentences: custom-events uploads list"


def is_remark(reason: str | None) -> bool:
    """Whether a row's reason is what Google remarked on while it took the row."""
    return reason is not None and reason.startswith("WarningReason.")


def is_not_understood(reason: str) -> bool:
    """Whether a held row waits for a code of Google's that this version does not know, or that says of no row that it is to blame."""
    if "." not in reason:
        return False
    rule = RULES.get(reason)
    return rule is None or rule.verdict not in _WAITS_BY_RULE or says_nothing(RULES, reason)
