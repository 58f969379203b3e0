"""Sparse answers: of large things only the fields that are asked for.

An operation with a parameter `fields: Fields = None` declares its answer as `sparse(Thing)`, whose fields may all be missing, and
returns `chosen(thing, fields)`.
"""

from typing import Annotated, Any

import msgspec
from fastapi import Query

from console.api import problems
from console.api.problems import FieldError

Fields = Annotated[
    str | None,
    Query(
        max_length=1_000, description="Only these fields, separated by commas; leave it out for all.", examples=["id"]
    ),
]


def sparse(kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """The type of an answer that has some fields of `thing`; for the document."""
    fields = [(field.name, field.type | msgspec.UnsetType, msgspec.UNSET) for field in msgspec.structs.fields(kind)]
    about = {"__doc__": kind.__doc__}
    return msgspec.defstruct(f"{kind.__name__}Fields", fields, kw_only=True, frozen=True, namespace=about)


def names_of(fields: str | None, kind: type[msgspec.Struct]) -> frozenset[str] | None:
    """The fields that are asked for; None: all. Raises 422, naming those there are."""
    if fields is None:
        return None
    names = [name.strip() for name in fields.split(",")]
    known = kind.__struct_fields__
    unknown = [name for name in names if name not in known]
    if unknown:
        raise problems.invalid(
            *(
                FieldError(
                    field="fields",
                    place="query",
                    problem=f"{name[: problems.SHOWN_CHARACTERS]!r} is no field here",
                    remedy=f"some of {', '.join(known)}",
                    value=name[: problems.SHOWN_CHARACTERS],
                )
                for name in unknown
            )
        )
    return frozenset(names)


def chosen(shown: msgspec.Struct, names: frozenset[str] | None) -> Any:
    """The fields of `thing` that are asked for, by name."""
    if names is None:
        return shown
    return {name: getattr(shown, name) for name in shown.__struct_fields__ if name in names}
