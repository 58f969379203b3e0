"""A definition's settings with an assignment's overrides: the one place where they are combined."""

from enum import StrEnum
from operator import attrgetter
from typing import Any

import msgspec

from custom_events.values.definitions import ConditionTree, DefinitionConfig, Overrides


class Origin(StrEnum):
    """Where a setting of the effective configuration comes from."""

    DEFAULT = "default"  # neither says anything: the product's default
    DEFINITION = "definition"  # inherited
    ASSIGNMENT = "assignment"  # replaced
    BOTH = "definition and assignment"  # conditions that were added to


SETTINGS: tuple[str, ...] = tuple(field.name for field in msgspec.structs.fields(DefinitionConfig))
_SETTINGS_OF = attrgetter(*SETTINGS)  # once for each assignment when a configuration is loaded


def effective(definition: DefinitionConfig, overrides: Overrides) -> DefinitionConfig:
    """The configuration that matching uses. `also` is added to the conditions, inherited or replaced."""
    values = zip(SETTINGS, _SETTINGS_OF(overrides), strict=True)
    replaced = {name: value for name, value in values if value is not msgspec.UNSET}
    config = msgspec.structs.replace(definition, **replaced)
    if overrides.also is None:
        return config
    return msgspec.structs.replace(config, conditions=_both(config.conditions, overrides.also))


def origins(definition: DefinitionConfig, overrides: Overrides) -> dict[str, Origin]:
    """For each setting, where its effective value comes from."""
    by_setting = {name: _origin(definition, overrides, name) for name in SETTINGS}
    if overrides.also is not None:
        base = definition.conditions if overrides.conditions is msgspec.UNSET else None
        by_setting["conditions"] = Origin.ASSIGNMENT if base is None else Origin.BOTH
    return by_setting


def _origin(definition: DefinitionConfig, overrides: Overrides, name: str) -> Origin:
    if getattr(overrides, name) is not msgspec.UNSET:
        return Origin.ASSIGNMENT
    return Origin.DEFAULT if getattr(definition, name) == _DEFAULTS.get(name, msgspec.UNSET) else Origin.DEFINITION


def _both(first: ConditionTree | None, second: ConditionTree) -> ConditionTree:
    """Both trees; an `all` group of the definition is extended, so that the line for people stays flat."""
    if first is None:
        return second
    if list(first) == ["all"] and isinstance(first["all"], list):
        return {"all": [*first["all"], second]}
    return {"all": [first, second]}


_DEFAULTS: dict[str, Any] = {
    field.name: field.default
    for field in msgspec.structs.fields(DefinitionConfig)
    if field.default is not msgspec.NODEFAULT
}
