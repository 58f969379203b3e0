"""From nodes to generated Python source: one function per condition.

Measured: 233,000 events/s x 5 conditions, against 126,000 for closures and 8,400 for the fastest rule library
(docs/reference/performance.md 4). The source is built from the catalog's and the operators' constants only; names and
values that people wrote are bound as closure variables (or written by repr()), so nothing they type becomes code. Conditions
of one shape have one source, so it is compiled by Python once.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from custom_events.conditions import runtime
from custom_events.conditions.fields import ROOT_EXPRESSIONS, Field, FieldType, Root
from custom_events.conditions.operators import Operator, Presence, Wants
from custom_events.conditions.tree import AllOf, AnyOf, Items, ItemsWord, Leaf, Measure, MeasureWord, Node, Not, Test

MAX_KEPT_SHAPES = 4_096  # compiled sources kept; a shape is a few kB, real rule sets have some hundreds

_FOUND_BY_TRUTH = (FieldType.TEXT, FieldType.TEXTS)  # empty counts as missing
_OPEN_READERS = {
    FieldType.TEXT: "as_text",
    FieldType.TEXTS: "as_texts",
    FieldType.NUMBER: "as_number",
    FieldType.BOOLEAN: "as_boolean",
    FieldType.TIME: "as_time",
    FieldType.OPEN: "as_anything",
}
_ADDED = {MeasureWord.COUNT: "1", MeasureWord.QUANTITY: "i.quantity", MeasureWord.TOTAL: "line_total(i)"}

# The usual case inline: a call costs as much as a comparison.
_READ_ITEMS = "o_.items if (o_ := e.order) is not None and e.refund is None else items_of(e)"
_ITEMS = "\0items"  # stands where an expression asks for them; repr() writes no zero, so that nothing people type can look like it


class Source:
    """Collects what one generated function needs while its expression is written."""

    def __init__(self) -> None:
        self.constants: list[Any] = []
        self.functions: list[str] = []
        self._roots: dict[Root, None] = {}
        self._item_nodes = 0
        self._needs_currency = False

    def constant(self, value: Any) -> str:
        """The variable that will hold `value`."""
        self.constants.append(value)
        return f"k{len(self.constants) - 1}"

    def prelude(self) -> list[str]:
        """Assignments at the start of a function over (e, f)."""
        lines = [f"{root} = {ROOT_EXPRESSIONS[root]}" for root in self._roots]
        if self._item_nodes > 1:
            lines.append(f"items = {_READ_ITEMS}")
        if self._item_nodes:  # the currency only where something compares it
            lines.append("cur = e.items_currency" if self._needs_currency else "cur = None")
        return lines

    def finished(self, text: str) -> str:
        """Source with the line items: read once at the start where several nodes ask, else by the only one when it is reached."""
        return text.replace(_ITEMS, "items" if self._item_nodes > 1 else f"(items := {_READ_ITEMS})")

    def value(self, field: Field, operator: Operator | None = None) -> str:
        """The field's value, None when missing. Open fields are read as what the operator asks for."""
        read = self._read(field, operator)
        return f"({read} if {field.root} is not None else None)" if field.root else read

    def currency(self, root: Root, expression: str) -> str:
        """The currency of a money field, by the expression that it has for it; None when what it is of is missing."""
        if not root:
            return expression
        self._roots[root] = None
        return f"({expression} if {root} is not None else None)"

    def expression(self, node: Node) -> str:
        """The node as a Python expression with a truth value."""
        match node:
            case AllOf():
                return f"({' and '.join(map(self.expression, node.children))})"
            case AnyOf():
                return f"({' or '.join(map(self.expression, node.children))})"
            case Not():
                return f"(not {self.expression(node.child)})"
            case Leaf():
                return self._leaf(node)
            case Items():
                return self._items(node)
            case Measure():
                return self._measure(node)

    def test(self, test: Test, kind: FieldType, variable: str = "v") -> str:
        """The comparison of a value that is not missing."""
        folds = test.ignore_case and test.operator.wants is not Wants.PATTERN
        if folds:
            variable = f"fold({variable})"
        elif kind is FieldType.TIME and _is_of_days(test):
            variable = f"local_date({variable}, f)"
        return test.operator.template.format(v=variable, k=self.constant(test.literal))

    def _read(self, field: Field, operator: Operator | None) -> str:
        if field.root:
            self._roots[field.root] = None
        if field.type is not FieldType.OPEN:
            return field.expression
        reader = _OPEN_READERS[operator.type if operator is not None else FieldType.OPEN]
        if operator is not None and operator.op == "contains":
            reader = "as_searchable"
        return f"{reader}({field.expression}{', f' if reader == 'as_time' else ''})"

    def _leaf(self, leaf: Leaf) -> str:
        field, test = leaf.field, leaf.test
        kind = test.operator.type
        guard = f"{field.root} is not None and " if field.root else ""
        read = self._read(field, test.operator)
        if test.operator.op in (Presence.EXISTS, Presence.MISSING):
            there = f"({guard}{read if kind in _FOUND_BY_TRUTH else f'{read} is not None'})"
            return there if test.operator.op == Presence.EXISTS else f"(not {there})"
        is_found = f"(v := {read})" if kind in _FOUND_BY_TRUTH else f"(v := {read}) is not None"
        currency = self._in_currency(field.currency, test)
        return f"({guard}{is_found} and {self.test(test, kind)}{currency})"

    def _in_currency(self, expression: str | None, test: Test) -> str:
        """The second half of a comparison of money that names its currency."""
        if test.currency is None:
            return ""
        self._needs_currency = True
        return f" and {expression} == {self.constant(test.currency)}"

    def _items(self, node: Items) -> str:
        name = self._function(node.child, node.word)
        if node.word is ItemsWord.NONE:
            return f"(not ({_ITEMS} and {name}(items, cur, e, f)))"
        return f"({_ITEMS} and {name}(items, cur, e, f))"

    def _function(self, child: Node, word: ItemsWord) -> str:
        self._item_nodes += 1
        negation, else_ = ("not ", "False") if word is ItemsWord.ALL else ("", "True")
        body = f"for i in items:\n  if {negation}{self.expression(child)}: return {else_}\n return {'True' if else_ == 'False' else 'False'}"
        return self._define(body)

    def _measure(self, node: Measure) -> str:
        self._item_nodes += 1
        condition = "True" if node.child is None else self.expression(node.child)
        body = (
            f"n = 0\n for i in items:\n  if {condition}:\n   x = {_ADDED[node.word]}\n"
            "   if x is None: return None\n   n += x\n return n"
        )
        name = self._define(body)
        currency = self._in_currency("cur", node.test)
        return f"({_ITEMS} is not None and (v := {name}(items, cur, e, f)) is not None and {self.test(node.test, FieldType.NUMBER)}{currency})"

    def _define(self, body: str) -> str:
        name = f"q{len(self.functions)}"
        self.functions.append(f"def {name}(items, cur, e, f):\n {body}\n")
        return name


def _is_of_days(test: Test) -> bool:
    """Whether a time is compared with dates (days of the site) instead of moments."""
    from datetime import date, datetime

    first = test.literal[0] if isinstance(test.literal, tuple) else test.literal
    return isinstance(first, date) and not isinstance(first, datetime)


def condition_function(node: Node, slow: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """`(event, facts) -> bool`. `slow` answers when a value breaks a comparison; it judges leaf by leaf."""
    source = Source()
    expression = source.expression(node)
    lines = [*source.prelude(), f"return True if {expression} else False"]
    body = "".join(f"   {line}\n" for line in lines)
    text = f" def made(e, f):\n  try:\n{body}  except Exception:\n   return slow(e, f)\n return made\n"
    return _made(source, text, slow)


def event_function(source: Source, expression: str) -> Callable[[Any, Any], Any]:
    """`(event, facts) -> value of the expression`."""
    lines = [*source.prelude(), f"return {expression}"]
    return _made(source, " def made(e, f):\n" + "".join(f"  {line}\n" for line in lines) + " return made\n")


def item_function(source: Source, expression: str) -> Callable[[Any, Any, Any, Any], Any]:
    """`(line item, currency, event, facts) -> value of the expression`."""
    return _made(source, f" def made(i, cur, e, f):\n  return {expression}\n return made\n")


def value_function(source: Source, expression: str) -> Callable[[Any, Any, Any, Any], Any]:
    """`(value, event, facts, currency) -> value of the expression`."""
    return _made(source, f" def made(v, e, f, cur):\n  return {expression}\n return made\n")


def _made(source: Source, text: str, slow: object = None) -> Callable[..., Any]:
    names = ", ".join([*(f"k{index}" for index in range(len(source.constants))), "slow"])
    inner = "".join(f" {line}\n" for function in source.functions for line in function.splitlines())
    return _factory(source.finished(f"def make({names}):\n{inner}{text}"))(*source.constants, slow)


@lru_cache(maxsize=MAX_KEPT_SHAPES)
def _factory(text: str) -> Callable[..., Callable[..., Any]]:
    """The compiled `make` of one shape of condition."""
    made: dict[str, Any] = {}
    exec(compile(text, "<condition>", "exec"), _names(), made)  # noqa: S102 - made of constants of this package, see above
    return made["make"]


@lru_cache(maxsize=1)
def _names() -> dict[str, Any]:
    """The globals of generated functions."""
    return {name: helper for name, helper in vars(runtime).items() if not name.startswith("_")}
