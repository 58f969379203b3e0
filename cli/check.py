"""One check of `custom-events doctor`: what it found, and what to do."""

from enum import StrEnum

import msgspec


class State(StrEnum):
    """Of one check. Only FAILED makes the doctor's exit code 1."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """`found` is a sentence; `remedy` is what to do, empty when all is well."""

    name: str
    state: State
    found: str
    remedy: str = ""


def failed(name: str, problem: str) -> Check:
    """The check of a problem whose first sentence says what is wrong, and the rest what to do."""
    sentence, _, remedy = problem.partition(". ")
    return Check(name=name, state=State.FAILED, found=f"{sentence}.", remedy=remedy)
