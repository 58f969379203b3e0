"""JSON schemas of the types that operations take and answer with."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, cast

import msgspec
import msgspec.inspect as types

REFERENCE: Final = "#/components/schemas/{name}"
MOMENT: Final = "date-time"  # RFC 3339


def schema_of(kind: Any) -> dict[str, Any]:
    """A reference to a type's schema, or the schema itself where it is a plain one."""
    (schema,), _ = msgspec.json.schema_components([kind], ref_template=REFERENCE)
    return schema


def components_of(kinds: Iterable[Any]) -> dict[str, Any]:
    """The schemas of these types and of all that they hold, by name.

    msgspec says of a moment that it is a string: it is one in RFC 3339's form; and of an amount, too, which is answered as a text, and
    taken as a number as well. Of several types of one name the one that is among `kinds` keeps it, and the others are called by their
    module as well.
    """
    distinct = list(dict.fromkeys(kinds))
    _, components = msgspec.json.schema_components(distinct, ref_template=REFERENCE)
    for struct in _structs(types.multi_type_info(distinct), set()):
        qualified = f"{struct.cls.__module__}.{struct.cls.__qualname__}"
        name = qualified if qualified in components else schema_of(struct.cls)["$ref"].rpartition("/")[2]
        described = components.get(name, {}).get("properties", {})
        for field in struct.fields:
            if field.encode_name in described and _has(field.type, types.DateTimeType):
                _mark(described[field.encode_name])
            if field.encode_name in described and _has(field.type, types.DecimalType):
                _take_numbers(described[field.encode_name])
    return _renamed(components, {schema_of(kind).get("$ref", "").rpartition("/")[2] for kind in distinct}, distinct)


def _renamed(components: dict[str, Any], asked: set[str], kinds: Sequence[Any]) -> dict[str, Any]:
    """Short names in the place of those that msgspec spells out, since several types have them."""
    own = {f"{kind.__module__}.{kind.__qualname__}" for kind in kinds if isinstance(kind, type)}
    names: dict[str, str] = {}
    for name in components:
        module, _, short = name.rpartition(".")
        if "[" not in name and module:
            names[name] = short if name in own and short in asked else f"{module.rpartition('.')[2].title()}{short}"
    text = msgspec.json.encode(components).decode()
    for name, short in names.items():
        reference, shorter = (f'"{REFERENCE.format(name=word)}"' for word in (name, short))
        text = text.replace(reference, shorter)
    renamed: dict[str, Any] = msgspec.json.decode(text)
    shortened = {names.get(name, name): schema for name, schema in renamed.items()}
    for name, schema in shortened.items():
        if "title" in schema:  # generators of clients call the type so: it must be as distinct as the name
            schema["title"] = name
    return shortened


def _structs(kinds: Iterable[types.Type], seen: set[int]) -> Iterator[types.StructType]:
    """Every struct within these types, once."""
    for kind in kinds:
        if id(kind) in seen:
            continue
        seen.add(id(kind))
        match kind:
            case types.StructType():
                yield kind
                yield from _structs((field.type for field in kind.fields), seen)
            case types.UnionType():
                yield from _structs(kind.types, seen)
            case types.VarTupleType() | types.ListType():
                yield from _structs((kind.item_type,), seen)
            case types.DictType():
                yield from _structs((kind.value_type,), seen)
            case _:
                pass


def _has(kind: types.Type, wanted: type[types.Type]) -> bool:
    parts = kind.types if isinstance(kind, types.UnionType) else (kind,)
    return any(isinstance(part, wanted) for part in parts)


def _mark(schema: dict[str, Any]) -> None:
    for part in cast("list[dict[str, Any]]", schema.get("anyOf", [schema])):
        if part.get("type") == "string":
            part["format"] = MOMENT


def _take_numbers(schema: dict[str, Any]) -> None:
    if "anyOf" in schema:
        schema["anyOf"].append({"type": "number"})
    else:
        schema["type"] = ["string", "number"]
