"""What can be wrong with a stored tree or setting: where, what, and what would be right."""

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """An error stops publishing; a warning is shown."""

    ERROR = "error"
    WARNING = "warning"


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
