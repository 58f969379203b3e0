"""The typed catalogue of fields: what a condition may ask about an event, and where the answer is read.

Each field carries the Python expression that reads it. The compiler puts these expressions into the functions it generates,
the explanation and the value rules evaluate the very same ones, so that they cannot disagree. Expressions are constants of
this package (`field_list.py`, `order_fields.py`), never anything a person typed.
"""

import difflib
from enum import StrEnum
from functools import cache

import msgspec

from custom_events.values.deliveries import Platform

SUGGESTIONS = 3  # nearest names offered for an unknown field
LEAST_LIKENESS = 0.5  # difflib ratio below which a name is no suggestion; tried on typing errors in the tests


class FieldType(StrEnum):
    """The type of a field decides its operators."""

    TEXT = "text"
    MONEY = "money"  # exact decimal, in a currency
    NUMBER = "number"  # exact decimal
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TIME = "time"
    TEXTS = "text list"
    OPEN = "open"  # whatever the sender put there; read as what the operator and the value ask for


class Scope(StrEnum):
    """Where a field may stand."""

    EVENT = "event"
    ITEM = "item"  # only inside any_item, all_items, no_item and measures


class Root(StrEnum):
    """The variable that a field's expression starts from, in generated functions."""

    NONE = ""  # e (the event), f (the facts) or i (a line item): never missing
    ORDER = "o"
    CUSTOMER = "c"
    SUBSCRIPTION = "s"
    REFUND = "r"
    CART = "k"
    CLICK = "b"  # the best click


ROOT_EXPRESSIONS: dict[Root, str] = {
    Root.ORDER: "e.order",
    Root.CUSTOMER: "e.customer",
    Root.SUBSCRIPTION: "e.subscription",
    Root.REFUND: "e.refund",
    Root.CART: "e.cart",
    Root.CLICK: "(e.clicks[0] if e.clicks else None)",
}

ALL_PLATFORMS = (Platform.SHOPIFY, Platform.WOOCOMMERCE, Platform.CUSTOM)
SHOPIFY_CUSTOM = (Platform.SHOPIFY, Platform.CUSTOM)
WOO_CUSTOM = (Platform.WOOCOMMERCE, Platform.CUSTOM)


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of the catalogue. `example` is a value as it would stand in a condition."""

    name: str
    type: FieldType
    meaning: str
    example: str
    expression: str
    root: Root = Root.NONE
    platforms: tuple[Platform, ...] = ALL_PLATFORMS
    words: tuple[str, ...] = ()  # the closed set of values, where there is one
    bounds: tuple[int, int] | None = None  # the least and the greatest value, where there are
    is_code: bool = False  # of ISO, in capitals: DE, EUR
    currency: str | None = None  # expression for the currency of a money field
    scope: Scope = Scope.EVENT
    history: bool = False  # needs facts about the customer from our own state


class OpenPath(msgspec.Struct, frozen=True, kw_only=True):
    """A family of fields whose names the sender chooses: `note_attributes.X`. `{path}` in the expression is that name."""

    prefix: str
    meaning: str
    example: str  # a whole name
    expression: str
    platforms: tuple[Platform, ...] = ALL_PLATFORMS
    scope: Scope = Scope.EVENT


@cache
def catalogue() -> dict[str, Field]:
    """Every named field, by name, in the order of the reference page."""
    from custom_events.conditions.field_list import FIELDS

    return {field.name: field for field in FIELDS}


@cache
def open_paths() -> dict[str, OpenPath]:
    """The families of open paths, by prefix."""
    from custom_events.conditions.field_list import OPEN_PATHS

    return {path.prefix: path for path in OPEN_PATHS}


def find_field(name: str) -> Field | None:
    """The field of this name, or the field an open path stands for; None when there is none."""
    field = catalogue().get(name)
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
    known = [field.name for field in catalogue().values() if field.scope is scope]
    known += [f"{path.prefix}.NAME" for path in open_paths().values() if path.scope is scope]
    same_tail = [other for other in known if other.rpartition(".")[2] == name.rpartition(".")[2]]
    alike = difflib.get_close_matches(name, known, n=SUGGESTIONS, cutoff=LEAST_LIKENESS)
    return list(dict.fromkeys([*alike, *same_tail]))[:SUGGESTIONS]
