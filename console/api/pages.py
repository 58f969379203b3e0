"""Pages of lists: `limit` rows, and `next`, which asked for as `after` gives the following ones."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec
from fastapi import Query

from console.api import problems
from console.api.problems import FieldError
from custom_events.values import cursors
from custom_events.values.time_order import TimeOrder

LIMIT: Final = 100
MOST: Final = 500
LONGEST_CURSOR: Final = 2_000  # characters; ours hold a name and an id

Limit = Annotated[int, Query(ge=1, le=MOST, description=f"Rows of a page, {MOST} at most.")]
After = Annotated[
    str | None, Query(max_length=LONGEST_CURSOR, description="`next` of the page before; leave it out for the first.")
]

_Row = TypeVar("_Row")
_Shown = TypeVar("_Shown")


class Page(msgspec.Struct, Generic[_Shown], frozen=True, kw_only=True):
    """Some rows of a list. `next`: ask for it as `after` to have those that follow; null: there are none."""

    items: tuple[_Shown, ...]
    next: str | None


def read_after(after: str | None, order: str, kinds: Sequence[type]) -> tuple[Any, ...] | None:
    """The values that `after` stands for. `order` says how the list is sorted, `kinds` of what types its keys are.

    Raises 422 for what is no cursor of ours, or of a list in another order.
    """
    if after is None:
        return None
    try:
        named_order, *keys = cursors.decode(after, tuple[(str, *kinds)])
    except ValueError:
        named_order, keys = "", []
    if named_order != order or any(isinstance(key, str) and "\0" in key for key in keys):
        raise problems.invalid(
            FieldError(
                field="after",
                place="query",
                problem="it is no cursor of this list, or of the list in another order",
                remedy="`next` of the page before, with the same sort; or leave it out",
                value=after[: problems.SHOWN_CHARACTERS],
            )
        )
    return tuple(keys)


def by_number(order: TimeOrder) -> str:
    """What cursors say of the order of a list whose numbers follow time."""
    return "-id" if order is TimeOrder.NEWEST else "id"


def page_of(
    rows: Sequence[_Row],
    limit: int,
    order: str,
    keys: Callable[[_Row], tuple[Any, ...]],
    show: Callable[[_Row], _Shown],
) -> Page[_Shown]:
    """A page of `rows`, of which one more than `limit` was read: whether there is one says whether there is a next page."""
    here = rows[:limit]
    following = None
    if len(rows) > limit:
        following = cursors.encode((order, *keys(here[-1])))
    return Page(items=tuple(show(row) for row in here), next=following)
