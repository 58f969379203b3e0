"""Reading configurations at the edge: what comes from people and files is decoded and checked before it becomes a revision.

Every problem is an InvalidConfiguration that names the path inside the configuration and says what would be right.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from custom_events.conditions.problems import Problem, Severity
from custom_events.conditions.validate import validate
from custom_events.errors import InvalidConfiguration
from custom_events.matching.checks import config_problems
from custom_events.values.definitions import DefinitionConfig, Overrides

_PLACE = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<path>.*)`)?\Z", re.DOTALL)  # how msgspec ends its messages
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
            _refuse(validate(tree), name)
    return overrides


def to_plain(config: DefinitionConfig | Overrides) -> dict[str, Any]:
    """The inverse of reading: plain JSON as the revision tables keep it; amounts are text, defaults are left out."""
    return msgspec.json.decode(msgspec.json.encode(config))


def check(config: DefinitionConfig) -> None:
    """Raise InvalidConfiguration for the first setting that cannot be used, alone or together with another one."""
    _refuse(config_problems(config))


def _decode(raw: Mapping[str, Any] | _Config, kind: type[_Config]) -> _Config:
    # What was built in code passes the same way: its fields were never checked.
    plain = to_plain(raw) if isinstance(raw, kind) else raw
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        found = _PLACE.fullmatch(str(error))
        what, path = (found["what"], found["path"] or "") if found is not None else (str(error), "")
        hint = f"; known settings: {', '.join(kind.__struct_fields__)}" if "unknown field" in what and not path else ""
        raise InvalidConfiguration(what[:1].lower() + what[1:] + hint, path=path) from None


def _refuse(problems: Iterable[Problem], below: str = "") -> None:
    for problem in problems:
        if problem.severity is Severity.ERROR:
            path = ".".join(part for part in (below, problem.path) if part).replace(".[", "[")
            raise InvalidConfiguration(f"{problem.wrong}; {problem.right}", path=path)
