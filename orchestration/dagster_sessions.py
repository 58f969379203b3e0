"""Which sessions of the console open Dagster's page, as the database says it."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import sqlalchemy as sa

from custom_events.access import dagster_entry

READ_AGAIN_S: Final = (
    5.0  # a page of Dagster asks dozens of things at once; a session that was ended is of no use after that
)
KEPT: Final = 1_000  # sessions whose answer is remembered


class Sessions:
    """Answers of the database, each good for `READ_AGAIN_S`. `clock`: seconds that never go back."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._clock = engine, clock
        self._known: dict[int, tuple[bool, float]] = {}

    async def may_open(self, session_id: int) -> bool:
        """Whether the session is good, and its person administers all sites. Raises SQLAlchemyError where the database is away."""
        known = self._known.get(session_id)
        if known is None or known[1] <= self._clock():
            if len(self._known) >= KEPT:
                self._known.clear()
            may = await asyncio.to_thread(self._read, session_id)
            known = self._known[session_id] = may, self._clock() + READ_AGAIN_S
        return known[0]

    def _read(self, session_id: int) -> bool:
        with self._engine.connect() as connection:
            return dagster_entry.may_open(connection, session_id)
