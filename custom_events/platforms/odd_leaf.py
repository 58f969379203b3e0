"""One leaf of a body: whether a value is of its type, and what a value of another type evidently means."""

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from custom_events.platforms import loose_json, scalars
from custom_events.platforms.odd_lists import entries_of, flattened, pair_of
from custom_events.platforms.parse import wrong_shape

if TYPE_CHECKING:
    from custom_events.platforms.shapes import Shape

_WORDS: Final = ((bool, "bool"), (str, "str"), (int, "int"), (Decimal, "float"), (list, "array"), (dict, "object"))


class _Missing:
    """In place of a value: there is none."""


_YEAR_0: Final = "0000-"
MISSING: Final = _Missing()
Odd = dict[str, None]  # paths of odd leaves, in the order in which they were met


class Leaf:
    """What may stand at one place: one type, or a union of some."""

    def __init__(self) -> None:
        self.is_any = self.takes_null = self.takes_text = self.is_local_time = self.is_offset_time = False
        self.takes_bool = self.is_money = self.is_whole = self.is_number = self.takes_object = False
        self.is_id = False
        self.items: Leaf | None = None
        self.shape: Shape | None = None

    def read(self, value: Any, path: str, odd: Odd, *, is_essential: bool = False) -> Any:
        """The value as the strict decoder takes it, or MISSING. Raises NotUnderstood where an essential one is odd."""
        fitting = self._fitting(value, path, odd)
        if fitting is not MISSING:
            return fitting
        if is_essential and not (self.takes_null and self._says_none(value)):
            raise wrong_shape(path, self._complaint(value))
        odd[path] = None
        return self._evident(value, path, odd)

    def essential_paths(self, path: str) -> Iterator[str]:
        """Those of the structs below."""
        if self.shape is not None:
            yield from self.shape.essential_paths(path)
        if self.items is not None:
            yield from self.items.essential_paths(f"{path}[]")

    def _says_none(self, value: Any) -> bool:
        """Whether the value plainly stands for none: an empty text, a date of the year 0."""
        is_time = self.is_offset_time or self.is_local_time
        return isinstance(value, str) and (not value.strip() or (is_time and value.startswith(_YEAR_0)))

    def _complaint(self, value: Any) -> str:
        """What is wrong with the value, in msgspec's words where it has some."""
        if self.is_money and not isinstance(value, bool | list | dict) and value is not None:
            is_number = not isinstance(value, str) or scalars.number(value) is not None
            return "Expected an amount of money" if is_number else "Invalid decimal string"
        if self.is_offset_time and isinstance(value, str):
            return "Expected a date and time with an offset (RFC 3339)"
        if self.is_local_time and isinstance(value, str):
            return "Expected a date and time (ISO 8601)"
        if isinstance(value, str) and not loose_json.is_clean(value):
            return "Expected a text without broken characters"
        return f"Expected `{self._expected()}`, got `{word_of(value)}`"

    def _expected(self) -> str:
        words = {
            "decimal": self.is_money,
            "int": self.is_whole or self.is_id or self.is_number,
            "float": self.is_number or self.is_id,
            "str": self.takes_text,
            "datetime": self.is_offset_time,
            "bool": self.takes_bool,
            "array": self.items is not None,
            "object": self.takes_object or self.shape is not None,
            "null": self.takes_null,
        }
        return " | ".join(word for word, is_one in words.items() if is_one)

    def _fitting(self, value: Any, path: str, odd: Odd) -> Any:
        """The value where it is of one of the types, with what lies below read; else MISSING."""
        if value is None:
            return None if self.takes_null or self.is_any else MISSING
        if isinstance(value, str):
            return value if self._takes_text(value) else MISSING
        if isinstance(value, bool):
            return value if self.takes_bool or self.is_any else MISSING
        if isinstance(value, int | Decimal):
            return value if self._takes_number(value) else MISSING
        if isinstance(value, list):
            return MISSING if self.items is None else _items(self.items, value, path, odd)
        if self.shape is not None:
            return self.shape.read_object(value, path, odd)
        return value if (self.takes_object or self.is_any) and loose_json.cleaned(value) is value else MISSING

    def _takes_text(self, text: str) -> bool:
        if not loose_json.is_clean(text):
            return False
        if self.is_any:
            return True
        if self.takes_text:
            return not self.is_local_time or scalars.is_local_time(text)
        if self.is_offset_time:
            return scalars.is_offset_time(text)
        if not self.is_money or "," in text:
            return False
        value = scalars.number(text)
        return value is not None and scalars.is_money(value)

    def _takes_number(self, value: Decimal | int) -> bool:
        if self.is_any:
            return loose_json.cleaned(value) is value
        if self.is_money:
            return scalars.is_money(Decimal(value))
        if self.is_whole:
            return isinstance(value, int) and scalars.is_quantity(value)
        if self.is_number:
            return scalars.is_quantity(value)
        return self.is_id and loose_json.cleaned(value) is value

    def _evident(self, value: Any, path: str, odd: Odd) -> Any:
        if self.is_any or (isinstance(value, dict) and self.takes_object):
            return loose_json.cleaned(value)
        if isinstance(value, str):
            return self._from_text(value, path, odd)
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return self._from_number(value, path, odd)
        if isinstance(value, list):
            return self._from_list(value, path, odd)
        if isinstance(value, dict) and self.items is not None:
            shape = self.items.shape
            entries = entries_of(value) if shape is None else entries_of(value, shape.fields.keys(), shape.named_by)
            return _items(self.items, list(entries), path, odd)
        return MISSING

    def _from_text(self, text: str, path: str, odd: Odd) -> Any:
        text = loose_json.clean(text)
        if not text.strip():
            return MISSING
        if self.takes_text:
            return MISSING if self.is_local_time else text
        if self.is_money or self.is_whole or self.is_number:
            value = scalars.number(text)
            return MISSING if value is None else self._narrowed(value)
        if self.takes_bool:
            return _or_missing(scalars.yes_or_no(text))
        if self.is_offset_time:
            return _or_missing(scalars.offset_time(text))
        if self.items is not None and self.items.takes_text:
            return _items(self.items, [text], path, odd)
        return MISSING

    def _from_number(self, value: Decimal | int, path: str, odd: Odd) -> Any:
        if self.is_local_time:
            return _or_missing(scalars.local_time(value))
        if self.is_offset_time:
            return _or_missing(scalars.offset_time(value))
        if self.is_money or self.is_whole or self.is_number:
            return self._narrowed(value)
        if self.takes_text:
            return scalars.as_text(value)
        if self.takes_bool:
            return _or_missing(scalars.yes_or_no(value))
        if self.items is not None and self.items.takes_text:
            return _items(self.items, [value], path, odd)
        return MISSING

    def _narrowed(self, value: Decimal | int) -> Any:
        """A number as this leaf takes it."""
        if self.is_whole and isinstance(value, Decimal) and value == value.to_integral_value():
            value = int(value)
        return value if self._takes_number(value) else MISSING

    def _from_list(self, value: list[Any], path: str, odd: Odd) -> Any:
        """PHP writes an empty object as an empty list, and an object whose names are numbers as a list."""
        if self.shape is not None:
            only = value[0] if len(value) == 1 else None
            return self.shape.read_object(only, path, odd) if isinstance(only, dict) else MISSING
        if self.takes_object:
            pairs = dict(pair for item in value if (pair := pair_of(item)) is not None)
            return loose_json.cleaned(pairs) if len(pairs) == len(value) else MISSING
        return MISSING


def _items(leaf: Leaf, values: list[Any], path: str, odd: Odd) -> list[Any]:
    """The items of a list, those left out that are none."""
    inside, shape = f"{path}[]", leaf.shape
    result: list[Any] = []
    for value in values:
        items = [value]
        if shape is not None and isinstance(value, list):
            items, odd[inside] = flattened(value, shape.named_by), None
        for item in items:
            read_item = leaf.read(item, inside, odd)
            if read_item is not MISSING:
                result.append(read_item)
    return result


def word_of(value: Any) -> str:
    """The JSON type of a value, in msgspec's words."""
    return next((word for kind, word in _WORDS if isinstance(value, kind)), "null")


def _or_missing(value: Any) -> Any:
    return MISSING if value is None else value
