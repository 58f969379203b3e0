"""Operators: which type of field takes which, what value they want, and the Python test they become.

In a template `{v}` is the field's value, never missing there, and `{k}` the literal. `e` is the event, `f` the facts.
"""

from enum import StrEnum

import msgspec

from custom_events.conditions.fields import FieldType


class Wants(StrEnum):
    """The JSON value an operator is given."""

    NOTHING = "nothing"
    TEXT = "a text"
    TEXTS = "a list of texts"
    PATTERN = "a regular expression (RE2)"
    NUMBER = 'a number, or a decimal as text such as "200.00"'
    NUMBERS = "a list of numbers"
    RANGE = "two numbers [least, greatest]"
    INTEGER = "a whole number"
    INTEGERS = "a list of whole numbers"
    INTEGER_RANGE = "two whole numbers [least, greatest]"
    BOOLEAN = "true or false"
    MOMENT = 'a date "2026-11-01" (of the site) or a time with offset "2026-11-01T08:30:00Z"'
    MOMENTS = "two dates or two times [first, last]"
    DURATION = 'a duration such as {"days": 30} (minutes, hours or days)'


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """One operator as one type of field takes it. `words` is how people read it."""

    op: str
    type: FieldType  # after an open value was read as what the operator asks for
    wants: Wants
    template: str
    words: str

    @property
    def takes_case(self) -> bool:
        """Whether `ignore_case` means anything."""
        return self.wants in (Wants.TEXT, Wants.TEXTS, Wants.PATTERN)


class Presence(StrEnum):
    """The two operators about missing itself; they have no template."""

    EXISTS = "exists"
    MISSING = "missing"


WORDS: dict[str, str] = {
    "=": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
    "in": "in", "not_in": "not in", "between": "between",
    "contains": "contains", "contains_any": "contains any of", "contains_all": "contains all of",
    "starts_with": "starts with", "ends_with": "ends with", "matches": "matches",
    "before": "before", "after": "after", "within_last": "within the last",
    "exists": "exists", "missing": "is missing",
}  # fmt: skip

MEANINGS: dict[str, str] = {
    "=": "equal",
    "!=": "there, and not equal",
    "<": "less",
    "<=": "less or equal",
    ">": "greater",
    ">=": "greater or equal",
    "in": "one of the listed",
    "not_in": "there, and none of the listed",
    "between": "from the first to the second, both included",
    "contains": "a text has this part; a list has this element",
    "contains_any": "the list has at least one of these elements",
    "contains_all": "the list has every one of these elements",
    "starts_with": "the text, or an element of the list, starts so",
    "ends_with": "the text, or an element of the list, ends so",
    "matches": "the pattern is found in the text or in an element of the list; ^ and $ tie it to the ends",
    "before": "earlier; before a date: before that day begins in the site's time zone",
    "after": "later; after a date: when that day is over in the site's time zone",
    "within_last": "at most this long before the event, and not after it",
    "exists": "there; empty text and empty lists count as missing",
    "missing": "not there",
}

_COMPARISONS = {op: f"{{v}} {sign} {{k}}" for op, sign in
                (("=", "=="), ("!=", "!="), ("<", "<"), ("<=", "<="), (">", ">"), (">=", ">="),
                 ("in", "in"), ("not_in", "not in"))}  # fmt: skip
_BETWEEN = "{k}[0] <= {v} <= {k}[1]"

TEXT_TEMPLATES = {
    "=": "{v} == {k}",
    "!=": "{v} != {k}",
    "in": "{v} in {k}",
    "not_in": "{v} not in {k}",
    "contains": "{k} in {v}",
    "starts_with": "{v}.startswith({k})",
    "ends_with": "{v}.endswith({k})",
    "matches": "{k}({v}) is not None",
}
NUMBER_TEMPLATES = _COMPARISONS | {"between": _BETWEEN}
TEXTS_TEMPLATES = {
    "contains": "{k} in {v}",
    "contains_any": "not {k}.isdisjoint({v})",
    "contains_all": "{k}.issubset({v})",
    "starts_with": "any_starts({v}, {k})",
    "ends_with": "any_ends({v}, {k})",
    "matches": "any_matches({v}, {k})",
}
BOOLEAN_TEMPLATES = {"=": "{v} is {k}", "!=": "{v} is not {k}"}
# A date means a whole day of the site, so it is compared with the day the moment falls on there.
MOMENT_TEMPLATES = {"before": "{v} < {k}", "after": "{v} > {k}", "between": _BETWEEN}
WITHIN_LAST_TEMPLATE = "e.occurred_at - {k} <= {v} <= e.occurred_at"

_WANTS_ONE = {FieldType.TEXT: Wants.TEXT, FieldType.TEXTS: Wants.TEXT, FieldType.MONEY: Wants.NUMBER, FieldType.NUMBER: Wants.NUMBER,
              FieldType.INTEGER: Wants.INTEGER, FieldType.BOOLEAN: Wants.BOOLEAN, FieldType.TIME: Wants.MOMENT}  # fmt: skip
_WANTS_MANY = {FieldType.TEXT: Wants.TEXTS, FieldType.TEXTS: Wants.TEXTS, FieldType.MONEY: Wants.NUMBERS, FieldType.NUMBER: Wants.NUMBERS,
               FieldType.INTEGER: Wants.INTEGERS}  # fmt: skip
_WANTS_RANGE = {
    FieldType.MONEY: Wants.RANGE,
    FieldType.NUMBER: Wants.RANGE,
    FieldType.INTEGER: Wants.INTEGER_RANGE,
    FieldType.TIME: Wants.MOMENTS,
}
_TEMPLATES: dict[FieldType, dict[str, str]] = {
    FieldType.TEXT: TEXT_TEMPLATES,
    FieldType.MONEY: NUMBER_TEMPLATES,
    FieldType.NUMBER: NUMBER_TEMPLATES,
    FieldType.INTEGER: NUMBER_TEMPLATES,
    FieldType.BOOLEAN: BOOLEAN_TEMPLATES,
    FieldType.TIME: MOMENT_TEMPLATES | {"within_last": WITHIN_LAST_TEMPLATE},
    FieldType.TEXTS: TEXTS_TEMPLATES,
}
# An open value takes every operator; these types answer for it, in this order. `=` is decided by the value given.
_OPEN_TYPES = (FieldType.TEXT, FieldType.TEXTS, FieldType.NUMBER, FieldType.TIME)


def _wants(kind: FieldType, op: str) -> Wants:
    if op == "matches":
        return Wants.PATTERN
    if op == "within_last":
        return Wants.DURATION
    if op == "between":
        return _WANTS_RANGE[kind]
    if op in ("in", "not_in", "contains_any", "contains_all"):
        return _WANTS_MANY[kind]
    return _WANTS_ONE[kind]


def operators_of(kind: FieldType) -> tuple[str, ...]:
    """Names of the operators a type of field takes, in the order of the reference page."""
    if kind is FieldType.OPEN:
        return tuple(WORDS)
    return (*(op for op in WORDS if op in _TEMPLATES[kind]), Presence.EXISTS, Presence.MISSING)


def find_operator(kind: FieldType, op: str, value: object = None) -> Operator | None:
    """The operator as this type takes it. For an open field `value` decides what the open value is read as."""
    if kind is FieldType.OPEN:
        kind = _read_as(op, value)
    if op in (Presence.EXISTS, Presence.MISSING):
        return Operator(op=op, type=kind, wants=Wants.NOTHING, template="", words=WORDS[op])
    template = _TEMPLATES[kind].get(op) if kind is not FieldType.OPEN else None
    if template is None:
        return None
    return Operator(op=op, type=kind, wants=_wants(kind, op), template=template, words=WORDS[op])


def _read_as(op: str, value: object) -> FieldType:
    """The type an open value is read as, from the operator and the value it is compared with."""
    first = value[0] if isinstance(value, list | tuple) and value else value
    if op in ("=", "!=") and isinstance(first, bool):
        return FieldType.BOOLEAN
    numeric = isinstance(first, int | float) and not isinstance(first, bool)
    if op in ("=", "!=", "in", "not_in"):
        return FieldType.NUMBER if numeric else FieldType.TEXT
    if op == "between":
        return FieldType.NUMBER if numeric or not _looks_like_a_time(first) else FieldType.TIME
    for kind in _OPEN_TYPES:
        if op in _TEMPLATES[kind]:
            return kind
    return FieldType.OPEN


def _looks_like_a_time(value: object) -> bool:
    """Whether a text is written like a date: 2026-11-01..."""
    return isinstance(value, str) and value[:4].isdecimal() and value[4:5] == "-"
