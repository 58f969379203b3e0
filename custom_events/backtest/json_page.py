"""docs/reference/looking-back.md: what backtest, replay, explain and test-rule answer, made from the values themselves."""

import types
import typing
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import msgspec

from custom_events.backtest.replay import Replay
from custom_events.backtest.result import Backtest
from custom_events.explain.rule_test import RuleTest
from custom_events.explain.trace import Trace
from custom_events.matching.match import Match
from custom_events.values.definitions import DefinitionConfig, Overrides

ANSWERS: Final = {"backtest": Backtest, "replay": Replay, "explain": Trace, "test-rule": RuleTest}
# Described elsewhere: the configuration in conditions.md, a whole match with its assignment in the source.
_NOT_FOLLOWED: Final = (DefinitionConfig, Overrides, Match)
_PLAIN: Final = {str: "text", int: "number", float: "number", bool: "boolean", Decimal: "amount as text",
                 datetime: "time", date: "day"}  # fmt: skip
_INTRODUCTION: Final = """\
# Looking back: the answers

Made from `custom_events/explain/` and `custom_events/backtest/` by `make docs`; a test compares. The verbs `backtest`, `replay`, `explain` and `test-rule` print
these documents with `--json`. Fields are added, never renamed or removed. Amounts are decimal numbers as
text, times are ISO 8601 in UTC; `?` marks what may be null.
"""


def page() -> str:
    """The whole page."""
    return _INTRODUCTION + "".join(f"{line}\n" for line in _lines())


def _lines() -> Iterator[str]:
    described: list[type[msgspec.Struct]] = []
    for verb, answer in ANSWERS.items():
        yield ""
        yield f"## {verb}"
        for struct in _reached(answer):
            if struct in described:  # above
                continue
            described.append(struct)
            yield ""
            if struct is not answer:
                yield f"### {struct.__name__}"
                yield ""
            yield " ".join((struct.__doc__ or "").split())
            yield ""
            yield "| field | type |"
            yield "|---|---|"
            for name, kind in typing.get_type_hints(struct).items():
                yield f"| `{name}` | {_type(kind)} |"


def _reached(answer: type[msgspec.Struct]) -> list[type[msgspec.Struct]]:
    """The answer and every value in it, in the order in which they are met."""
    structs = [answer]
    for struct in structs:
        for kind in typing.get_type_hints(struct).values():
            structs += [part for part in _structs(kind) if part not in structs]
    return structs


def _structs(kind: Any) -> Iterator[type[msgspec.Struct]]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        if kind not in _NOT_FOLLOWED:
            yield kind
        return
    for part in typing.get_args(kind):
        yield from _structs(part)


def _type(kind: Any) -> str:
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        named = [_type(part) for part in parts if part not in (types.NoneType, msgspec.UnsetType)]
        return " or ".join(named) + ("?" if types.NoneType in parts else "")
    if origin in (tuple, list):
        return f"list of {_type(parts[0])}"
    if origin is dict:
        return f"{_type(parts[1])} by {_type(parts[0])}"
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return "one of " + ", ".join(f"`{member}`" for member in kind)
    return _PLAIN.get(kind, getattr(kind, "__name__", "JSON"))
