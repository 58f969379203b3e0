"""A rule test for the terminal."""

from collections.abc import Iterator

from custom_events.explain.rule_test import RuleTest, Tried
from custom_events.explain.trace_lines import explained_lines


def rule_test_lines(result: RuleTest) -> Iterator[str]:
    """Each event under each rule."""
    if result.outcome != "understood":
        yield f"The body is {result.outcome}: {result.reason}" + (f" ({result.detail})" if result.detail else "")
    elif not result.tried:
        yield "The body gives no commerce event."
    for tried in result.tried:
        yield from _tried(tried)
    yield from result.notes


def _tried(tried: Tried) -> Iterator[str]:
    verdict = "fires" if tried.explanation.fires else "no match"
    name = tried.definition if tried.assignment_id <= 0 else f"{tried.definition} (assignment {tried.assignment_id})"
    yield f"{tried.event_key} under {name}: {verdict}"
    yield f"  {tried.explanation.sentence}"
    for line in explained_lines(tried.explanation):
        yield f"  {line}"
