"""The bare client: Google's own Python client with raw protobuf, in a loop, and nothing else.

From finished values (click ids, order ids, texts of times, floats: no database, no checks, no history) it builds the same
operations as our lanes do, one message with nine fields for each row, in the same batches; sends them over one channel; and reads
of the answer what it must to know that every row was taken. This is what an upload costs that forgets everything.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from benchmarks.uploads_world import CONVERTED, CUSTOMERS, DIGEST, Google
from custom_events.values.conversions import Lane

BATCH_ROWS = 2_000
TIMEOUT_S = 60.0

Finished = list[tuple[str, str, float]]  # order id, click id, value


def finished(made: Sequence[str]) -> Finished:
    """The values of every row, ready to be set."""
    return [(f"b{number}", click, 100.0 + number % 50) for number, click in enumerate(made)]


def run(send: Callable[[Finished], None], rows: Finished) -> float:
    """Seconds for building and sending every batch."""
    began = time.perf_counter()
    for start in range(0, len(rows), BATCH_ROWS):
        send(rows[start : start + BATCH_ROWS])
    return time.perf_counter() - began


def client(lane: Lane, google: Google) -> Callable[[Finished], None]:
    """What sends one batch."""
    return _ads(google) if lane is Lane.GOOGLE_ADS else _data_manager(google)


def _ads(google: Google) -> Callable[[Finished], None]:
    from google.ads.googleads.client import GoogleAdsClient
    from google.oauth2.credentials import Credentials

    credentials: Any = Credentials(token="bench")
    client = GoogleAdsClient(credentials=credentials, endpoint=google.endpoint, use_proto_plus=False)
    service: Any = client.get_service("ConversionUploadService")
    request_class = type(client.get_type("UploadClickConversionsRequest"))
    customer, action_id = CUSTOMERS[Lane.GOOGLE_ADS]
    action = f"customers/{customer}/conversionActions/{action_id}"

    def send(rows: Finished) -> None:
        at = (datetime.now(UTC) - CONVERTED).isoformat(" ", "seconds")
        request: Any = request_class(customer_id=customer, partial_failure=True, job_id=1)
        add = request.conversions.add
        for order_id, click, value in rows:
            row = add()
            row.conversion_action = action
            row.conversion_date_time = at
            row.order_id = order_id
            row.conversion_environment = 3
            row.conversion_value = value
            row.currency_code = "EUR"
            row.gclid = click
            row.consent.ad_user_data = 2
            email = row.user_identifiers.add()
            email.hashed_email = DIGEST
            email.user_identifier_source = 2
            phone = row.user_identifiers.add()
            phone.hashed_phone_number = DIGEST
            phone.user_identifier_source = 2
        response = service.upload_click_conversions(request=request, timeout=TIMEOUT_S)
        if response.partial_failure_error.code or len(response.results) != len(rows):
            raise RuntimeError(response.partial_failure_error.message)

    return send


def _data_manager(google: Google) -> Callable[[Finished], None]:
    from google.ads import datamanager_v1
    from google.api_core.client_options import ClientOptions
    from google.oauth2.credentials import Credentials

    client = datamanager_v1.IngestionServiceClient(
        credentials=Credentials(token="bench"), client_options=ClientOptions(api_endpoint=google.endpoint)
    )
    wrapped: Any = datamanager_v1.IngestEventsRequest
    customer, action_id = CUSTOMERS[Lane.DATA_MANAGER]

    def send(rows: Finished) -> None:
        at = int((datetime.now(UTC) - CONVERTED).timestamp())
        request: Any = wrapped.pb()(encoding=1)
        destination = request.destinations.add(reference=action_id, product_destination_id=action_id)
        destination.operating_account.account_type = 1
        destination.operating_account.account_id = customer
        add = request.events.add
        for order_id, click, value in rows:
            event = add()
            event.destination_references.append(action_id)
            event.transaction_id = order_id
            event.event_timestamp.seconds = at
            event.event_source = 1
            event.conversion_value = value
            event.currency = "EUR"
            event.ad_identifiers.gclid = click
            event.consent.ad_user_data = 1
            identifiers = event.user_data.user_identifiers
            identifiers.add().email_address = DIGEST
            identifiers.add().phone_number = DIGEST
        response = client.ingest_events(request=wrapped.wrap(request), retry=None, timeout=TIMEOUT_S)
        if not response.request_id:
            raise RuntimeError("the events were not taken")

    return send
