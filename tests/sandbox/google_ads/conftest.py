"""The real clients, pointed at a sandbox whose clock stands still. Clients and channels are kept for the session."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from sandbox.google_ads.click_ids import ClickFlag, make_click_id
from sandbox.google_ads.clock import Clock
from sandbox.google_ads.seed import Action, Customer, SandboxSeed
from sandbox.google_ads.server import SandboxGoogle

SHOP, OTHER, CHILD, MANAGER = "1234567890", "2222222222", "3333333333", "9999999999"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CALL_TIMEOUT_S = 30
ADJUSTMENT_TYPES = {"UNSPECIFIED": 0, "RETRACTION": 2, "RESTATEMENT": 3, "ENHANCEMENT": 4}


def seed() -> SandboxSeed:
    return SandboxSeed(
        customers=[
            Customer(customer_id=SHOP, name="Shop"),
            Customer(customer_id=OTHER, name="Another shop", currency="USD"),
            Customer(customer_id=CHILD, name="Managed shop", manager_id=MANAGER),
            Customer(customer_id=MANAGER, name="Manager", is_manager=True),
        ],
        actions=[
            Action(customer_id=SHOP, action_id="1", default_value=7.5),
            Action(customer_id=SHOP, action_id="2", name="Second"),
            Action(customer_id=SHOP, action_id="3", name="Once", counting_type="ONE_PER_CLICK"),
            Action(
                customer_id=SHOP,
                action_id="4",
                name="Fixed",
                always_use_default_value=True,
                default_value=5.0,
                currency="USD",
            ),
            Action(customer_id=SHOP, action_id="5", name="Page", type="WEBPAGE"),
            Action(customer_id=SHOP, action_id="6", name="Gone", status="REMOVED"),
            Action(customer_id=SHOP, action_id="7", name="Short", click_through_lookback_window_days=2),
            Action(customer_id=OTHER, action_id="21"),
            Action(customer_id=CHILD, action_id="31"),
        ],
        matched_users=[hashlib.sha256(b"known@example.com").hexdigest()],
    )


class Ads:
    """The real Google Ads client (raw protobuf) with short ways to build requests and read errors."""

    def __init__(
        self, endpoint: str, version: str, token: str | None, login: str | None, developer_token: str | None
    ) -> None:
        from google.ads.googleads.client import GoogleAdsClient
        from google.auth.credentials import AnonymousCredentials
        from google.oauth2.credentials import Credentials

        self.version = version
        self._client = GoogleAdsClient(
            credentials=AnonymousCredentials() if token is None else Credentials(token=token),
            endpoint=endpoint,
            login_customer_id=login,
            developer_token=developer_token,
            version=version,
            use_proto_plus=False,
        )
        self._services: dict[str, Any] = {}

    def close(self) -> None:
        """Close the channels."""
        for service in self._services.values():
            service.transport.close()

    def _service(self, name: str) -> Any:
        if name not in self._services:
            self._services[name] = self._client.get_service(name)
        return self._services[name]

    def row(self, **fields: Any) -> Any:
        """A ClickConversion: a good one, changed by `fields`; None takes a field away."""
        message = self._client.get_type("ClickConversion")
        wanted = {
            "conversion_action": f"customers/{SHOP}/conversionActions/1",
            "conversion_date_time": "2026-11-20 11:00:00+00:00",
            "conversion_value": 100.0,
            "currency_code": "EUR",
            **fields,
        }
        if not {"gclid", "gbraid", "wbraid", "users"} & set(fields):
            wanted["gclid"] = click("gclid")
        for email in wanted.pop("users", []):
            message.user_identifiers.add().hashed_email = email
        for name, value in wanted.items():
            if value is not None:
                setattr(message, name, value)
        return message

    def request(self, rows: list[Any], *, customer: str = SHOP, **fields: Any) -> Any:
        request = self._client.get_type("UploadClickConversionsRequest")
        request.customer_id, request.partial_failure = customer, True
        request.conversions.extend(rows)
        for name, value in fields.items():
            setattr(request, name, value)
        return request

    def upload(self, *rows: Any, **fields: Any) -> Any:
        return self.send(self.request(list(rows), **fields))

    def send(self, request: Any, *, timeout: float = CALL_TIMEOUT_S) -> Any:
        return self._service("ConversionUploadService").upload_click_conversions(request=request, timeout=timeout)

    def adjustment(self, kind: str = "RESTATEMENT", **fields: Any) -> Any:
        """A ConversionAdjustment of the order `order_id`; `value`, `pair` (gclid, time) and `users` as needed."""
        message = self._client.get_type("ConversionAdjustment")
        message.adjustment_type = ADJUSTMENT_TYPES[kind]
        wanted = {
            "conversion_action": f"customers/{SHOP}/conversionActions/1",
            "adjustment_date_time": "2026-11-20 11:30:00+00:00",
            **fields,
        }
        value, pair = wanted.pop("value", None), wanted.pop("pair", None)
        if value is not None:
            message.restatement_value.adjusted_value = value
            message.restatement_value.currency_code = wanted.pop("currency", "EUR")
        if pair is not None:
            message.gclid_date_time_pair.gclid, message.gclid_date_time_pair.conversion_date_time = pair
        for email in wanted.pop("users", []):
            message.user_identifiers.add().hashed_email = email
        for name, sent in wanted.items():
            setattr(message, name, sent)
        return message

    def adjust(self, *rows: Any, customer: str = SHOP, **fields: Any) -> Any:
        request = self._client.get_type("UploadConversionAdjustmentsRequest")
        request.customer_id, request.partial_failure = customer, True
        request.conversion_adjustments.extend(rows)
        for name, value in fields.items():
            setattr(request, name, value)
        service = self._service("ConversionAdjustmentUploadService")
        return service.upload_conversion_adjustments(request=request, timeout=CALL_TIMEOUT_S)

    def stream(self, query: str, customer: str = SHOP) -> list[Any]:
        """All chunks of SearchStream."""
        service = self._service("GoogleAdsService")
        return list(service.search_stream(customer_id=customer, query=query, timeout=CALL_TIMEOUT_S))

    def rows(self, query: str, customer: str = SHOP) -> list[Any]:
        return [row for chunk in self.stream(query, customer) for row in chunk.results]

    def search(self, query: str, **fields: Any) -> Any:
        request = self._client.get_type("SearchGoogleAdsRequest")
        request.customer_id, request.query = SHOP, query
        for name, value in fields.items():
            setattr(request, name, value)
        return self._service("GoogleAdsService").search(request=request, timeout=CALL_TIMEOUT_S)

    def failure(self, data: bytes) -> Any:
        return type(self._client.get_type("GoogleAdsFailure")).FromString(data)

    def errors(self, response: Any) -> list[tuple[int, str, str]]:
        """Row, family.NAME and field of each error of a partial failure."""
        if response.partial_failure_error.code == 0:
            return []
        (packed,) = response.partial_failure_error.details
        assert packed.type_url == f"type.googleapis.com/google.ads.googleads.{self.version}.errors.GoogleAdsFailure"
        found: list[tuple[int, str, str]] = []
        for error in self.failure(packed.value).errors:
            head, *path = error.location.field_path_elements
            found.append((head.index, error_name(error), ".".join(element.field_name for element in path)))
        return found

    def names(self, response: Any) -> list[str]:
        """The bare names of the errors of a partial failure."""
        return [name.partition(".")[2] for _, name, _ in self.errors(response)]

    def refused(self, call: Callable[[], Any]) -> tuple[str, str, Any]:
        """Run a call that must raise GoogleAdsException: status code, family.NAME of its first error, the exception."""
        from google.ads.googleads.errors import GoogleAdsException

        with pytest.raises(GoogleAdsException) as caught:
            call()
        exception = caught.value
        return exception.error.code().name, error_name(exception.failure.errors[0]), exception


def error_name(error: Any) -> str:
    error = getattr(error, "_pb", error)  # an exception's failure is proto-plus, also with a raw client
    family = error.error_code.WhichOneof("error_code")
    field = error.error_code.DESCRIPTOR.fields_by_name[family]
    return f"{family}.{field.enum_type.values_by_number[getattr(error.error_code, family)].name}"


_SERIALS = iter(range(1, 1_000_000_000))


def click(
    kind: str, age: timedelta = timedelta(days=1), customer: str = SHOP, flags: ClickFlag = ClickFlag.NONE
) -> str:
    """A new click id of that age."""
    return make_click_id(kind, customer, NOW - age, next(_SERIALS), flags)


@pytest.fixture
def google(sandbox_google: SandboxGoogle) -> SandboxGoogle:
    """The sandbox with this folder's accounts, its clock standing still at NOW."""
    sandbox_google.reset(seed(), Clock(NOW))
    return sandbox_google


@pytest.fixture(scope="session")
def _clients(_google: SandboxGoogle) -> Iterator[Callable[..., Ads]]:
    opened: list[Ads] = []

    def connect(*options: Any) -> Ads:
        opened.append(Ads(*options))
        return opened[-1]

    yield cache(connect)
    for ads in opened:
        ads.close()


@pytest.fixture
def client(google: SandboxGoogle, _clients: Callable[..., Ads]) -> Callable[..., Ads]:
    """Clients by version, token, login customer and developer token."""

    def make(
        version: str = "v26", token: str | None = "any", login: str | None = None, developer_token: str | None = None
    ) -> Ads:
        return _clients(google.grpc_endpoint, version, token, login, developer_token)

    return make


@pytest.fixture
def ads(client: Callable[..., Ads]) -> Ads:
    """The client most tests use: v26, any token."""
    return client()


@pytest.fixture
def new_click() -> Callable[..., str]:
    """Mints click ids: kind, age, customer, flags."""
    return click


@pytest.fixture
def hashed() -> Callable[[str], str]:
    """SHA-256 in hexadecimal."""
    return lambda text: hashlib.sha256(text.encode()).hexdigest()


# ---------------------------------------------------------------- the Data Manager API
class Events:
    """The real client with short ways to build requests."""

    def __init__(self, transport: str, address: str, token: str) -> None:
        import google.ads.datamanager_v1 as api
        from google.api_core.client_options import ClientOptions
        from google.oauth2.credentials import Credentials

        self.api = api
        self.client = api.IngestionServiceClient(
            credentials=Credentials(token=token),
            client_options=ClientOptions(api_endpoint=address),
            transport=transport,
        )

    def destination(self, action: str = "1", account: str = SHOP, **fields: str) -> dict[str, Any]:
        return {
            "operating_account": {"account_type": "GOOGLE_ADS", "account_id": account},
            "product_destination_id": action,
            **fields,
        }

    def ingest(self, *events: dict[str, Any], destinations: list[Any] | None = None, **fields: bool | str) -> Any:
        request = self.api.IngestEventsRequest(
            destinations=[self.destination()] if destinations is None else destinations, events=list(events), **fields
        )
        return self.client.ingest_events(request=request, retry=None, timeout=30)

    def status(self, request_id: str) -> list[tuple[Any, ...]]:
        """Status name and failures by reason, per destination."""
        request = self.api.RetrieveRequestStatusRequest(request_id=request_id)
        response = self.client.retrieve_request_status(request=request, retry=None, timeout=30)
        return [
            (
                entry.request_status.name,
                {
                    count.reason.name.removeprefix("PROCESSING_ERROR_REASON_"): count.record_count
                    for count in entry.error_info.error_counts
                },
                entry.events_ingestion_status.record_count,
            )
            for entry in response.request_status_per_destination
        ]

    def refused(self, call: Callable[..., Any], code: int = 400) -> tuple[Any, ...]:
        """Violations (field, reason) and ErrorInfo's reason of a call that is refused; gRPC and REST alike."""
        from google.api_core.exceptions import GoogleAPICallError
        from google.rpc import error_details_pb2 as details

        with pytest.raises(GoogleAPICallError) as caught:
            call()
        assert caught.value.code == code
        found = []
        for detail in caught.value.details:
            if isinstance(detail, details.BadRequest):
                found += [(violation.field, violation.reason) for violation in detail.field_violations]
            elif isinstance(detail, dict) and detail["@type"].endswith("BadRequest"):
                found += [(violation["field"], violation["reason"]) for violation in detail["fieldViolations"]]
        return found, caught.value.reason


@pytest.fixture(params=["grpc", "rest"])
def transport(request: Any) -> str:
    return request.param


@pytest.fixture
def connect(google: SandboxGoogle, transport: str) -> Iterator[Callable[..., Any]]:
    """Clients by token; closed at the end."""
    opened = []

    def make(token: str = "any") -> Any:
        address = google.grpc_endpoint if transport == "grpc" else google.http_url
        opened.append(Events(transport, address, token))
        return opened[-1]

    yield make
    for events in opened:
        events.client.transport.close()


@pytest.fixture
def events(connect: Callable[..., Any]) -> Events:
    return connect()


@pytest.fixture
def event(google: SandboxGoogle, new_click: Callable[..., Any]) -> Callable[..., Any]:
    """A good event, changed by keyword; None takes a field away."""

    def make(**fields: Any) -> Any:
        wanted = {
            "transaction_id": "o1",
            "event_timestamp": google.clock.now() - timedelta(hours=1),
            "event_source": "WEB",
            "currency": "EUR",
            "conversion_value": 100.0,
            **fields,
        }
        if not {"ad_identifiers", "user_data"} & set(fields):
            wanted["ad_identifiers"] = {"gclid": new_click("gclid")}
        return {name: value for name, value in wanted.items() if value is not None}

    return make
