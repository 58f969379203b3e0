"""The real client, made late and once: it costs 1.5 s and 100 MB, leaks threads when made often, and dies in forks."""

import logging
import os
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from custom_events.destinations.google_ads.limits import API_VERSION
from custom_events.destinations.google_credentials import ADS_SCOPE, service_account

CLIENT_LOGGER = "google.ads.googleads.client"


class Services:
    """The services of one login; kept referenced as long as the process lives (docs/reference/google-ads.md 5.8, 5.9)."""

    def __init__(self, credentials: Any, endpoint: str | None, login_customer_id: str | None) -> None:
        from google.ads.googleads.client import GoogleAdsClient

        # At INFO it writes whole requests, people's hashes and click ids with them; the ledger keeps what was answered.
        logging.getLogger(CLIENT_LOGGER).setLevel(logging.CRITICAL)
        self._client = GoogleAdsClient(
            credentials=credentials,
            developer_token=os.environ.get("GOOGLE_ADS_DEVELOPER_TOKEN"),
            endpoint=endpoint,
            login_customer_id=login_customer_id,
            version=API_VERSION,
            use_proto_plus=False,
        )
        self.request_ids = RequestIds()
        listening = [self.request_ids.interceptor()]
        self.conversions: Any = self._client.get_service("ConversionUploadService", interceptors=listening)
        self.adjustments: Any = self._client.get_service("ConversionAdjustmentUploadService", interceptors=listening)

    def reads(self) -> Any:
        """GoogleAdsService, for GAQL."""
        return self._client.get_service("GoogleAdsService")


class RequestIds:
    """The `request-id` of the last call of this thread. Google's support asks for it, and answers do not carry it."""

    def __init__(self) -> None:
        self._seen = threading.local()

    @property
    def last(self) -> str | None:
        """None when the last call brought none."""
        return cast("str | None", getattr(self._seen, "request_id", None))

    def interceptor(self) -> Any:
        """Listens to every answer of a service's channel."""
        import grpc

        seen = self._seen

        class Listener(grpc.UnaryUnaryClientInterceptor):
            def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
                seen.request_id = None
                call = continuation(client_call_details, request)
                for key, value in _innermost(call).trailing_metadata() or ():
                    if key == "request-id":
                        seen.request_id = value
                return call

        return Listener()


def _innermost(call: Any) -> Any:
    """The call itself. google-ads 34.0.0 wraps it, and its wrapper gives the initial metadata for the trailing one."""
    while True:
        inner = getattr(call, "_underlay_call", None) or getattr(call, "_call", None)
        if inner is None or not hasattr(inner, "trailing_metadata"):
            return call
        call = inner


@lru_cache(maxsize=64)
def services(key_file: Path | None, endpoint: str | None, login_customer_id: str | None, process_id: int) -> Services:
    """The services for these credentials, one set per process. Raises NeedsAction without usable credentials.

    `process_id` keeps a forked child from using its parent's channel.
    """
    del process_id
    return Services(service_account(key_file, ADS_SCOPE), endpoint, login_customer_id)
