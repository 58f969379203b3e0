"""Reading configurations at the edge: what comes from people and files is decoded and checked before it becomes a revision.

Every problem is an InvalidConfiguration that names the path inside the configuration and says what would be right.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from custom_events.catalog.reading import read_struct
from custom_events.conditions.problems import Problem, Severity
from custom_events.conditions.validate import validate
from custom_events.errors import Fault, InvalidConfiguration
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


def stored_config(payload: Mapping[str, Any]) -> DefinitionConfig:
    """A definition's configuration as a revision keeps it. What it means was checked when it was written, by the rules of then: what
    is refused today still applies, and can still be read. Raises InvalidConfiguration for a shape that this version does not know."""
    return _stored(payload, DefinitionConfig)


def stored_overrides(payload: Mapping[str, Any]) -> Overrides:
    """An assignment's overrides as a revision keeps them; otherwise as `stored_config`."""
    return _stored(payload, Overrides)


def to_plain(config: DefinitionConfig | Overrides) -> dict[str, Any]:
    """The inverse of reading: plain JSON as the revision tables keep it; amounts are text, defaults are left out."""
    return msgspec.json.decode(msgspec.json.encode(config))


def config_faults(raw: Mapping[str, Any] | DefinitionConfig) -> list[Problem]:
    """Everything that `read_config` would refuse."""
    read = read_struct(to_plain(raw) if isinstance(raw, DefinitionConfig) else raw, DefinitionConfig)
    return read if isinstance(read, list) else list(config_problems(read))


def check(config: DefinitionConfig) -> None:
    """Raise InvalidConfiguration for the first setting that cannot be used, alone or together with another one."""
    refuse(config_problems(config))


def _decode(raw: Mapping[str, Any] | _Config, kind: type[_Config]) -> _Config:
    # What was built in code passes the same way: its fields were never checked.
    read = read_struct(to_plain(raw) if isinstance(raw, kind) else raw, kind)
    if isinstance(read, list):
        raise _invalid(read)
    return read


def _stored(payload: Mapping[str, Any], kind: type[_Config]) -> _Config:
    try:
        return msgspec.convert(payload, kind)
    except msgspec.ValidationError as error:
        raise InvalidConfiguration(
            f"what is stored cannot be read by this version ({error}); was it written by a newer one?"
        ) from None


def refuse(problems: Iterable[Problem], below: str = "", *, known: Iterable[Problem] = ()) -> None:
    """Raise InvalidConfiguration, with every error; warnings pass, and so does what is among `known`: it was wrong before."""
    before = {(problem.path, problem.wrong) for problem in known}
    errors = [
        problem
        for problem in problems
        if problem.severity is Severity.ERROR and (problem.path, problem.wrong) not in before
    ]
    if errors:
        raise _invalid(errors, below)


def _invalid(problems: Sequence[Problem], below: str = "") -> InvalidConfiguration:
    """The first one is what a single line says; `faults` has them all."""
    faults = tuple(Fault(_below(below, problem.path), problem.wrong, problem.right) for problem in problems)
    return InvalidConfiguration(f"{faults[0].wrong}; {faults[0].right}", path=faults[0].path, faults=faults)


def _below(above: str, path: str) -> str:
    return ".".join(part for part in (above, path) if part).replace(".[", "[")
