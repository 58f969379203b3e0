"""Reading the value an operator is given: from JSON to what the generated test compares with."""

import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any

import msgspec

from custom_events.conditions.operators import Operator, Wants
from custom_events.values import numbers as sizes
from custom_events.values.times import read_day, read_moment

# Limits keep a stored tree small enough to read, to store in a revision and to compile in milliseconds.
MAX_TEXT_CHARACTERS = 1_000
MAX_PATTERN_CHARACTERS = 500
MAX_LIST_VALUES = 1_000
MAX_PATTERN_MEMORY_BYTES = 1 << 20  # RE2 refuses a pattern whose program would be larger (its own default is 8 MiB)
MAX_DIGITS = 30  # of a number in a stored tree; what is written today has at most those of `values.numbers`
MAX_DURATION_DAYS = 3_660  # ten years
MAX_QUOTED_CHARACTERS = 60  # of a wrong value in a message: one line of a terminal keeps the sentence around it
NUMBER_PATTERN = sizes.PATTERN  # of a number written as text; also in the published JSON Schema

_STORED_NUMBER = r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?"
_WRITTEN = r"[+-]?[0-9]{1,200}(\.[0-9]{1,200})?"  # how large it may be is said in its own sentence
_TOO_LONG = 10**MAX_QUOTED_CHARACTERS
_UNITS = ("minutes", "hours", "days")


class Unreadable(Exception):
    """The value is not what the operator wants: `wrong` says what it is, `right` what would do; `place`: which of a list's values."""

    def __init__(self, wrong: str, right: str) -> None:
        super().__init__(wrong)
        self.wrong = wrong
        self.right = right
        self.place: int | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a value is read for."""

    operator: Operator
    ignore_case: bool = False
    is_new: bool = False


def read_literal(operator: Operator, value: Any, *, ignore_case: bool = False, is_new: bool = False) -> Any:
    """The literal for this operator's template. Raises Unreadable.

    With `is_new` it is about to be written: numbers have sizes that the database and Google can hold, dates and times one spelling. What
    was stored before these rules goes on as it is.
    """
    return _READERS[operator.wants](Asked(operator=operator, ignore_case=ignore_case, is_new=is_new), value)


def _quoted(value: Any) -> str:
    """The value for a message, bounded."""
    if isinstance(value, int) and abs(value) >= _TOO_LONG:
        return "the number"  # Python refuses to write one of thousands of digits
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= MAX_QUOTED_CHARACTERS else text[:MAX_QUOTED_CHARACTERS] + "..."


def _nothing(asked: Asked, value: Any) -> None:
    if value is not None:
        raise Unreadable(f"{asked.operator.op} takes no value, here is {_quoted(value)}", "remove `value`")


def _text(asked: Asked, value: Any) -> str:
    if not isinstance(value, str):
        raise Unreadable(f"{_quoted(value)} is not a text", f"{asked.operator.op} wants {asked.operator.wants}")
    if not value:
        raise Unreadable("the text is empty", 'use the operator "missing" or "exists"')
    if len(value) > MAX_TEXT_CHARACTERS:
        raise Unreadable(f"the text has {len(value)} characters", f"at most {MAX_TEXT_CHARACTERS}")
    return value.casefold() if asked.ignore_case else value


def _pattern(asked: Asked, value: Any) -> Callable[[str], object]:
    import re2

    _text(asked, value)
    if len(value) > MAX_PATTERN_CHARACTERS:
        raise Unreadable(f"the pattern has {len(value)} characters", f"at most {MAX_PATTERN_CHARACTERS}")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_PATTERN_MEMORY_BYTES
    options.case_sensitive = not asked.ignore_case
    try:
        return re2.compile(value, options).search
    except (re2.error, UnicodeError) as reason:
        detail = reason.args[0] if reason.args else reason
        detail = detail.decode(errors="replace") if isinstance(detail, bytes) else str(detail)
        raise Unreadable(
            f"{_quoted(value)} is not a pattern RE2 takes ({detail})",
            "RE2 syntax, without look-around and back-references (https://github.com/google/re2/wiki/Syntax)",
        ) from None


def _number(asked: Asked, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise Unreadable(f"{_quoted(value)} is not a number", f"{asked.operator.op} wants {asked.operator.wants}")
    if isinstance(value, str) and sizes.is_no_number_word(value):
        raise Unreadable(f"{value.strip()} is no number", 'digits with a point, such as "200.00"')
    if isinstance(value, str) and not re.fullmatch(_WRITTEN if asked.is_new else _STORED_NUMBER, value):
        raise Unreadable(f"{_quoted(value)} is not a number", 'digits with a point, such as "200.00"')
    # A JSON number goes through its shortest text: 19.99 is read as 19.99, not as the binary fraction next to it.
    number = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise Unreadable(f"{number} is no number", 'digits with a point, such as "200.00"')
    if asked.is_new and (wrong := sizes.size_problem(number)) is not None:
        raise Unreadable(f"{_quoted(value)} {wrong}", sizes.RIGHT)
    if asked.is_new and isinstance(value, str) and not re.fullmatch(NUMBER_PATTERN, value):
        raise Unreadable(f"{_quoted(value)} has zeros without need", sizes.RIGHT)
    if abs(number.adjusted()) > MAX_DIGITS or len(number.as_tuple().digits) > MAX_DIGITS:
        raise Unreadable(
            f"{_quoted(value)} is no amount one can compare with", f"a number of at most {MAX_DIGITS} digits"
        )
    return number


def _integer(asked: Asked, value: Any) -> int:
    number = _number(asked, value)
    if number != number.to_integral_value():
        below = number.to_integral_value(ROUND_FLOOR)
        raise Unreadable(f"{_quoted(value)} is not a whole number", f"{below:f} or {below + 1:f}")
    return int(number)


def _boolean(asked: Asked, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unreadable(f"{_quoted(value)} is neither true nor false", f"{asked.operator.op} wants true or false")
    return value


def _moment(asked: Asked, value: Any) -> date | datetime:
    right = f"{asked.operator.op} wants {Wants.MOMENT}"
    if not isinstance(value, str):
        raise Unreadable(f"{_quoted(value)} is not a time", right)
    text = value.strip()
    moment = read_day(text) or read_moment(text)
    if moment is None and not asked.is_new:
        moment = _as_once(text)
    if moment is None:
        raise Unreadable(f"{_quoted(value)} is not a time", right)
    if not isinstance(moment, datetime):
        return moment
    if moment.tzinfo is None:
        raise Unreadable(
            f"{_quoted(value)} does not say in which time zone",
            f"{value.strip()}Z for UTC, or with an offset such as +01:00",
        )
    return moment


def _as_once(text: str) -> date | datetime | None:
    """What a stored tree may say: any spelling of ISO 8601, week dates (of their Monday) among them."""
    try:
        if "T" not in text and " " not in text:
            return date.fromisoformat(text)
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _duration(asked: Asked, value: Any) -> timedelta:
    right = f"{asked.operator.op} wants {Wants.DURATION}"
    if not isinstance(value, dict) or len(value) != 1 or next(iter(value)) not in _UNITS:
        raise Unreadable(f"{_quoted(value)} is not a duration", right)
    unit, amount = next(iter(value.items()))
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not amount > 0:
        raise Unreadable(f"{_quoted(amount)} {unit} is not a duration", right)
    try:
        duration = timedelta(**{unit: amount})
    except OverflowError:
        duration = timedelta.max
    if duration > timedelta(days=MAX_DURATION_DAYS):
        raise Unreadable(f"{_quoted(amount)} {unit} is too long", f"at most {MAX_DURATION_DAYS} days")
    return duration


_Reader = Callable[["Asked", Any], Any]


def _each(read: _Reader, asked: Asked, values: Iterable[Any]) -> Iterator[Any]:
    """Every value of a list. Raises Unreadable with the place of the first that cannot be read."""
    for place, value in enumerate(values):
        try:
            yield read(asked, value)
        except Unreadable as reason:
            reason.place = place
            raise


def _list_of(read: _Reader) -> _Reader:
    def read_list(asked: Asked, value: Any) -> frozenset[Hashable]:
        if not isinstance(value, list | tuple) or not value:
            raise Unreadable(
                f"{_quoted(value)} is not a list with values", f"{asked.operator.op} wants {asked.operator.wants}"
            )
        if len(value) > MAX_LIST_VALUES:
            raise Unreadable(
                f"the list has {len(value)} values",
                f"at most {MAX_LIST_VALUES}; a tag or a property serves longer lists",
            )
        return frozenset(_each(read, asked, value))

    return read_list


def _pair_of(read: _Reader) -> _Reader:
    def read_pair(asked: Asked, value: Any) -> tuple[Any, Any]:
        if not isinstance(value, list | tuple) or len(value) != 2:  # noqa: PLR2004 - a pair
            raise Unreadable(f"{_quoted(value)} is not a pair", f"{asked.operator.op} wants {asked.operator.wants}")
        low, high = _each(read, asked, value)
        if isinstance(low, datetime) is not isinstance(high, datetime):
            raise Unreadable("one end is a date, the other a time", "two dates or two times")
        if low > high:
            raise Unreadable(f"the range runs from {value[0]} down to {value[1]}", "the smaller end first")
        return low, high

    return read_pair


_READERS: dict[Wants, _Reader] = {
    Wants.NOTHING: _nothing,
    Wants.TEXT: _text,
    Wants.TEXTS: _list_of(_text),
    Wants.PATTERN: _pattern,
    Wants.NUMBER: _number,
    Wants.NUMBERS: _list_of(_number),
    Wants.RANGE: _pair_of(_number),
    Wants.INTEGER: _integer,
    Wants.INTEGERS: _list_of(_integer),
    Wants.INTEGER_RANGE: _pair_of(_integer),
    Wants.BOOLEAN: _boolean,
    Wants.MOMENT: _moment,
    Wants.MOMENTS: _pair_of(_moment),
    Wants.DURATION: _duration,
}
