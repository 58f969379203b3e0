"""The real client of the Data Manager API, made late and once per process."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from custom_events.destinations.google_credentials import DATA_MANAGER_SCOPE, service_account
from custom_events.destinations.google_data_manager import raw_answers


def connect(credentials: Any, endpoint: str | None) -> Any:
    """IngestionServiceClient. `http://...` and `https://...` select REST, `host:port` gRPC with TLS, None Google itself."""
    from google.ads.datamanager_v1 import IngestionServiceClient
    from google.api_core.client_options import ClientOptions

    transport = "rest" if endpoint is not None and endpoint.startswith("http") else "grpc"
    options = ClientOptions(api_endpoint=endpoint) if endpoint is not None else None
    client = IngestionServiceClient(credentials=credentials, transport=transport, client_options=options)
    raw_answers.listen(client)
    return client


@lru_cache(maxsize=4)
def ingestion(key_file: Path | None, endpoint: str | None, process_id: int) -> Any:
    """The client for these credentials, one per process (see google_ads/client.py). Raises NeedsAction."""
    del process_id
    return connect(service_account(key_file, DATA_MANAGER_SCOPE), endpoint)
