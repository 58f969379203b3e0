"""Lists that are searched through time: `next` of one page is `after` of the following one, and a page may end before it is full."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import msgspec

from console.api import problems
from console.api.calls import Call
from console.api.problems import FieldError
from custom_events.browse import pages
from custom_events.errors import InvalidConfiguration
from custom_events.values.time_order import TimeOrder

_Row = TypeVar("_Row")
_Shown = TypeVar("_Shown")
_NAMES = {"cursor": "after"}  # what services call otherwise than the API


class Stretch(msgspec.Struct, Generic[_Shown], frozen=True, kw_only=True):
    """Rows, in the order asked for. `next`: ask for it as `after` to have those that follow; null: there are none. A page may have fewer rows than
    asked for, or none, and go on all the same: then `searched_until` says how far it looked. `total`: rows of the whole list, where
    that is known without counting."""

    items: tuple[_Shown, ...]
    next: str | None
    searched_until: datetime | None
    total: int | None


def stretch(
    call: Call,
    service: Callable[..., pages.Page[Any]],
    wanted: msgspec.Struct,
    limit: int,
    after: str | None,
    order: TimeOrder,
    show: Callable[[Any], Any] = lambda row: row,
) -> Stretch[Any]:
    """A page of a service of `custom_events/browse`, as the API shows it. Raises 422 for filters that cannot be used."""
    page = as_query(
        lambda: service(call.connection, wanted, now=datetime.now(UTC), cursor=after, limit=limit, order=order)
    )
    return Stretch(
        items=tuple(show(row) for row in page.rows),
        next=page.next_cursor,
        searched_until=page.searched_until,
        total=page.total,
    )


def as_query(read: Callable[[], _Row]) -> _Row:
    """What `found` returns; what it cannot use stands in the query."""
    try:
        return read()
    except InvalidConfiguration as error:
        wrong, _, right = error.sentence.partition(": ")
        field = FieldError(
            field=_NAMES.get(error.path, error.path), place="query", problem=wrong, remedy=right or "see the problem"
        )
        raise problems.invalid(field) from None


def asked_site(call: Call, site_id: int | None) -> int | None:
    """The site that is asked about; None: any. Raises 404 for one that the caller may not see, 422 where they have to name one."""
    visible = call.caller.sites()
    if visible is None:
        return site_id
    if site_id is None and len(visible) == 1:
        return next(iter(visible))
    if site_id is None:
        raise problems.invalid(
            FieldError(field="site_id", place="query", problem="it is missing", remedy="one of your sites")
        )
    if site_id not in visible:
        raise problems.not_found("site", site_id)
    return site_id
