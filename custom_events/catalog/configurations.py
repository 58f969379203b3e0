"""Reading configurations at the edge: what comes from people and files is decoded and checked before it becomes a revision.

Every problem is an InvalidConfiguration that names the path inside the configuration and says what would be right.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from custom_events.catalog.reading import read_struct
from custom_events.conditions.problems import Problem, Severity
from custom_events.conditions.validate import validate
from custom_events.errors import InvalidConfiguration
from custom_events.matching.checks import config_problems
from custom_events.values.definitions import DefinitionConfig, Overrides

_Config = TypeVar("_Config", DefinitionConfig, Overrides)


def read_config(raw: Mapping[str, Any] | DefinitionConfig) -> DefinitionConfig:
    """A definition's configuration from plain JSON. Raises InvalidConfiguration."""
    config = _decode(raw, DefinitionConfig)
    check(config)
    return config


def read_overrides(raw: Mapping[str, Any] | Overrides) -> Overrides:
    """An assignment's overrides from plain JSON. Raises InvalidConfiguration.

    Whether they fit the definition shows in the effective configuration, which is checked as a whole.
    """
    overrides = _decode(raw, Overrides)
    for name, tree in (("also", overrides.also), ("conditions", overrides.conditions)):
        if tree is not None and tree is not msgspec.UNSET:
            refuse(validate(tree), name)
    return overrides


def to_plain(config: DefinitionConfig | Overrides) -> dict[str, Any]:
    """The inverse of reading: plain JSON as the revision tables keep it; amounts are text, defaults are left out."""
    return msgspec.json.decode(msgspec.json.encode(config))


def check(config: DefinitionConfig) -> None:
    """Raise InvalidConfiguration for the first setting that cannot be used, alone or together with another one."""
    refuse(config_problems(config))


def _decode(raw: Mapping[str, Any] | _Config, kind: type[_Config]) -> _Config:
    # What was built in code passes the same way: its fields were never checked.
    found = read_struct(to_plain(raw) if isinstance(raw, kind) else raw, kind)
    if isinstance(found, list):
        raise _invalid(found[0])
    return found


def refuse(problems: Iterable[Problem], below: str = "") -> None:
    """Raise InvalidConfiguration for the first error; warnings pass."""
    for problem in problems:
        if problem.severity is Severity.ERROR:
            raise _invalid(problem, below)


def _invalid(problem: Problem, below: str = "") -> InvalidConfiguration:
    path = ".".join(part for part in (below, problem.path) if part).replace(".[", "[")
    return InvalidConfiguration(f"{problem.wrong}; {problem.right}", path=path)
