"""Rule tests: one event under a rule, leaf by leaf. Nothing is stored."""

from typing import Any, Final

import msgspec

from console.api import problems
from console.api.calls import Call
from console.api.operations import Routes
from console.api.problems import FieldError, ProblemError, Reference
from console.api.rights import of_site, of_some_site
from console.api.routes.revisions import CONFIG, LAST_NUMBER
from console.api.routes.sites import SiteId
from console.api.translation import placed
from custom_events.access.roles import Role
from custom_events.catalog import assignments, sites
from custom_events.explain import rule_test
from custom_events.history.drafts import Draft
from custom_events.values.definitions import DefinitionConfig, Overrides
from custom_events.values.deliveries import Platform

ROUTES: Final = Routes("rule tests", "One event under a rule, leaf by leaf: does it fire, and why. Nothing is stored.")

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


class SettingsTest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Settings to try on a webhook's `body`, as the platform sends it under this topic."""

    platform: Platform
    topic: str
    body: dict[str, Any]
    config: DefinitionConfig
    overrides: Overrides = Overrides()


class SiteRuleTest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A rule to try on a site, and the event: a webhook's `body` under a `topic`, or the key of a stored one (`event_key`).

    Nothing named: every published rule of the site. `definition_key` or `assignment_id`: its revision of this number, the newest
    where none is given, or `config` and `overrides` in the place of a stored one."""

    topic: str | None = None
    body: dict[str, Any] | None = None
    event_key: str | None = None
    definition_key: str | None = None
    definition_number: int | None = None
    config: DefinitionConfig | None = None
    assignment_id: int | None = None
    assignment_number: int | None = None
    overrides: Overrides | None = None


class TriedRule(msgspec.Struct, frozen=True, kw_only=True):
    """One event under one rule. `sentence` says why it fires or not; `explanation` has every step, and every leaf of the conditions with
    its value and verdict. `assignment_id` is not positive for a rule that is no assignment."""

    event_key: str
    event_type: str
    assignment_id: int
    definition_key: str
    label: str
    fires: bool
    reason: str | None
    sentence: str
    explanation: dict[str, Any]


class RuleTest(msgspec.Struct, frozen=True, kw_only=True):
    """Whether any rule fires. A body that gives no event says why in `outcome`, `reason` and `detail`; `notes` limit the answer."""

    site_id: int | None
    fires: bool
    outcome: str
    reason: str | None
    detail: str | None
    tried: tuple[TriedRule, ...]
    notes: tuple[str, ...]


_BODY: Final = {
    "type": "order.paid",
    "occurred_at": "2026-11-30T12:00:00Z",
    "order": {"id": "1001", "total": "120.00", "currency": "EUR"},
}
_EXAMPLE: Final = RuleTest(
    site_id=None,
    fires=True,
    outcome="understood",
    reason=None,
    detail=None,
    tried=(
        TriedRule(
            event_key="order.paid:1001",
            event_type="order.paid",
            assignment_id=0,
            definition_key="(draft)",
            label="(not assigned)",
            fires=True,
            reason=None,
            sentence="It fires.",
            explanation={"trigger": {"happened": "order.paid", "waits_for": ["order.paid"], "holds": True}},
        ),
    ),
    notes=(),
)


@ROUTES.post(
    "/rule-tests",
    right=of_some_site(Role.VIEWER),
    answer=RuleTest,
    example=_EXAMPLE,
    body_example=SettingsTest(platform=Platform.CUSTOM, topic="order.paid", body=_BODY, config=CONFIG),
    idempotent=False,
)
def test_settings(call: Call, body: SettingsTest) -> RuleTest:
    """Try settings on a body, for no site: nothing is known of the customer, and nothing happened before."""
    del call  # nothing is asked of the database
    subject = rule_test.Body(platform=body.platform, topic=body.topic, body=_ENCODER.encode(body.body))
    with placed("config", DefinitionConfig):
        return _shown(rule_test.run_on_body(subject, body.config, body.overrides))


@ROUTES.post(
    "/sites/{site_id}/rule-tests",
    right=of_site(Role.VIEWER),
    answer=RuleTest,
    example=msgspec.structs.replace(_EXAMPLE, site_id=3),
    body_example=SiteRuleTest(topic="order.paid", body=_BODY, config=CONFIG),
    idempotent=False,
    raises=(problems.CONFLICT, problems.BROKEN_REFERENCE),
)
def test_rule_of_site(call: Call, site_id: SiteId, body: SiteRuleTest) -> RuleTest:
    """Try a rule, or all of them, on a site with its stored customers and history."""
    site = sites.get(call.connection, site_id)
    subject = _subject(body, site.platform)
    _check_numbers(body)
    if body.assignment_id is not None and assignments.site_of(call.connection, body.assignment_id) != site_id:
        named = Reference(noun="assignment", id=str(body.assignment_id))
        raise ProblemError(
            problems.BROKEN_REFERENCE, f"Site {site_id} has no assignment {named.id}.", references=(named,)
        )
    draft = Draft(
        definition=body.definition_key,
        definition_number=body.definition_number,
        config=body.config,
        assignment=body.assignment_id,
        assignment_number=body.assignment_number,
        overrides=body.overrides,
    )
    field, settings = ("config", DefinitionConfig) if body.config is not None else ("overrides", Overrides)
    with placed(field, settings):
        return _shown(rule_test.run_sync(call.readers, subject, draft, site=site.site_key))


def _subject(body: SiteRuleTest, platform: Platform) -> rule_test.Body | str:
    """The event to try. Raises 422 unless there is exactly one."""
    if body.event_key is not None and body.body is None and body.topic is None:
        return body.event_key
    if body.event_key is None and body.body is not None and body.topic is not None:
        return rule_test.Body(platform=platform, topic=body.topic, body=_ENCODER.encode(body.body))
    raise problems.invalid(
        FieldError(
            field="event_key",
            problem="one event is tried",
            remedy="give `topic` and `body`, or `event_key` of a stored event",
        )
    )


def _check_numbers(body: SiteRuleTest) -> None:
    """Raise 422 for numbers that no revision can have."""
    numbers = {"definition_number": body.definition_number, "assignment_number": body.assignment_number}
    wrong = {name: value for name, value in numbers.items() if value is not None and not 1 <= value <= LAST_NUMBER}
    if wrong:
        remedy = f"a revision's number, 1 to {LAST_NUMBER}"
        raise problems.invalid(*(FieldError(field=name, problem="no revision has it", remedy=remedy) for name in wrong))


def _shown(tested: rule_test.RuleTest) -> RuleTest:
    return RuleTest(
        site_id=tested.site_id,
        fires=tested.fires,
        outcome=tested.outcome,
        reason=tested.reason,
        detail=tested.detail,
        tried=tuple(_tried(tried) for tried in tested.tried),
        notes=tested.notes,
    )


def _tried(tried: rule_test.Tried) -> TriedRule:
    explanation = tried.explanation
    return TriedRule(
        event_key=tried.event_key,
        event_type=tried.event_type,
        assignment_id=tried.assignment_id,
        definition_key=tried.definition,
        label=tried.label,
        fires=explanation.fires,
        reason=explanation.reason,
        sentence=explanation.sentence,
        explanation=msgspec.to_builtins(explanation),
    )
