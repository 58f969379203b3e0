"""The real client, made late and once: it costs 1.5 s and 100 MB, leaks threads when made often, and dies in forks."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from custom_events.destinations.google_ads.limits import API_VERSION
from custom_events.destinations.google_credentials import ADS_SCOPE, service_account


class Services:
    """The services of one login; kept referenced as long as the process lives (reference: google-ads, 5.8, 5.9)."""

    def __init__(self, credentials: Any, endpoint: str | None, login_customer_id: str | None) -> None:
        from google.ads.googleads.client import GoogleAdsClient

        self._client = GoogleAdsClient(
            credentials=credentials,
            developer_token=os.environ.get("GOOGLE_ADS_DEVELOPER_TOKEN"),
            endpoint=endpoint,
            login_customer_id=login_customer_id,
            version=API_VERSION,
            use_proto_plus=False,
        )
        self.conversions: Any = self._client.get_service("ConversionUploadService")
        self.adjustments: Any = self._client.get_service("ConversionAdjustmentUploadService")

    def reads(self) -> Any:
        """GoogleAdsService, for GAQL."""
        return self._client.get_service("GoogleAdsService")


@lru_cache(maxsize=64)
def services(key_file: Path | None, endpoint: str | None, login_customer_id: str | None, process_id: int) -> Services:
    """The services for these credentials, one set per process. Raises NeedsAction without usable credentials.

    `process_id` keeps a forked child from using its parent's channel.
    """
    del process_id
    return Services(service_account(key_file, ADS_SCOPE), endpoint, login_customer_id)
