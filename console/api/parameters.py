"""Parameters that several nouns take."""

import re
from datetime import datetime
from typing import Annotated, Final

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, WithJsonSchema

from custom_events.values.numbers import MAX_ID
from custom_events.values.texts import text_problem
from custom_events.values.time_order import TimeOrder
from custom_events.values.times import FIRST_YEAR, LAST_YEAR

_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)\Z", re.ASCII)
LONGEST_SEARCH: Final = 200  # characters: longer than any name that is searched for


def _storable(text: str) -> str:
    if wrong := text_problem(text):
        raise ValueError(f"a text without that: {wrong}")
    return text


Text = AfterValidator(lambda text: None if text is None else _storable(text))  # of a filter, which may be left out

Search = Annotated[
    str | None,
    Query(
        max_length=LONGEST_SEARCH, description="Only those whose name or the like holds this text, in whatever case."
    ),
    Text,
]


def _within_years(moment: datetime | None) -> datetime | None:
    if moment is not None and not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"a moment of the years {FIRST_YEAR} to {LAST_YEAR}")
    return moment


def _written_out(moment: object) -> object:
    """pydantic takes any number as seconds since 1970."""
    if isinstance(moment, str) and not _RFC_3339.match(moment):
        raise ValueError("a moment as RFC 3339 writes it: 2026-11-30T12:00:00Z")
    return moment


_Written, _Moment = BeforeValidator(_written_out), AfterValidator(_within_years)
Since = Annotated[
    AwareDatetime | None, Query(description="From this moment on (RFC 3339, with its zone)."), _Written, _Moment
]
Until = Annotated[
    AwareDatetime | None, Query(description="Before this moment (RFC 3339, with its zone)."), _Written, _Moment
]
Deadline = Annotated[
    AwareDatetime | None,
    Query(
        description="Only those that wait, and that Google takes no more after this moment (RFC 3339, with its zone)."
    ),
    _Written,
    _Moment,
]
# Spelled out: the document's parts are those of bodies and answers, none of which has an order.
ByTime = Annotated[
    TimeOrder,
    Query(description="The newest first, or the oldest."),
    WithJsonSchema({"type": "string", "enum": [order.value for order in TimeOrder]}),
]
OfSite = Annotated[int | None, Query(ge=1, le=MAX_ID, description="Only what is of this site.")]
