"""`compare` over a period that does not fit into memory: a page at a time, in the order of the store's time. Pure.

What of one page concerns later ones is remembered: keys that an event of the period has (64 bits each), custom events that have moved to
an earlier event (their ids), and those without a match that an event still to come may take over.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Generic, NamedTuple

from custom_events.pipeline.comparison import Comparison, Key, Rank, Row, compare, key_of, key_of_row
from custom_events.pipeline.matching import Matched


class Period(NamedTuple):
    """From `since` to before `until`, by the store's time: whose events are judged."""

    since: datetime
    until: datetime

    def holds(self, rank: Rank) -> bool:
        """Whether an event at this place is judged."""
        return self.since <= rank[0] < self.until


class PagedComparison(Generic[Row]):
    """One period of one site. Give every page to `compare`, in order, then call `finish`."""

    def __init__(self, period: Period, repeating: Collection[int], may_move: Callable[[Row], bool]) -> None:
        """`repeating`: assignments of which two events of the period may have one key. `may_move`: whether another event may take a custom
        event over; of the others nothing need be remembered."""
        self._period, self._repeating, self._may_move = period, repeating, may_move
        self._taken: set[int] = set()  # hashes of keys
        self._moved: set[int] = set()
        self._leaving: dict[Key, Row] = {}

    def compare(
        self,
        first: Rank,
        wanted: Sequence[Matched],
        own: Iterable[Row],
        holders: Iterable[Row],
        judged: Mapping[int, Collection[int]],
    ) -> Comparison[Row]:
        """The comparison of a page that begins at `first`. `own`: the custom events of its events; `holders`: those that have a key of
        `wanted`, of any event; `judged` as for `compare`. What is withdrawn may be of an earlier page: nothing took it over."""
        free = [matched for matched in wanted if not self._is_taken(key_of(matched))]
        keys = {key_of(matched) for matched in free}
        left = [row for key in keys if (row := self._leaving.pop(key, None)) is not None]
        rows = {row.id: row for row in holders if not (self._period.holds(row.rank) and row.rank < first)}
        rows |= {row.id: row for row in (*own, *left)}
        here = {row.id for row in rows.values() if row.commerce_event_id in judged}
        here |= {row.id for row in left}
        judged = {**judged, **{row.commerce_event_id: (row.assignment_id,) for row in left}}
        result = compare(free, [row for row in rows.values() if row.id not in self._moved], judged)
        self._take(result, here)
        withdrawn = [row for row in result.withdrawn if self._is_final(row, row.id in here, keys)]
        return Comparison(result.added, result.kept, withdrawn)

    def finish(self) -> list[Row]:
        """What no later event of the period took over: withdrawn."""
        left = list(self._leaving.values())
        self._leaving.clear()
        return left

    def _take(self, result: Comparison[Row], here: Collection[int]) -> None:
        for matched in (*result.added, *(kept.matched for kept in result.kept)):
            key = key_of(matched)
            if key[0] in self._repeating:
                self._taken.add(hash(key))
        self._moved.update(kept.row.id for kept in result.kept if kept.row.id not in here)

    def _is_final(self, row: Row, is_here: bool, keys: Collection[Key]) -> bool:
        """Whether a custom event is withdrawn with this page. One whose event is still to come is decided with its event."""
        if not is_here:
            return not self._period.holds(row.rank)
        key = key_of_row(row)
        if key in keys or self._is_taken(key) or not self._may_move(row):
            return True
        self._leaving[key] = row
        return False

    def _is_taken(self, key: Key) -> bool:
        return key[0] in self._repeating and hash(key) in self._taken
