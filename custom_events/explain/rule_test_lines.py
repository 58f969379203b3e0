"""A rule test for the terminal."""

from collections.abc import Iterator

from custom_events.explain.rule_test import RuleTest, Tried
from custom_events.explain.trace_lines import explained_lines


def rule_test_lines(found: RuleTest) -> Iterator[str]:
    """Each event under each rule."""
    if found.outcome != "understood":
        yield f"The body is {found.outcome}: {found.reason}" + (f" ({found.detail})" if found.detail else "")
    elif not found.tried:
        yield "The body gives no commerce event."
    for one in found.tried:
        yield from _tried(one)
    yield from found.notes


def _tried(one: Tried) -> Iterator[str]:
    verdict = "fires" if one.explanation.fires else "no match"
    name = one.definition if one.assignment_id <= 0 else f"{one.definition} (assignment {one.assignment_id})"
    yield f"{one.event_key} under {name}: {verdict}"
    yield f"  {one.explanation.sentence}"
    for line in explained_lines(one.explanation):
        yield f"  {line}"
