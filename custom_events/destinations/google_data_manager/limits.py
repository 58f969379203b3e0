"""Limits of the Data Manager API, with units and sources (docs/reference/google-ads.md 2.7)."""

from typing import Final

MAX_ROWS: Final = 2_000  # events in one request
MAX_DESTINATIONS: Final = 10  # conversion actions in one request
REQUESTS_PER_MINUTE: Final = 300  # IngestionService, per Cloud project
REQUESTS_PER_DAY: Final = 100_000  # likewise
