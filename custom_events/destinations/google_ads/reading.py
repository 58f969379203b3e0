"""Queries to GoogleAdsService, read to their end."""

from collections.abc import Iterator
from typing import Any

from custom_events.values.conversions import AdsAccount


def rows(service: Any, account: AdsAccount, query: str, timeout_s: float) -> Iterator[Any]:
    """Every row: a stream that is not read to its end hangs a later call (docs/reference/google-ads.md 5.8)."""
    stream = service.search_stream(customer_id=account.customer_id, query=query, timeout=timeout_s)
    chunks = list(stream)
    for chunk in chunks:
        yield from chunk.results
