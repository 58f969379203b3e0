"""What was asked of a page: parameters of its path, the query, and the fields of a form; checked where they are read."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final, Literal
from urllib.parse import parse_qs, urlencode

import msgspec

from console.api import problems
from console.api.parameters import LONGEST_SEARCH
from console.api.problems import FieldError, ProblemError
from custom_events.ledger.single_uploads import REFERENCE
from custom_events.values.numbers import MAX_ID
from custom_events.values.texts import text_problem
from custom_events.values.time_order import TimeOrder
from custom_events.values.times import FIRST_YEAR, LAST_YEAR

MOST_FIELDS: Final = 200  # of a form; ours have a dozen
LONGEST_FIELD: Final = (
    1_000_000  # characters: a CSV file; the whole form has its own limit (CUSTOM_EVENTS_CONSOLE_BODY_LIMIT_BYTES)
)
ROWS: Final = 50  # of a page of a list
_KEY: Final = re.compile(r"[a-z][a-z0-9_]{1,62}\Z")
_REFERENCE: Final = re.compile(rf"{REFERENCE}\Z")
_DIGITS: Final = re.compile(r"[0-9]{1,19}\Z")
_CUSTOMER: Final = re.compile(r"[0-9]{3}-?[0-9]{3}-?[0-9]{4}\Z")


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a page. `errors` are filled in where a form is shown again."""

    path: dict[str, Any] = {}
    query: dict[str, str] = {}
    form: dict[str, str] = {}
    errors: dict[str, FieldError] = {}

    def text(self, name: str, *, longest: int = LONGEST_SEARCH) -> str | None:
        """A text of the query without blanks around it; None where it is empty. Raises 422 for what cannot be stored."""
        written = self.query.get(name, "").strip()
        wrong = f"it has more than {longest} characters" if len(written) > longest else text_problem(written)
        if wrong:
            raise _wrong(name, wrong, "a shorter text without that")
        return written or None

    def number(self, name: str) -> int | None:
        """An id of the query. Raises 422."""
        written = self.text(name)
        if written is None:
            return None
        if not _DIGITS.match(written) or not 0 < int(written) <= MAX_ID:
            raise _wrong(name, f"{written!r} is no number of ours", "digits only, 12 for example")
        return int(written)

    def ids(self, name: str) -> tuple[int, ...]:
        """Ids of the form, or else of the query: all values of the name. Raises 422."""
        written = [part for part in re.split(r"[\s,]+", self.form.get(name, self.query.get(name, ""))) if part]
        wrong = next((part for part in written if not _DIGITS.match(part) or not 0 < int(part) <= MAX_ID), None)
        if wrong is not None:
            raise _wrong(name, f"{wrong[:LONGEST_SEARCH]!r} is no number of ours", "digits only, 12 for example")
        return tuple(dict.fromkeys(map(int, written)))

    def choice(self, name: str, words: Mapping[str, Any] | tuple[str, ...]) -> str | None:
        """One of these words of the query. Raises 422."""
        written = self.text(name)
        if written is not None and written not in words:
            raise _wrong(name, f"{written!r} is none of them", f"one of {', '.join(words)}")
        return written

    def flag(self, name: str) -> bool | None:
        """Yes or no of the query; None: not asked."""
        written = self.choice(name, ("yes", "no"))
        return None if written is None else written == "yes"

    def sort(self, *names: str) -> Any:
        """By which of these names a list is sorted, with - before it the other way round; by the first where nothing is asked. Raises 422."""
        return self.choice("sort", (*names, *(f"-{name}" for name in names))) or names[0]

    def order(self) -> TimeOrder:
        """In which order a list of what happened is read. Raises 422."""
        return TimeOrder(self.choice("order", tuple(TimeOrder)) or TimeOrder.NEWEST)

    def moment(self, name: str) -> datetime | None:
        """A moment of the query, UTC where it names no zone (as a browser's field for it does not). Raises 422."""
        written = self.text(name)
        if written is None:
            return None
        try:
            at = datetime.fromisoformat(written)
        except ValueError:
            raise _wrong(name, f"{written!r} is no moment", "2026-11-30T12:00") from None
        at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        if not FIRST_YEAR <= at.year <= LAST_YEAR:
            raise _wrong(name, f"the year {at.year} is too far away", f"a year from {FIRST_YEAR} to {LAST_YEAR}")
        return at

    def day(self, name: str) -> date | None:
        """A day of the query. Raises 422."""
        written = self.text(name)
        return None if written is None else parsed_day(name, written)

    def field(self, name: str) -> str:
        """A field of the form without blanks around it, "" where it is not there. Raises 422 for what cannot be stored."""
        written = self.form.get(name, "").strip()
        if wrong := text_problem(written.replace("\r", "").replace("\n", " ").replace("\t", " ")):
            raise _wrong(name, wrong, "a text without that", place="body")
        return written

    def address(self, **changes: str | int | None) -> str:
        """The query with these changes, as the end of an address; None takes one away."""
        merged = {**self.query, **{name: "" if value is None else str(value) for name, value in changes.items()}}
        kept = {name: value for name, value in merged.items() if value}
        return f"?{urlencode(kept)}"


def parsed_day(name: str, written: str, *, place: Literal["query", "body"] = "query") -> date:
    """A day as browsers' fields for it send one. Raises 422."""
    try:
        day = date.fromisoformat(written)
    except ValueError:
        raise _wrong(name, f"{written!r} is no day", "2026-11-30", place=place) from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        far = f"the year {day.year} is too far away"
        raise _wrong(name, far, f"a year from {FIRST_YEAR} to {LAST_YEAR}", place=place)
    return day


def read_query(raw: str) -> dict[str, str]:
    """The last value of each name; of names that end with `_ids` all values, with commas between. Raises 422 for too many."""
    try:
        read = parse_qs(raw, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="replace")
    except ValueError:
        raise _wrong("query", "it has too many parts", f"{MOST_FIELDS} at most") from None
    return {name: ",".join(values) if name.endswith("_ids") else values[-1] for name, values in read.items()}


def read_form(body: bytes) -> dict[str, str]:
    """The fields of a form as browsers send it; of several values of one name all, with line breaks between. Raises 422."""
    try:
        read = parse_qs(
            body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="replace"
        )
    except ValueError:
        raise _wrong("form", "it has too many fields", f"{MOST_FIELDS} at most", place="body") from None
    fields = {name: "\n".join(values) for name, values in read.items()}
    for name, value in fields.items():
        if len(value) > LONGEST_FIELD:
            raise _wrong(name, "it is too long", f"at most {LONGEST_FIELD} characters", place="body")
    return fields


def path_value(name: str, written: str) -> Any:
    """A parameter of a path in its own type. Raises 404 for what no thing of ours is called."""
    noun = name.removesuffix("_id").removesuffix("_key").removesuffix("_reference").replace("_", " ")
    if (name.endswith("_id") and name != "customer_id") or name == "number":
        if not _DIGITS.match(written) or not 0 < int(written) <= MAX_ID:
            raise problems.not_found(noun, written[: problems.SHOWN_CHARACTERS])
        return int(written)
    form = {"upload_reference": _REFERENCE, "definition_key": _KEY, "customer_id": _CUSTOMER}.get(name)
    if form is not None and not form.match(written):
        raise problems.not_found(noun, written[: problems.SHOWN_CHARACTERS])
    return written


def _wrong(name: str, wrong: str, remedy: str, *, place: Literal["query", "body"] = "query") -> ProblemError:
    return problems.invalid(FieldError(field=name, place=place, problem=wrong, remedy=remedy))
