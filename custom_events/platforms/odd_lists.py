"""Lists that come as objects, objects that come as lists, and lists in lists: what PHP and JavaScript make of each other's arrays."""

from collections.abc import Collection, Iterator
from collections.abc import Set as AbstractSet
from typing import Any, Final

_NAMES: Final = ("key", "name")  # of a named value: {"key": ..., "value": ...}, {"name": ..., "value": ...}
_VALUE: Final = "value"
_PAIR: Final = 2


def name_field(fields: AbstractSet[str]) -> str | None:
    """The field that holds the name, of a struct that is a named value and nothing else."""
    return next((name for name in _NAMES if fields == {name, _VALUE}), None)


def pair_of(item: Any) -> tuple[str, Any] | None:
    """Name and value of `["a", 1]`, `{"name": "a", "value": 1}` and `{"key": "a", "value": 1}`."""
    if isinstance(item, list) and len(item) == _PAIR and isinstance(item[0], str):
        return item[0], item[1]
    if isinstance(item, dict) and _VALUE in item:
        return next(((item[name], item[_VALUE]) for name in _NAMES if isinstance(item.get(name), str)), None)
    return None


def flattened(inner: list[Any], named_by: str | None) -> list[Any]:
    """What a list within a list of objects holds: the objects in it, or the named value that a pair is."""
    pair = pair_of(inner)
    if named_by is not None and pair is not None:
        return [{named_by: pair[0], _VALUE: pair[1]}]
    return [item for item in inner if isinstance(item, dict)]


def entries_of(value: dict[str, Any], fields: Collection[str] = (), named_by: str | None = None) -> Iterator[Any]:
    """The entries of a list that came as an object: PHP's `{"0": ..., "1": ...}`, names with their values, or the only entry itself.

    `fields` and `named_by`: of the struct that an entry is.
    """
    if named_by is not None and named_by not in value:
        for name, inner in value.items():
            if isinstance(inner, dict) and named_by in inner:
                yield inner
            elif not name.isdigit():
                yield {named_by: name, _VALUE: inner}
    elif any(name in value for name in fields):
        yield value
    else:
        yield from value.values()
