"""Fields of GAQL queries: which exist in which version, how to read, compare and copy them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.google_ads.error_names import Query as QueryError
from sandbox.google_ads.gaql import Condition, bad_query

_TRACKING = "customer.conversion_tracking_setting."
LEGACY_LEADS_FIELD = _TRACKING + "enhanced_conversions_for_leads_enabled"
# v26 removed the field above (number 7, a bool) and brought the two below; the classes of v26 serve all versions, so the
# old field is written as raw bytes: tag 7 << 3 and the value true.
LEGACY_LEADS_TRUE = bytes([7 << 3, 1])
_NEW_IN_V26 = (_TRACKING + "enablement_setting", _TRACKING + "effective_enablement_setting")
_FIRST_VERSION_WITHOUT_LEGACY = "v26"


@dataclass(frozen=True)
class FieldPath:
    """A field as queries name it (`text`) and its steps in the installed descriptors; `leaf` is the last descriptor."""

    text: str
    steps: tuple[str, ...]
    leaf: Any

    @property
    def mask(self) -> str:
        """The path in the installed classes, where `type` is `type_`."""
        return ".".join(self.steps)

    def read(self, row: Any) -> Any:
        """The value in a row: a number, text, truth or the name of an enum constant."""
        value = row
        for step in self.steps:
            value = getattr(value, step)
        if self.leaf.enum_type is not None:
            return self.leaf.enum_type.values_by_number[value].name
        return value


class Catalog:
    """All fields of the resources that can be queried, found through the installed descriptors."""

    def __init__(self, row_descriptor: Any) -> None:
        self._row = row_descriptor

    def find(self, text: str, resource: str, version: str) -> FieldPath:
        """The field `text` in a query FROM `resource`. Raises `Refused` with UNRECOGNIZED_FIELD or a wrong resource."""
        head = text.partition(".")[0]
        if head not in self._row.fields_by_name:
            raise bad_query(QueryError.UNRECOGNIZED_FIELD, text)
        if head not in (resource, "customer"):
            raise bad_query(QueryError.PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE, text)
        old = version < _FIRST_VERSION_WITHOUT_LEGACY
        if text == LEGACY_LEADS_FIELD and old:
            return FieldPath(text, (), None)
        if old and text in _NEW_IN_V26:
            raise bad_query(QueryError.UNRECOGNIZED_FIELD, text)
        descriptor, steps, leaf = self._row, [], None
        for part in text.split("."):
            leaf = (
                None
                if descriptor is None
                else descriptor.fields_by_name.get(part) or descriptor.fields_by_name.get(f"{part}_")
            )
            if leaf is None:
                raise bad_query(QueryError.UNRECOGNIZED_FIELD, text)
            steps.append(leaf.name)
            descriptor = None if leaf.is_repeated else leaf.message_type
        if descriptor is not None:  # a message is not selected as a whole
            raise bad_query(QueryError.UNRECOGNIZED_FIELD, text)
        return FieldPath(text, tuple(steps), leaf)


def predicate(field: FieldPath, condition: Condition) -> Callable[[Any], bool]:
    """A test of one row. Raises `Refused` when the value cannot be compared with the field."""
    wanted = [_converted(field, value) for value in condition.values]
    first = wanted[0]
    comparisons: dict[str, Callable[[Any], bool]] = {
        "=": lambda value: value == first,
        "!=": lambda value: value != first,
        "IN": lambda value: value in wanted,
        "NOT IN": lambda value: value not in wanted,
        ">": lambda value: value > first,
        ">=": lambda value: value >= first,
        "<": lambda value: value < first,
        "<=": lambda value: value <= first,
    }
    compare = comparisons[condition.operator]
    return lambda row: compare(field.read(row))


def _converted(field: FieldPath, text: str) -> Any:
    leaf = field.leaf
    if leaf is None or leaf.is_repeated:
        raise bad_query(QueryError.BAD_VALUE, field.text)
    if leaf.enum_type is not None:
        if text.upper() not in leaf.enum_type.values_by_name:
            raise bad_query(QueryError.BAD_ENUM_CONSTANT, text)
        return text.upper()
    if leaf.cpp_type == leaf.CPPTYPE_STRING:
        return text
    if leaf.cpp_type == leaf.CPPTYPE_BOOL:
        if text.upper() not in ("TRUE", "FALSE"):
            raise bad_query(QueryError.BAD_VALUE, text)
        return text.upper() == "TRUE"
    try:
        return float(text)
    except ValueError:
        raise bad_query(QueryError.BAD_VALUE, text) from None
