"""A body read leaf by leaf against its struct, for one that the strict decoder refuses: what is odd is read by its evident meaning, else
it counts as missing; what is essential stays strict.

The result is a plain JSON value that the strict decoder takes. Everything here follows from the structs' types, so a field that is added to
one of them is read tolerantly from the first day; essential are fields without a default, and those that a platform's `shapes.py` names.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import inspect

from custom_events.platforms import loose_json
from custom_events.platforms.odd_leaf import MISSING, Leaf, Odd, word_of
from custom_events.platforms.odd_lists import name_field
from custom_events.platforms.parse import wrong_shape

Essentials = Mapping[type[msgspec.Struct], frozenset[str]]
IsTime = Callable[[str], bool]  # of a field's name: whether its text is a time without offset

_MAX_FIELD_CHARS: Final = 40
_MISSPELT: Final = 0.7  # likeness, of 1, from which on a name is another's misspelling


def _no_time(_name: str) -> bool:
    return False


class Field(NamedTuple):
    """A field of a struct, under its name in JSON."""

    leaf: "Leaf"
    is_required: bool
    is_essential: bool


class Shape:
    """A struct: its fields, and whether it refuses others."""

    def __init__(self, kind: type[msgspec.Struct], essentials: Essentials, is_time: IsTime = _no_time) -> None:
        struct: inspect.StructType = inspect.type_info(kind)  # pyright: ignore[reportAssignmentType]
        named = essentials.get(kind, frozenset())
        self.refuses_others = struct.forbid_unknown_fields
        self.fields = {
            field.encode_name: Field(
                _leaf(field.type, essentials, is_time, field.encode_name),
                field.required,
                field.required or field.encode_name in named,
            )
            for field in struct.fields
        }
        self.named_by = name_field(self.fields.keys())

    def read(self, value: Any, path: str = "$") -> tuple[Any, Odd]:
        """A whole body, and the paths of its odd leaves. Raises NotUnderstood("wrong_shape") for an essential one."""
        odd: Odd = {}
        if not isinstance(value, dict):
            raise wrong_shape(path, f"Expected `object`, got `{word_of(value)}`")
        return self.read_object(value, path, odd), odd

    def read_object(self, value: dict[str, Any], path: str, odd: Odd) -> dict[str, Any]:
        """An object, field by field."""
        result: dict[str, Any] = {}
        for name, field in self.fields.items():
            if name not in value:
                if field.is_required:
                    raise wrong_shape(f"{path}.{name}", f"Object missing required field `{name}`")
                continue
            leaf_value = field.leaf.read(value[name], f"{path}.{name}", odd, is_essential=field.is_essential)
            if leaf_value is not MISSING:
                result[name] = leaf_value
        for name, inner in value.items():
            if name in self.fields:
                continue
            if self.refuses_others:
                raise wrong_shape(path, f"Object contains {_unknown(name, self.fields)}")
            if loose_json.cleaned(inner) is not inner:
                odd[f"{path}.*"] = None  # a name that we do not know may be somebody's
        return result

    def essential_paths(self, path: str = "$") -> Iterator[str]:
        """Every essential leaf's path, list indexes folded."""
        for name, field in self.fields.items():
            if field.is_essential:
                yield f"{path}.{name}"
            yield from field.leaf.essential_paths(f"{path}.{name}")


def _unknown(name: str, known: Iterable[str]) -> str:
    """A field that we do not know, for people: named where it is a misspelt one of ours, since any other name may be somebody's."""
    if len(name) <= _MAX_FIELD_CHARS and difflib.get_close_matches(name, known, n=1, cutoff=_MISSPELT):
        return f"unknown field `{name}`"
    return "an unknown field"


def _leaf(kind: inspect.Type, essentials: Essentials, is_time: IsTime, name: str) -> Leaf:
    leaf = Leaf()
    for member in kind.types if isinstance(kind, inspect.UnionType) else (kind,):
        plain = member.type if isinstance(member, inspect.Metadata) else member
        match plain:
            case inspect.StructType(cls=cls):
                leaf.shape = Shape(cls, essentials, is_time)
            case inspect.ListType(item_type=item):
                leaf.items = _leaf(item, essentials, is_time, name)
            case inspect.StrType():
                leaf.takes_text, leaf.is_local_time = True, is_time(name)
            case _:
                for attribute in _ATTRIBUTES[type(plain)]:  # a KeyError: no tolerant reading of the type is known
                    setattr(leaf, attribute, True)
    leaf.is_id = leaf.is_number and leaf.takes_text
    leaf.is_number = leaf.is_number and not leaf.is_id
    leaf.is_whole = leaf.is_whole and not (leaf.is_number or leaf.is_id)
    return leaf


_ATTRIBUTES: Final[Mapping[type[inspect.Type], tuple[str, ...]]] = {
    inspect.AnyType: ("is_any",),
    inspect.NoneType: ("takes_null",),
    inspect.BoolType: ("takes_bool",),
    inspect.IntType: ("is_whole",),
    inspect.FloatType: ("is_number",),
    inspect.DecimalType: ("is_money",),
    inspect.DateTimeType: ("is_offset_time",),
    inspect.DictType: ("takes_object",),
}
