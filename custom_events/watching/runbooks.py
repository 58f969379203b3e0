"""Where the manual says what to do about an alarm."""

from typing import Final

RUNBOOKS: Final = "runbooks/alarms.md"  # the page of docs/ with a section for each alarm


def runbook(name: str) -> str:
    """What an alarm of this name means and what to do: a page below docs/, with the heading in it."""
    return f"{RUNBOOKS}#{name.lower()}"
