"""Plain values (from JSON or YAML) as typed structs: every problem at once, each with its path and what would be right.

msgspec's own decoder stops at the first; people who mend a file want all of them.
"""

import difflib
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
import msgspec.inspect as types

from custom_events.conditions.problems import Problem, kind_of

SHOWN_CHARACTERS = 60  # of a wrong value in a message
LIKENESS = 0.6  # difflib ratio from which a name is suggested; its own default, right for typing errors

_Struct = TypeVar("_Struct", bound=msgspec.Struct)

# Types of one plain value: what Python calls it, and how people do.
_PLAIN: dict[type[types.Type], tuple[type, str]] = {
    types.IntType: (int, "a whole number"),
    types.BoolType: (bool, "true or false"),
    types.StrType: (str, "a text"),
    types.DecimalType: (Decimal, "a number, such as 0.35"),
    types.DateType: (date, "a day, such as 2026-01-31"),
}


def read_struct(raw: object, kind: type[_Struct]) -> _Struct | list[Problem]:
    """`raw` as a struct, or every problem of its shape. What its values mean is checked elsewhere."""
    found, problems = read_as_far(raw, kind)
    return found if found is not None and not problems else problems


def read_as_far(raw: object, kind: type[_Struct]) -> tuple[_Struct | None, list[Problem]]:
    """Every problem of the shape, and the struct without what is wrong, so that the rest can be checked further. None where
    something is missing that it cannot be without."""
    reader = _Reader()
    return reader.struct(raw, kind, ""), reader.problems


def nearest(name: str, known: tuple[str, ...]) -> str:
    """`did you mean X? one of X, Y, Z`, the question only when something is near."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=LIKENESS)
    return (f"did you mean {near[0]}? " if near else "") + f"one of {', '.join(known)}"


def told(value: object) -> str:
    """A wrong value for a message: quoted and cut, or its kind."""
    if not isinstance(value, str | int | float | Decimal):
        return kind_of(value)
    text = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"


class _Reader:
    """One reading. Each method gives a value, or None after adding a problem."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def _wrong(self, path: str, wrong: str, right: str) -> None:
        self.problems.append(Problem(path=path, wrong=wrong, right=right))

    def struct(self, raw: object, kind: type[_Struct], path: str) -> _Struct | None:
        """An object with the fields of `kind` and no others."""
        if not isinstance(raw, Mapping):
            return self._wrong(path, f"here is {told(raw)}", f"settings by name: {', '.join(kind.__struct_fields__)}")
        fields = _fields(kind)
        values: dict[str, Any] = {}
        for name, value in raw.items():
            if (field := fields.get(name)) is None:
                self._wrong(_below(path, str(name)), f"{told(name)} is not known here", nearest(name, tuple(fields)))
            else:
                before = len(self.problems)
                found = self.value(value, field.type, _below(path, name))
                if found is not None or len(self.problems) == before:
                    values[field.name] = found
        for name, field in fields.items():
            if field.required and name not in raw:
                self._wrong(_below(path, name), "it is missing", _right(field.type))
        is_whole = all(name in values for name, field in fields.items() if field.required)
        return kind(**values) if is_whole else None

    def value(self, raw: object, wanted: types.Type, path: str) -> Any:
        """One value of the type that msgspec describes."""
        match wanted:
            case types.UnionType():
                alternatives = [one for one in wanted.types if not isinstance(one, types.NoneType)]
                if raw is None and len(alternatives) < len(wanted.types):
                    return None
                return self.value(raw, alternatives[0], path)  # our types have one besides null
            case types.StructType():
                return self.struct(raw, wanted.cls, path)
            case types.VarTupleType():
                if not isinstance(raw, list | tuple):
                    return self._wrong(path, f"here is {told(raw)}", "a list")
                found = tuple(self.value(one, wanted.item_type, f"{path}[{place}]") for place, one in enumerate(raw))
                return None if None in found else found  # our lists hold no null
            case types.DictType():
                return self._mapping(raw, wanted, path)
            case _:
                return self._scalar(raw, wanted, path)

    def _mapping(self, raw: object, wanted: types.DictType, path: str) -> Any:
        if not isinstance(raw, Mapping):
            return self._wrong(path, f"here is {told(raw)}", "an object")
        if isinstance(wanted.value_type, types.AnyType):  # a tree of conditions: JSON, which `conditions` reads
            return self._json(raw, path)
        found = {name: self.value(value, wanted.value_type, _below(path, str(name))) for name, value in raw.items()}
        return {name: value for name, value in found.items() if value is not None}

    def _scalar(self, raw: object, wanted: types.Type, path: str) -> Any:
        if words := _words(wanted):
            if isinstance(raw, str) and raw in words:
                return wanted.cls(raw) if isinstance(wanted, types.EnumType) else raw
            right = nearest(raw, words) if isinstance(raw, str) else f"one of {', '.join(words)}"
            return self._wrong(path, f"{told(raw)} cannot be used", right)
        kind, _ = _PLAIN[type(wanted)]
        try:
            return msgspec.convert(raw, kind)
        except msgspec.ValidationError:
            quotes = " (in quotes)" if kind is str and isinstance(raw, int | float | Decimal) else ""
            return self._wrong(path, f"{told(raw)} cannot be used", _right(wanted) + quotes)

    def _json(self, raw: object, path: str) -> Any:
        """Decimals of YAML as JSON's numbers; one that would change is refused."""
        match raw:
            case Mapping():
                return {str(name): self._json(value, _below(path, str(name))) for name, value in raw.items()}
            case list() | tuple():
                return [self._json(value, f"{path}[{place}]") for place, value in enumerate(raw)]
            case Decimal():
                number = float(raw)
                if Decimal(repr(number)) != raw:
                    self._wrong(path, f"{told(raw)} has more digits than a JSON number keeps", "put it in quotes")
                return number
            case _:
                return raw


@cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, types.Field]:
    shape = cast("types.StructType", types.type_info(kind))
    return {field.encode_name: field for field in shape.fields}


def _words(wanted: types.Type) -> tuple[str, ...]:
    """The closed words of an enumeration; none for other types."""
    if isinstance(wanted, types.EnumType):
        return tuple(member.value for member in wanted.cls)
    return tuple(map(str, wanted.values)) if isinstance(wanted, types.LiteralType) else ()


def _right(wanted: types.Type) -> str:
    """What would do, in words."""
    for one in _each(wanted):
        if words := _words(one):
            return f"one of {', '.join(words)}"
        if type(one) in _PLAIN:
            return _PLAIN[type(one)][1]
        if isinstance(one, types.VarTupleType):
            words = _words(one.item_type)
            return f"a list of {', '.join(words)}" if words else "a list"
    return "an object"


def _each(wanted: types.Type) -> Iterator[types.Type]:
    yield from wanted.types if isinstance(wanted, types.UnionType) else (wanted,)


def _below(path: str, step: str) -> str:
    return f"{path}.{step}" if path else step
