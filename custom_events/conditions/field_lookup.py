"""Finds fields by name, and names that look like a wrong one."""

import difflib
from functools import cache

from custom_events.conditions.field_list import FIELDS, OPEN_PATHS
from custom_events.conditions.fields import Field, FieldType, OpenPath, Scope

SUGGESTIONS = 3  # nearest names offered for an unknown field
LEAST_LIKENESS = 0.5  # difflib ratio below which a name is no suggestion; tried on typing errors in the tests


@cache
def fields_by_name() -> dict[str, Field]:
    """Every named field, by name, in the order of the reference page."""
    return {field.name: field for field in FIELDS}


@cache
def open_paths() -> dict[str, OpenPath]:
    """The families of open paths, by prefix."""
    return {path.prefix: path for path in OPEN_PATHS}


def find_field(name: str) -> Field | None:
    """The field of this name, or the field an open path stands for; None when there is none."""
    field = fields_by_name().get(name)
    if field is not None:
        return field
    for prefix, path in open_paths().items():
        rest = name.removeprefix(prefix + ".")
        if rest and rest != name:
            return Field(
                name=name,
                type=FieldType.OPEN,
                meaning=path.meaning,
                example=path.example,
                # repr() of a str is always one Python literal: a name cannot break out of the generated source.
                expression=path.expression.replace("{path}", repr(rest)),
                platforms=path.platforms,
                scope=path.scope,
            )
    return None


def nearest_names(name: str, scope: Scope) -> list[str]:
    """Names in this scope that look like `name`, best first."""
    known = [field.name for field in fields_by_name().values() if field.scope is scope]
    known += [f"{path.prefix}.NAME" for path in open_paths().values() if path.scope is scope]
    same_tail = [other for other in known if other.rpartition(".")[2] == name.rpartition(".")[2]]
    alike = difflib.get_close_matches(name, known, n=SUGGESTIONS, cutoff=LEAST_LIKENESS)
    return list(dict.fromkeys([*alike, *same_tail]))[:SUGGESTIONS]
