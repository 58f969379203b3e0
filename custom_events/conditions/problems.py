"""What can be wrong with a stored tree or setting: where, what, and what would be right."""

import json
import re
from enum import StrEnum

import msgspec

MAX_SHOWN_STEP = 60  # characters of one step of a path in a message
_PLAIN_STEP = re.compile(r"[^\s.\[\]\"']+\Z")


class Severity(StrEnum):
    """An error stops publishing; a warning is shown."""

    ERROR = "error"
    WARNING = "warning"


def join(path: str, step: str) -> str:
    """The path of a setting below another one. A name that could be taken for several steps, or for none, stands in quotes."""
    if _PLAIN_STEP.match(step) is None or not step.isprintable() or len(step) > MAX_SHOWN_STEP:
        step = json.dumps(step if len(step) <= MAX_SHOWN_STEP else f"{step[:MAX_SHOWN_STEP]}...")
    return f"{path}.{step}" if path else step


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """`path` stands inside the tree (`all[1].value`; empty: the tree itself)."""

    path: str
    wrong: str
    right: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        return f"{self.path or 'conditions'}: {self.wrong}; {self.right}"


def kind_of(value: object) -> str:
    """The JSON kind of a value, in words."""
    match value:
        case None:
            return "nothing (null)"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list() | tuple():
            return "a list"
        case dict():
            return "an object"
        case _:
            return type(value).__name__
