"""What a request proves who asks by: a key or a session's token, looked up at each request, so that one that is revoked stops at once."""

from abc import ABC, abstractmethod
from typing import Generic, Protocol, TypeVar

import sqlalchemy as sa

from custom_events.access.roles import Caller
from custom_events.queries import lookups
from custom_events.queries.lookups import AsyncConnection, Lookup, Values


class Good(Protocol):
    """A key or session that may be used."""

    @property
    def stale(self) -> bool:
        """Whether its last use is to be noted, which is done once a minute."""
        ...


_Good = TypeVar("_Good", bound=Good)
_Thing = TypeVar("_Thing")


class Credential(ABC, Generic[_Good]):
    """One that was sent. `lookup` finds by `values` what it may be, while that is good."""

    def __init__(self, lookup: Lookup[_Good], values: Values) -> None:
        self._lookup, self._values = lookup, values

    @abstractmethod
    def caller(self, good: _Good) -> Caller | None:
        """Who has what was found; None: it is not what was sent."""

    @abstractmethod
    def note_use(self, connection: sa.Connection, good: _Good) -> None:
        """Write that it was used."""

    def caller_by(self, connection: sa.Connection) -> Caller | None:
        """Who asks; None: it is not good. Its use is noted."""
        good = self._lookup.read(connection, self._values)
        caller = None if good is None else self.caller(good)
        if good is not None and caller is not None and good.stale:
            self.note_use(connection, good)
        return caller

    async def caller_with(
        self, connection: AsyncConnection, lookup: Lookup[_Thing], values: Values
    ) -> tuple[Caller | None, _Thing | None]:
        """Who asks, and another thing by the same statement. No caller: it is not good, or its use is to be noted, which `caller_by` does.
        Raises psycopg.Error."""
        good, also_read = await lookups.read_both(connection, (self._lookup, self._values), (lookup, values))
        return None if good is None or good.stale else self.caller(good), also_read
