"""Plain values (from JSON or YAML) as typed structs: every problem at once, each with its path and what would be right.

msgspec's own decoder stops at the first; people who mend a file want all of them.
"""

import difflib
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
import msgspec.inspect as types

from custom_events.conditions.problems import Problem, join, kind_of
from custom_events.values import numbers as sizes
from custom_events.values.numbers import is_no_number_word, read_number
from custom_events.values.texts import printable, text_problem
from custom_events.values.times import read_day

SHOWN_CHARACTERS = 60  # of a wrong value in a message
MAX_TREE_LEVELS = 64  # of JSON; a tree of conditions ends at ten, and Python's own recursion at some hundreds
OLD_NAMES = {"tell": "extra_data"}  # settings that had another name; both are read until the release after the next
LIKENESS = 0.6  # difflib ratio from which a name is suggested; its own default, right for typing errors

_Struct = TypeVar("_Struct", bound=msgspec.Struct)

_TOO_LONG = 10**SHOWN_CHARACTERS
_NUMBER = "a number, such as 0.35"
# Types of one plain value: what Python calls it, and how people do.
_PLAIN: dict[type[types.Type], tuple[type, str]] = {
    types.IntType: (int, "a whole number"),
    types.BoolType: (bool, "true or false"),
    types.StrType: (str, "a text"),
    types.DecimalType: (Decimal, _NUMBER),
    types.DateType: (date, "a day, such as 2026-01-31"),
    types.DateTimeType: (datetime, "a moment with its zone, such as 2026-01-31T09:00:00Z"),
}


def read_struct(raw: object, kind: type[_Struct]) -> _Struct | list[Problem]:
    """`raw` as a struct, or every problem of its shape. What its values mean is checked elsewhere."""
    struct, problems = read_as_far(raw, kind)
    return struct if struct is not None and not problems else problems


def read_as_far(raw: object, kind: type[_Struct]) -> tuple[_Struct | None, list[Problem]]:
    """Every problem of the shape, and the struct without what is wrong, so that the rest can be checked further. None where
    something is missing that it cannot be without."""
    reader = _Reader()
    return reader.struct(with_new_names(raw, kind), kind, ""), reader.problems


def with_new_names(raw: object, kind: type[msgspec.Struct]) -> object:
    """The same with settings under the names of today, also in a site's assignments. Where both are given, both stay: the old one is
    then unknown."""
    if not isinstance(raw, dict):
        return raw
    values = cast("dict[object, object]", raw)
    fields = kind.__struct_fields__
    names = {old: new for old, new in OLD_NAMES.items() if old in values and new in fields and new not in values}
    renamed = {names.get(str(name), name): value for name, value in values.items()}
    entry = kind.__annotations__.get("assignments")
    if entry is not None and isinstance(listed := renamed.get("assignments"), list):
        renamed["assignments"] = [with_new_names(item, entry.__args__[0]) for item in cast("list[object]", listed)]
    return renamed


def nearest(name: str, known: tuple[str, ...]) -> str:
    """`did you mean X? one of X, Y, Z`, the question only when something is near."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=LIKENESS)
    return (f"did you mean {near[0]}? " if near else "") + f"one of {', '.join(known)}"


def quoted(value: object) -> str:
    """A wrong value for a message: quoted and cut, or its kind."""
    if isinstance(value, int) and abs(value) >= _TOO_LONG:
        return "the number"  # of thousands of digits, perhaps, which Python would refuse to write
    if not isinstance(value, str | int | float | Decimal):
        return kind_of(value)
    text = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return printable(text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…")


def name_problems(path: str, text: str, right: str) -> Iterator[Problem]:
    """What is wrong with a name for people: nothing in it, or what no database keeps."""
    if not text.strip():
        yield Problem(path=path, wrong="it is empty", right=right)
    elif (wrong := text_problem(text)) is not None:
        yield Problem(path=path, wrong=wrong, right="remove it")


class _Reader:
    """One reading. Each method gives a value, or None after adding a problem."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def _wrong(self, path: str, wrong: str, right: str) -> None:
        self.problems.append(Problem(path=path, wrong=wrong, right=right))

    def struct(self, raw: object, kind: type[_Struct], path: str) -> _Struct | None:
        """An object with the fields of `kind` and no others."""
        if not isinstance(raw, Mapping):
            return self._wrong(path, f"here is {quoted(raw)}", f"settings by name: {', '.join(kind.__struct_fields__)}")
        fields = _fields(kind)
        values: dict[str, Any] = {}
        for name, value in raw.items():
            if (field := fields.get(name)) is None:
                self._wrong(join(path, str(name)), f"{quoted(name)} is not known here", nearest(name, tuple(fields)))
            else:
                before = len(self.problems)
                part = self.value(value, field.type, join(path, name))
                if part is not None or len(self.problems) == before:
                    values[field.name] = part
        for name, field in fields.items():
            if field.required and name not in raw:
                self._wrong(join(path, name), "it is missing", _right(field.type))
        is_whole = all(name in values for name, field in fields.items() if field.required)
        return kind(**values) if is_whole else None

    def value(self, raw: object, wanted: types.Type, path: str) -> Any:
        """One value of the type that msgspec describes."""
        match wanted:
            case types.UnionType():
                alternatives = [kind for kind in wanted.types if not isinstance(kind, types.NoneType)]
                if raw is None and len(alternatives) < len(wanted.types):
                    return None
                lists = [kind for kind in alternatives if isinstance(kind, types.VarTupleType)]
                # Our types have one besides null, or words and a list.
                return self.value(raw, lists[0] if lists and isinstance(raw, list | tuple) else alternatives[0], path)
            case types.StructType():
                return self.struct(raw, wanted.cls, path)
            case types.VarTupleType():
                if not isinstance(raw, list | tuple):
                    return self._wrong(path, f"here is {quoted(raw)}", "a list")
                items = tuple(self.value(item, wanted.item_type, f"{path}[{place}]") for place, item in enumerate(raw))
                return None if None in items else items  # our lists hold no null
            case types.DictType():
                return self._mapping(raw, wanted, path)
            case _:
                return self._scalar(raw, wanted, path)

    def _mapping(self, raw: object, wanted: types.DictType, path: str) -> Any:
        if not isinstance(raw, Mapping):
            return self._wrong(path, f"here is {quoted(raw)}", "an object")
        if isinstance(wanted.value_type, types.AnyType):  # a tree of conditions: JSON, which `conditions` reads
            return self._json(raw, path)
        result = {name: self.value(value, wanted.value_type, join(path, str(name))) for name, value in raw.items()}
        return {name: value for name, value in result.items() if value is not None}

    def _scalar(self, raw: object, wanted: types.Type, path: str) -> Any:
        if words := _words(wanted):
            if isinstance(raw, str) and raw in words:
                return wanted.cls(raw) if isinstance(wanted, types.EnumType) else raw
            right = nearest(raw, words) if isinstance(raw, str) else f"one of {', '.join(words)}"
            return self._wrong(path, f"{quoted(raw)} cannot be used", right)
        match wanted:
            case types.DecimalType():
                return self._number(raw, path)
            case types.DateType():
                day = read_day(raw) if isinstance(raw, str) else raw if type(raw) is date else None
                return day if day is not None else self._wrong(path, f"{quoted(raw)} cannot be used", _right(wanted))
            case types.StrType():
                return self._text(raw, path)
            case _:
                return self._other(raw, wanted, path)

    def _number(self, raw: object, path: str) -> Decimal | None:
        """A finite number that the database and Google can hold; text where JSON would lose digits."""
        number = None
        if isinstance(raw, str) and is_no_number_word(raw):
            return self._wrong(path, f"{raw.strip()} is no number", _NUMBER)
        if isinstance(raw, str):
            number = read_number(raw)
        elif isinstance(raw, int | float | Decimal) and not isinstance(raw, bool):
            number = Decimal(repr(raw)) if isinstance(raw, float) else Decimal(raw)
        if number is None:
            return self._wrong(path, f"{quoted(raw)} cannot be used", _NUMBER)
        return number if self._has_size(number, raw, path, sizes.RIGHT) else None

    def _text(self, raw: object, path: str) -> str | None:
        if not isinstance(raw, str):
            quotes = " (in quotes)" if isinstance(raw, int | float | Decimal) else ""
            return self._wrong(path, f"{quoted(raw)} cannot be used", f"a text{quotes}")
        if (wrong := text_problem(raw)) is not None:
            return self._wrong(path, wrong, "remove it")
        return raw

    def _other(self, raw: object, wanted: types.Type, path: str) -> Any:
        kind, right = _PLAIN[type(wanted)]
        try:
            value = msgspec.convert(raw, kind)
        except (msgspec.ValidationError, UnicodeEncodeError):  # a lone surrogate
            return self._wrong(path, f"{quoted(raw)} cannot be used", right)
        if kind is datetime and (not isinstance(raw, str | datetime) or value.tzinfo is None):
            return self._wrong(path, f"{quoted(raw)} cannot be used", right)
        if kind is int and not self._has_size(
            value, raw, path, f"a whole number of at most {sizes.MAX_WHOLE_DIGITS} digits"
        ):
            return None
        return value

    def _has_size(self, number: Decimal | int, raw: object, path: str, right: str) -> bool:
        if isinstance(number, Decimal) and not number.is_finite():
            self._wrong(path, f"{number} is no number", _NUMBER)
            return False
        if (wrong := sizes.size_problem(number)) is not None:
            self._wrong(path, f"{quoted(raw)} {wrong}", right)
            return False
        return True

    def _json(self, raw: object, path: str, depth: int = 1) -> Any:
        """A tree as JSON keeps it: decimals of YAML as its numbers; what would change, or be refused by the database, is refused."""
        if depth > MAX_TREE_LEVELS:
            return self._wrong(path, f"it is deeper than {MAX_TREE_LEVELS} levels", "flatten it")
        match raw:
            case Mapping():
                return {
                    self._name(name, path): self._json(value, join(path, str(name)), depth + 1)
                    for name, value in raw.items()
                }
            case list() | tuple():
                return [self._json(value, f"{path}[{place}]", depth + 1) for place, value in enumerate(raw)]
            case str():
                return self._text(raw, path)
            case bool() | None:
                return raw
            case int() | float() | Decimal():
                return self._json_number(raw, path)
            case _:
                return self._wrong(
                    path, f"here is {kind_of(raw)}", "a text, a number, true, false, a list or an object"
                )

    def _json_number(self, raw: Decimal | float, path: str) -> int | float | None:
        number = Decimal(repr(raw)) if isinstance(raw, float) else Decimal(raw)
        if not self._has_size(number, raw, path, f"{sizes.RIGHT}; an id stands in quotes"):
            return None
        if isinstance(raw, Decimal) and Decimal(repr(float(raw))) != raw:
            return self._wrong(path, f"{quoted(raw)} has more digits than a JSON number keeps", "put it in quotes")
        return float(raw) if isinstance(raw, Decimal) else raw

    def _name(self, name: object, path: str) -> str:
        text = str(name)
        if (wrong := text_problem(text)) is not None:
            self._wrong(join(path, text), wrong, "remove it")
        return text


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
    for kind in _each(wanted):
        if words := _words(kind):
            return f"one of {', '.join(words)}"
        if type(kind) in _PLAIN:
            return _PLAIN[type(kind)][1]
        if isinstance(kind, types.VarTupleType):
            words = _words(kind.item_type)
            return f"a list of {', '.join(words)}" if words else "a list"
    return "an object"


def _each(wanted: types.Type) -> Iterator[types.Type]:
    yield from wanted.types if isinstance(wanted, types.UnionType) else (wanted,)
