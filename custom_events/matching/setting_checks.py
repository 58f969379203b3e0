"""What several checks of settings ask: numbers, currencies, fields of amounts."""

from collections.abc import Collection, Iterator
from decimal import Decimal

from custom_events.conditions.field_lookup import find_field, nearest_names
from custom_events.conditions.fields import FieldType, Scope
from custom_events.conditions.problems import Problem, Severity
from custom_events.conditions.validate import CURRENCY_CODE_LETTERS
from custom_events.values import numbers

_AMOUNTS = (FieldType.MONEY, FieldType.NUMBER, FieldType.INTEGER, FieldType.OPEN)


def error(path: str, wrong: str, right: str) -> Problem:
    """Something that stops publishing."""
    return Problem(path=path, wrong=wrong, right=right)


def warning(path: str, wrong: str, right: str) -> Problem:
    """Something that is shown."""
    return Problem(path=path, wrong=wrong, right=right, severity=Severity.WARNING)


def number_problem(path: str, number: Decimal) -> Problem | None:
    """A number that is none, or one that the database or Google could not hold."""
    if not number.is_finite():
        return error(path, f"{number} is no number", "a number, such as 0.35")
    if (wrong := numbers.size_problem(number)) is not None:
        return error(path, f"{number} {wrong}", numbers.RIGHT)
    return None


def currency_code(path: str, code: str | None) -> Iterator[Problem]:
    """What is no ISO 4217 code."""
    if code is not None and not (
        len(code) == CURRENCY_CODE_LETTERS and code.isascii() and code.isalpha() and code.isupper()
    ):
        yield error(path, f"{code[:20]!r} is no currency code", "three capital letters of ISO 4217, such as EUR")


def never_used(path: str, code: str | None, currencies: Collection[str], effect: str) -> Iterator[Problem]:
    """A currency that is none of those the site uses, where those are known. `effect`: what follows, as the end of the sentence."""
    if code is not None and currencies and code not in currencies:
        yield warning(path, f"the site never uses {code[:20]}{effect}", f"it uses {', '.join(sorted(currencies))}")


def amount_field(path: str, name: str) -> Iterator[Problem]:
    """A field that is none of an event, or holds no amount."""
    field = find_field(name)
    if field is None or field.scope is not Scope.EVENT:
        near = ", ".join(nearest_names(name, Scope.EVENT))
        right = f"nearest: {near}" if near else "see the catalog of fields"
        yield error(path, f"there is no field {name[:100]!r}", right)
    elif field.type not in _AMOUNTS:
        yield error(path, f"{name} is a {field.type}", "a field of money or numbers")
