"""Reading a JSON tree: all problems at once, each with its path, what is wrong and what would be right.

Reading never raises, whatever JSON it is given; a tree with an error has no node.
"""

from collections.abc import Collection
from typing import Any

from custom_events.conditions.field_lookup import find_field
from custom_events.conditions.fields import Field, FieldType, Scope
from custom_events.conditions.hints import field_hint, operator_hint, word_hint
from custom_events.conditions.literals import Unreadable, read_literal
from custom_events.conditions.operators import Operator, Wants, find_operator, operators_of
from custom_events.conditions.problems import Problem, Severity, join, kind_of
from custom_events.conditions.tree import AllOf, AnyOf, Items, ItemsWord, Leaf, Measure, MeasureWord, Node, Not, Test
from custom_events.errors import InvalidConfiguration
from custom_events.values.deliveries import Platform

MAX_DEPTH = 10  # levels; deeper trees cannot be read by people and soon not by Python's own parser
MAX_NODES = 500  # groups and leaves
CURRENCY_CODE_LETTERS = 3  # ISO 4217
COUNTRY_CODE_LETTERS = 2  # ISO 3166 alpha-2

_CURRENCY = "currency"  # how the names of fields end that hold one
_WHOLE_CODES = ("=", "!=", "in", "not_in")  # operators that compare a code as a whole
_GROUPS = ("all", "any")
_LEAF_KEYS = frozenset({"field", "op", "value", "currency", "ignore_case"})
_MEASURE_KEYS = frozenset({"measure", "items", "op", "value", "currency"})
_FORMS = "all, any, not, field, any_item, all_items, no_item or measure"
MEASURE_TYPES = {
    MeasureWord.COUNT: FieldType.INTEGER,
    MeasureWord.QUANTITY: FieldType.INTEGER,
    MeasureWord.TOTAL: FieldType.MONEY,
}
MEASURE_OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "between")


def read_tree(tree: object, scope: Scope = Scope.EVENT) -> tuple[Node | None, list[Problem]]:
    """The tree as a node, or None and its errors."""
    reader = _Reader()
    node = reader.node(tree, "", 1, scope)
    return (None if reader.problems else node), reader.problems


def parse(tree: object) -> Node:
    """The tree as a node. Raises InvalidConfiguration for the first error."""
    node, problems = read_tree(tree)
    if node is None:
        first = problems[0]
        raise InvalidConfiguration(f"{first.wrong}; {first.right}", path=first.path)
    return node


def validate(
    tree: object,
    *,
    currencies: Collection[str] = (),
    platform: Platform | None = None,
    scope: Scope = Scope.EVENT,
) -> list[Problem]:
    """Every problem of a tree that is about to be written. `currencies` (those the site uses) and `platform` add warnings about the
    site. Reading is milder than this: a tree that was stored by earlier rules goes on as it is."""
    reader = _Reader(currencies=frozenset(currencies), platform=platform, is_new=True)
    reader.node(tree, "", 1, scope)
    return reader.problems + reader.warnings


class _Reader:
    """One reading: collects problems while it builds nodes."""

    def __init__(
        self, currencies: frozenset[str] = frozenset(), platform: Platform | None = None, *, is_new: bool = False
    ) -> None:
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._currencies = currencies
        self._platform = platform
        self._is_new = is_new
        self._nodes = 0

    def _wrong(self, path: str, wrong: str, right: str) -> None:
        self.problems.append(Problem(path=path, wrong=wrong, right=right))

    def _warn(self, path: str, wrong: str, right: str) -> None:
        self.warnings.append(Problem(path=path, wrong=wrong, right=right, severity=Severity.WARNING))

    def node(self, tree: object, path: str, depth: int, scope: Scope) -> Node | None:
        """The node at `path`, None when it has an error (then a problem was added)."""
        self._nodes += 1
        if self._nodes > MAX_NODES:
            if self._nodes == MAX_NODES + 1:
                self._wrong(
                    path, f"the tree has more than {MAX_NODES} conditions", "a list with `in`, or several definitions"
                )
            return None
        if not isinstance(tree, dict):
            return self._wrong(path, f"a condition cannot be {kind_of(tree)}", f"an object with one of {_FORMS}")
        if depth > MAX_DEPTH:
            return self._wrong(
                path,
                f"the tree is deeper than {MAX_DEPTH} levels",
                "flatten groups of one kind, or split the definition",
            )
        if "field" in tree:
            return self._leaf(tree, path, scope)
        if "measure" in tree:
            return self._measure(tree, path, depth, scope)
        if len(tree) != 1:
            named = ", ".join(sorted(map(str, tree)))[:100] or "nothing"
            hints = (word_hint(str(word), ("field", "measure")) for word in tree)
            return self._wrong(
                path, f"a condition with {named}", f"{next(filter(None, hints), '')}exactly one of {_FORMS}"
            )
        word, below = next(iter(tree.items()))
        return self._branch(str(word), below, path, depth, scope)

    def _branch(self, word: str, below: object, path: str, depth: int, scope: Scope) -> Node | None:
        here = join(path, word)
        if word in _GROUPS:
            return self._group(word, below, here, depth, scope)
        if word == "not":
            child = self.node(below, here, depth + 1, scope)
            return None if child is None else Not(child)
        if word in tuple(ItemsWord):
            if not self._may_hold_items(here, scope):
                return None
            child = self.node(below, here, depth + 1, Scope.ITEM)
            return None if child is None else Items(word=ItemsWord(word), child=child)
        hint = word_hint(word, (*_GROUPS, "not", *ItemsWord, "field", "measure"))
        return self._wrong(here, f"{word[:60]!r} is no kind of condition", f"{hint}one of {_FORMS}")

    def _may_hold_items(self, path: str, scope: Scope) -> bool:
        if scope is Scope.ITEM:
            self._wrong(path, "conditions over line items cannot stand inside one another", "use item.* fields here")
        return scope is not Scope.ITEM

    def _group(self, word: str, below: object, path: str, depth: int, scope: Scope) -> Node | None:
        if not isinstance(below, list | tuple):
            return self._wrong(path, f"{word} holds {kind_of(below)}", "a list of conditions")
        if not below:
            return self._wrong(path, "the group is empty", "at least one condition, or remove the group")
        children = [
            self.node(child, f"{path}[{index}]", depth + 1, scope) for index, child in enumerate(below[: MAX_NODES + 1])
        ]
        good = tuple(child for child in children if child is not None)
        if len(good) < len(children):
            return None
        return AllOf(good) if word == "all" else AnyOf(good)

    def _leaf(self, tree: dict[Any, Any], path: str, scope: Scope) -> Node | None:
        self._no_other_keys(tree, _LEAF_KEYS, path)
        field = self._field(tree["field"], join(path, "field"), scope)
        if field is None:
            return None
        operator = self._operator(tree, field.type, operators_of(field.type), field.name, path)
        if operator is None:
            return None
        test = self._test(tree, operator, path, is_money=field.type is FieldType.MONEY)
        if test is None:
            return None
        self._check_words(field, operator, test, path)
        self._check_range(field, test, path)
        if self._platform is not None and self._platform not in field.platforms:
            names = ", ".join(field.platforms)
            self._warn(
                join(path, "field"),
                f"{self._platform} does not deliver {field.name}",
                f"only {names}; here it is always missing",
            )
        return Leaf(field=field, test=test)

    def _field(self, name: object, path: str, scope: Scope) -> Field | None:
        if not isinstance(name, str):
            return self._wrong(
                path, f"a field's name cannot be {kind_of(name)}", "a name of the catalog, such as order.total"
            )
        if name == "":
            return self._wrong(path, "no field is chosen", "a name of the catalog, such as order.total")
        field = find_field(name)
        if field is None:
            return self._wrong(path, f"there is no field {name[:100]!r}", field_hint(name, scope))
        if field.scope is not scope:
            right = (
                "put it inside any_item, all_items, no_item or a measure"
                if field.scope is Scope.ITEM
                else "here only item.* fields may stand"
            )
            return self._wrong(path, f"{name} cannot be asked here", right)
        return field

    def _operator(
        self, tree: dict[Any, Any], kind: FieldType, known: tuple[str, ...], about: str, path: str
    ) -> Operator | None:
        op = tree.get("op")
        here = join(path, "op")
        if not isinstance(op, str):
            return self._wrong(
                here,
                "the operator is missing" if op is None else f"an operator cannot be {kind_of(op)}",
                f"one of {', '.join(known)}",
            )
        operator = find_operator(kind, op, tree.get("value")) if op in known else None
        if operator is None:
            right = f"{operator_hint(op, known)}one of {', '.join(known)}"
            return self._wrong(here, f"{about} ({kind}) takes no operator {op[:60]!r}", right)
        return operator

    def _test(self, tree: dict[Any, Any], operator: Operator, path: str, *, is_money: bool) -> Test | None:
        before = len(self.problems)
        ignore_case = tree.get("ignore_case", False)
        if not isinstance(ignore_case, bool):
            self._wrong(join(path, "ignore_case"), f"ignore_case cannot be {kind_of(ignore_case)}", "true or false")
        elif ignore_case and not operator.takes_case:
            self._wrong(join(path, "ignore_case"), "upper and lower case exist in texts only", "remove ignore_case")
        currency = self._currency(
            tree.get("currency"), join(path, "currency"), allowed=is_money and operator.wants is not Wants.NOTHING
        )
        literal = None
        if "value" not in tree and operator.wants is not Wants.NOTHING:
            self._wrong(join(path, "value"), "the value is missing", f"{operator.op} wants {operator.wants}")
        else:
            try:
                literal = read_literal(
                    operator, tree.get("value"), ignore_case=ignore_case is True, is_new=self._is_new
                )
            except Unreadable as reason:
                place = "" if reason.place is None else f"[{reason.place}]"
                self._wrong(f"{join(path, 'value')}{place}", reason.wrong, reason.right)
        if len(self.problems) > before:
            return None
        return Test(
            operator=operator,
            given=tree.get("value"),
            literal=literal,
            currency=currency,
            ignore_case=ignore_case is True,
        )

    def _currency(self, code: object, path: str, *, allowed: bool) -> str | None:
        if code is None:
            if allowed and len(self._currencies) > 1:
                self._warn(
                    path,
                    "amounts of every currency are compared alike",
                    f"name one: {', '.join(sorted(self._currencies))}",
                )
            return None
        if not allowed:
            return self._wrong(path, "a currency belongs to a comparison of money", "remove `currency`")
        if not (
            isinstance(code, str)
            and len(code) == CURRENCY_CODE_LETTERS
            and code.isascii()
            and code.isalpha()
            and code.isupper()
        ):
            return self._wrong(
                path, f"{str(code)[:20]!r} is no currency code", "three capital letters of ISO 4217, such as EUR"
            )
        if self._currencies and code not in self._currencies:
            self._warn(
                path,
                f"the site never uses {code}: this is never true",
                f"it uses {', '.join(sorted(self._currencies))}",
            )
        return code

    def _check_range(self, field: Field, test: Test, path: str) -> None:
        """Warn of a number that the field never is, of a code in small letters or that never comes. No errors: a stored rule goes on as it is."""
        bounds = test.literal if isinstance(test.literal, frozenset | tuple) else (test.literal,)
        if field.bounds is not None:
            low, high = field.bounds
            outside = sorted(bound for bound in bounds if isinstance(bound, int) and not low <= bound <= high)
            if outside:
                wrong = f"{field.name} is never {', '.join(map(str, outside))[:100]}"
                self._warn(join(path, "value"), wrong, f"{low} to {high}")
        small = sorted(bound for bound in bounds if isinstance(bound, str) and bound != bound.upper())
        if field.is_code and small and not test.ignore_case and test.operator.wants is not Wants.PATTERN:
            wrong = f"{field.name} is in capitals: {', '.join(small)[:60]} is never found"
            self._warn(join(path, "value"), wrong, f"{', '.join(small)[:60].upper()}, or ignore_case")
        elif field.is_code and test.operator.op in _WHOLE_CODES:
            self._check_codes(field, sorted(bound.upper() for bound in bounds if isinstance(bound, str)), path)

    def _check_codes(self, field: Field, codes: list[str], path: str) -> None:
        """Warn of a code that is none of ISO's, of a currency that the site never uses."""
        is_currency = field.name.endswith(_CURRENCY)
        kind, right, length = (
            ("currency", "three capital letters of ISO 4217, such as EUR", CURRENCY_CODE_LETTERS)
            if is_currency
            else ("country", "two capital letters of ISO 3166, such as DE", COUNTRY_CODE_LETTERS)
        )
        none = [code for code in codes if len(code) != length or not code.isascii() or not code.isalpha()]
        if none:
            self._warn(join(path, "value"), f"{', '.join(none)[:60]} is no {kind} code: it is never found", right)
        elif is_currency and self._currencies and (unused := [code for code in codes if code not in self._currencies]):
            wrong = f"the site never uses {', '.join(unused)[:60]}: it is never found"
            self._warn(join(path, "value"), wrong, f"it uses {', '.join(sorted(self._currencies))}")

    def _check_words(self, field: Field, operator: Operator, test: Test, path: str) -> None:
        if not field.words or operator.op not in ("=", "!=", "in", "not_in"):
            return
        words = test.literal if isinstance(test.literal, frozenset) else {test.literal}
        unknown = sorted(words - {word.casefold() if test.ignore_case else word for word in field.words})
        if unknown:
            self._wrong(
                join(path, "value"),
                f"{field.name} is never {', '.join(unknown)[:100]}",
                f"one of {', '.join(field.words)}",
            )

    def _measure(self, tree: dict[Any, Any], path: str, depth: int, scope: Scope) -> Node | None:
        self._no_other_keys(tree, _MEASURE_KEYS, path)
        here = join(path, "measure")
        if not self._may_hold_items(here, scope):
            return None
        word = tree["measure"]
        if not isinstance(word, str) or word not in tuple(MeasureWord):
            return self._wrong(here, f"there is no measure {str(word)[:60]!r}", f"one of {', '.join(MeasureWord)}")
        kind = MEASURE_TYPES[MeasureWord(word)]
        operator = self._operator(tree, kind, MEASURE_OPERATORS, f"the {word} of items", path)
        test = None if operator is None else self._test(tree, operator, path, is_money=kind is FieldType.MONEY)
        child = None
        if tree.get("items") is not None:
            child = self.node(tree["items"], join(path, "items"), depth + 1, Scope.ITEM)
            if child is None:
                return None
        return None if test is None else Measure(word=MeasureWord(word), child=child, test=test)

    def _no_other_keys(self, tree: dict[Any, Any], known: frozenset[str], path: str) -> None:
        for key in tree:
            if key not in known:
                self._wrong(
                    join(path, str(key)),
                    f"{str(key)[:60]!r} means nothing here",
                    f"known here: {', '.join(sorted(known))}",
                )
