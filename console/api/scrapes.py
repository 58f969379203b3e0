"""The figures for Prometheus, counted at most once in a while, however many ask."""

import threading
import time
from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa

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
        self._lock = threading.Lock()
        self._text = b""
        self._measured_at = -KEPT_S
        self._status: Status | None = None
        self._status_at = 0.0

    def status(self) -> Status:
        """The figures of every stage for whoever is not signed in, read at most once in `KEPT_S`: nobody can make us count by asking."""
        with self._lock:
            if self._status is None or time.monotonic() - self._status_at >= KEPT_S:
                with self._engine.connect() as connection:
                    self._status = status(connection, settings(), datetime.now(UTC))
                self._status_at = time.monotonic()
            return self._status

    def text(self) -> bytes:
        """The text format. Raises what the database raises: a scrape that fails is a figure, too."""
        with self._lock:
            if time.monotonic() - self._measured_at >= KEPT_S:
                with self._engine.connect() as connection:
                    self._text = text(measure(connection, settings(), datetime.now(UTC)))
                self._measured_at = time.monotonic()
            return self._text + self._requests.text()
