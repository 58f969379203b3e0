"""The types of a field: what a condition may ask about an event, and where the answer is read.

Each field carries the Python expression that reads it. The compiler puts these expressions into the functions it generates,
the explanation and the value rules evaluate the very same ones, so that they cannot disagree. Expressions are constants of
this package (`field_list.py`, `order_fields.py`; found by `field_lookup.py`), never anything a person typed.
"""

from enum import StrEnum

import msgspec

from custom_events.values.deliveries import Platform


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

ALL_PLATFORMS = tuple(Platform)
NOT_WOOCOMMERCE = tuple(platform for platform in Platform if platform is not Platform.WOOCOMMERCE)
NOT_SHOPIFY = tuple(platform for platform in Platform if platform is not Platform.SHOPIFY)


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field. `example` is a value as it would stand in a condition."""

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
