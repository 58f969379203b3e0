"""The figures for Prometheus, counted at most once in a while, however many ask."""

from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa

from console.api.kept import KeptFigures
from console.api.request_metrics import RequestMetrics
from custom_events.settings import settings
from custom_events.watching.exposition import text
from custom_events.watching.measure import measure
from custom_events.watching.status import Status, status

KEPT_S: Final = 10.0  # half of what scrapers usually wait: two of them cost as much as one


class Scrapes:
    """One measuring at a time; whoever asks within `KEPT_S` gets the one before. `requests`: those to this process, always as they are."""

    def __init__(self, engine: sa.Engine, requests: RequestMetrics) -> None:
        self._engine = engine
        self._requests = requests
        self._kept = KeptFigures(KEPT_S)

    def status(self) -> Status:
        """The figures of every stage for whoever is not signed in, read at most once in `KEPT_S`: nobody can make us count by asking."""
        return self._kept.get("status", self._count_status)

    def text(self) -> bytes:
        """The text format. Raises what the database raises: a scrape that fails is a figure, too."""
        return self._kept.get("text", self._measure) + self._requests.text()

    def _count_status(self) -> Status:
        with self._engine.connect() as connection:
            return status(connection, settings(), datetime.now(UTC))

    def _measure(self) -> bytes:
        with self._engine.connect() as connection:
            return text(measure(connection, settings(), datetime.now(UTC)))
