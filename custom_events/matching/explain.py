"""Why an event did or did not become a custom event of an assignment, step by step, by the functions that `match` uses."""

from datetime import datetime
from decimal import Decimal

import msgspec

from custom_events.conditions.explain import ExplainedNode, explain_condition, lines
from custom_events.conditions.facts import Facts
from custom_events.conditions.problems import Problem
from custom_events.matching.compiled_rules import CompiledRules, Rule, compile_rule_of
from custom_events.matching.eligibility import click_reason, consent_status
from custom_events.matching.match import (
    NO_HISTORY,
    History,
    Match,
    counted,
    group_winners,
    is_in_dates,
    make_match,
    refused,
    threshold_crossing,
)
from custom_events.matching.threshold import Crossing, Occurrence
from custom_events.values.clicks import ConsentStatus
from custom_events.values.definitions import Assignment, Threshold, ThresholdMeasure
from custom_events.values.events import CommerceEvent
from custom_events.values.reasons import SENTENCES, Reason
from custom_events.values.zones import zone_or_utc

MAX_SHOWN_OCCURRENCES = 100  # of a threshold's counted events; the newest are shown, all are counted


class TriggerStep(msgspec.Struct, frozen=True, kw_only=True):
    """The event's type against the assignment's trigger."""

    happened: str
    waits_for: tuple[str, ...]
    holds: bool


class ConditionStep(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions with every leaf's value and verdict; `tree` is None without conditions."""

    holds: bool
    tree: ExplainedNode | None = None
    problems: tuple[Problem, ...] = ()


class ThresholdStep(msgspec.Struct, frozen=True, kw_only=True):
    """The measure just before and with this event, and the newest events that were counted."""

    threshold: Threshold
    before: Decimal
    after: Decimal
    holds: bool
    number_counted: int
    counted: tuple[Occurrence, ...]


class GroupStep(msgspec.Struct, frozen=True, kw_only=True):
    """The contest within the group: who fired, and who keeps it."""

    group: str
    candidates: tuple[int, ...]  # assignment ids
    winner: int
    holds: bool


class ClickStep(msgspec.Struct, frozen=True, kw_only=True):
    """One click of the event: whether it can stand for it."""

    kind: str
    clicked_at: datetime | None
    usable: bool
    reason: Reason | None = None


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer. `fires`: a match exists. `reason`: why not, or why the match is withheld; `sentence` says it."""

    assignment_id: int
    label: str
    definition_revision_id: int
    assignment_revision_id: int
    event_key: str
    fires: bool
    reason: Reason | None
    sentence: str
    trigger: TriggerStep
    is_test: bool
    in_dates: bool
    conditions: ConditionStep
    threshold: ThresholdStep | None
    group: GroupStep | None
    consent: ConsentStatus
    clicks: tuple[ClickStep, ...]
    match: Match | None  # value, deduplication key, time to send: as it would be recorded


def explain(
    event: CommerceEvent,
    assignment: Assignment,
    facts: Facts | None = None,
    history: History = NO_HISTORY,
    compiled_rules: CompiledRules | None = None,
    time_zone: str | None = None,
) -> Explanation:
    """Every step for this event and assignment, none skipped. `compiled_rules` has the site's other assignments (for groups); the
    assignment itself may be a draft that they do not have. Without `facts` the time zone is theirs or `time_zone`."""
    rule = compile_rule_of(assignment)
    site = None if compiled_rules is None else compiled_rules.site(assignment.site_id)
    if facts is None:
        facts = site.facts if site is not None else Facts(zone=zone_or_utc(time_zone))
    tree = explain_condition(assignment.config.conditions, event, facts)
    trigger = assignment.config.trigger
    fits = event.type in trigger
    reason = _no_match(rule, event, facts, history)
    others = [] if site is None else [other for other in site.rules if other.id != rule.id]
    group = _group_step(rule, others, event, facts, history) if reason is None else None
    if group is not None and not group.holds:
        reason = Reason.GROUP_LOST
    made = make_match(rule, event, facts, history) if reason is None else None
    reason = reason if made is None else made.withheld
    return Explanation(
        assignment_id=rule.id,
        label=assignment.label,
        definition_revision_id=assignment.definition_revision_id,
        assignment_revision_id=assignment.assignment_revision_id,
        event_key=event.key,
        fires=made is not None,
        reason=reason,
        sentence=SENTENCES[reason] if reason is not None else "It fired, and nothing keeps it back.",
        trigger=TriggerStep(happened=event.type, waits_for=tuple(trigger), holds=fits),
        is_test=event.is_test,
        in_dates=is_in_dates(rule, event, facts),
        conditions=ConditionStep(holds=tree.holds, tree=tree.tree, problems=tree.problems),
        threshold=_threshold_step(rule, event, facts, history),
        group=group,
        consent=consent_status(event),
        clicks=_click_steps(rule, event),
        match=made,
    )


def _no_match(rule: Rule, event: CommerceEvent, facts: Facts, history: History) -> Reason | None:
    """The first thing that keeps this rule alone from firing."""
    if event.is_test:
        return Reason.TEST_ORDER
    if event.is_undone:
        return Reason.TAKEN_BACK
    if event.type not in rule.assignment.config.trigger:
        return Reason.OTHER_TRIGGER
    if rule.condition.problems:
        return Reason.CONDITIONS_NOT_READABLE
    if not rule.condition.holds(event, facts):
        return Reason.CONDITIONS_NOT_MET
    return refused(rule, event, facts, history)


def _threshold_step(rule: Rule, event: CommerceEvent, facts: Facts, history: History) -> ThresholdStep | None:
    threshold = rule.assignment.config.threshold
    if threshold is None or counted(rule, event, facts) is None:
        return None
    crossing = threshold_crossing(rule, event, facts, history)
    if crossing is None or refused(rule, event, facts, history) is Reason.CUSTOMER_UNKNOWN:
        return None
    return ThresholdStep(
        threshold=threshold,
        before=crossing.before,
        after=crossing.after,
        holds=crossing.fires,
        number_counted=_number_counted(threshold, crossing),
        counted=crossing.counted[-MAX_SHOWN_OCCURRENCES:],
    )


def _number_counted(threshold: Threshold, crossing: Crossing) -> int:
    """A count says itself how many there were; the list of those counted may hold the newest only."""
    if threshold.measure is ThresholdMeasure.COUNT:
        return int(crossing.after)
    return sum(occurrence.events for occurrence in crossing.counted)


def _group_step(
    rule: Rule, others: list[Rule], event: CommerceEvent, facts: Facts, history: History
) -> GroupStep | None:
    group = rule.assignment.config.group
    if group is None:
        return None
    rivals = [other for other in others if other.assignment.config.group == group]
    firing = [rule, *(rival for rival in rivals if _no_match(rival, event, facts, history) is None)]
    winner = group_winners(firing)[0]
    return GroupStep(
        group=group, candidates=tuple(sorted(rival.id for rival in firing)), winner=winner.id, holds=winner is rule
    )


def _click_steps(rule: Rule, event: CommerceEvent) -> tuple[ClickStep, ...]:
    steps: list[ClickStep] = []
    for click in event.clicks:
        reason = click_reason(click, event, rule.match_settings.click_window)
        steps.append(ClickStep(kind=click.kind, clicked_at=click.clicked_at, usable=reason is None, reason=reason))
    return tuple(steps)


def explanation_lines(explanation: Explanation) -> list[str]:
    """The explanation for the terminal."""
    text = [
        f"{explanation.event_key} -> {explanation.label} (assignment {explanation.assignment_id}): {'fires' if explanation.fires else 'no match'}"
    ]
    text.append(f"  {explanation.sentence}")
    text.append(f"  trigger: {explanation.trigger.happened}, waits for {', '.join(explanation.trigger.waits_for)}")
    if explanation.conditions.tree is not None:
        text += [f"  {line}" for line in lines(explanation.conditions.tree)]
    text += [f"  conditions: {problem}" for problem in explanation.conditions.problems]
    if (step := explanation.threshold) is not None:
        text.append(
            f"  threshold: {step.before} before, {step.after} with it, at least {step.threshold.at_least}; {step.number_counted} counted"
        )
    if explanation.group is not None:
        text.append(f"  group {explanation.group.group}: assignment {explanation.group.winner} keeps it")
    if (made := explanation.match) is not None:
        text.append(
            f"  key {made.dedup_key}, value {made.value} {made.currency or ''}, not before {made.not_before.isoformat()}"
        )
        text.append(f"  consent {made.consent}, click {made.click.kind if made.click else 'none'}")
        if made.waits_for_consent:
            text.append("  waits until somebody says: consent is unknown, and the customer may be in Europe")
        elif not made.with_user_data:
            text.append("  the click goes alone: consent is unknown, and the customer may be in Europe")
    return text


def to_json(explanation: Explanation) -> bytes:
    """The explanation as JSON; amounts as text."""
    return msgspec.json.encode(explanation)
