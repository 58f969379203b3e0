"""The language of conditions, and settings checked while they are typed. Nothing is stored."""

from typing import Any, Final

import msgspec

from console.api.calls import Call
from console.api.operations import Routes
from console.api.rights import of_some_site
from custom_events.access.roles import Role
from custom_events.catalog.settings_check import check_settings
from custom_events.conditions.language import (
    Language,
    LanguageField,
    LanguageMeasure,
    LanguageOperator,
    language,
)
from custom_events.conditions.problems import Severity

ROUTES: Final = Routes("conditions", "What conditions may ask, and settings checked while they are typed.")

_LANGUAGE: Final = Language(
    fields=(
        LanguageField(
            name="order.total",
            type="money",
            scope="event",
            meaning="All that was sold.",
            example="200.00",
            words=(),
            platforms=("shopify", "woocommerce", "custom"),
        ),
    ),
    operators={
        "money": (
            LanguageOperator(
                op=">=", words=">=", meaning="greater or equal", wants=("number",), hint="a number", takes_case=False
            ),
        )
    },
    measures=(LanguageMeasure(word="count", type="integer"),),
    measure_operators=(">=",),
    most_levels=10,
)


class NewSettingsCheck(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A definition's settings as far as they are typed; whatever stands in them, each fault is answered."""

    config: dict[str, Any]


class SettingsFault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong at a path of the settings, and what would be right. An error stops publishing, a warning does not."""

    path: str
    problem: str
    remedy: str
    severity: Severity


class SettingsCheck(msgspec.Struct, frozen=True, kw_only=True):
    """`sentence`: the rule in words, as far as it can be read; `conditions`: its conditions alone; `can_be_kept`: no fault is an error."""

    sentence: str
    conditions: str
    can_be_kept: bool
    faults: tuple[SettingsFault, ...]


_CHECK: Final = SettingsCheck(
    sentence="When order.paid happens and order.total >= 200: once for each order it counts with the order's total, "
    "and is recorded, and sent nowhere.",
    conditions="order.total >= 200",
    can_be_kept=False,
    faults=(SettingsFault(path="click_window_days", problem="900 days", remedy="1 to 90", severity=Severity.ERROR),),
)
_CONFIG: Final = {
    "trigger": ["order.paid"],
    "conditions": {"field": "order.total", "op": ">=", "value": 200},
    "click_window_days": 900,
}


@ROUTES.get("/condition-language", right=of_some_site(Role.VIEWER), answer=Language, example=_LANGUAGE)
def read_condition_language(call: Call) -> Language:
    """Every field with its type and an example, the operators of each type with what they are given, and what can be measured over line
    items. It changes with the product only."""
    del call  # nothing is asked of the database
    return language()


@ROUTES.post(
    "/settings-checks",
    right=of_some_site(Role.VIEWER),
    answer=SettingsCheck,
    example=_CHECK,
    body_example=NewSettingsCheck(config=_CONFIG),
    idempotent=False,
)
def check_definition_settings(call: Call, body: NewSettingsCheck) -> SettingsCheck:
    """The sentence that settings make so far, and everything that is wrong with them: all that keeping and publishing would refuse, and
    what they would warn about."""
    del call
    checked = check_settings(body.config)
    faults = tuple(
        SettingsFault(path=fault.path, problem=fault.wrong, remedy=fault.right, severity=fault.severity)
        for fault in checked.problems
    )
    return SettingsCheck(
        sentence=checked.sentence,
        conditions=checked.conditions,
        can_be_kept=all(fault.severity is not Severity.ERROR for fault in faults),
        faults=faults,
    )
