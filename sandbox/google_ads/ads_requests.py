"""The Google Ads API's methods: from a raw request to a raw response, for any served version."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import grpc

from sandbox.google_ads import access, adjustments, conversions
from sandbox.google_ads.conversions import check_request
from sandbox.google_ads.error_names import ConversionAdjustmentUpload, Request
from sandbox.google_ads.failures import Fail, FailureWriter, Refused, Status
from sandbox.google_ads.installed import SERVED_VERSIONS
from sandbox.google_ads.resources import Resources, check_page
from sandbox.google_ads.state import State

STREAM_CHUNK_ROWS = 1_000
_CODES = {status: getattr(grpc.StatusCode, status.name) for status in Status}
Headers = Mapping[str, str]


@dataclass(frozen=True)
class Method:
    """A method: its raw request and response classes, and what answers it."""

    request: Any
    response: Any
    answer: Callable[[str, Headers, Any, str], Any]
    streams: bool = False


class AdsRequests:
    """Checks who calls, spends quota, and answers. Every method refuses by raising `Refused`."""

    def __init__(self, state: State) -> None:
        from google.ads.googleads.v26.services.types import (
            conversion_adjustment_upload_service as adjustment_service,
        )
        from google.ads.googleads.v26.services.types import conversion_upload_service as conversion_service
        from google.ads.googleads.v26.services.types import google_ads_service

        self.state = state
        self._writer = FailureWriter()
        self._resources = Resources(state)
        self._conversions = conversion_service.UploadClickConversionsResponse.pb()
        self._adjustments = adjustment_service.UploadConversionAdjustmentsResponse.pb()
        self._page = google_ads_service.SearchGoogleAdsResponse.pb()
        self._chunk = google_ads_service.SearchGoogleAdsStreamResponse.pb()
        self.methods: dict[tuple[str, str], Method] = {
            ("ConversionUploadService", conversions.METHOD): Method(
                conversion_service.UploadClickConversionsRequest.pb(), self._conversions, self._upload
            ),
            ("ConversionAdjustmentUploadService", adjustments.METHOD): Method(
                adjustment_service.UploadConversionAdjustmentsRequest.pb(), self._adjustments, self._adjust
            ),
            ("GoogleAdsService", "Search"): Method(
                google_ads_service.SearchGoogleAdsRequest.pb(), self._page, self._search
            ),
            ("GoogleAdsService", "SearchStream"): Method(
                google_ads_service.SearchGoogleAdsStreamRequest.pb(), self._chunk, self._search_stream, streams=True
            ),
        }

    def refuse(self, refused: Refused, request_id: str, version: str, context: grpc.ServicerContext) -> NoReturn:
        """End the call with the refusal's status and trailer."""
        context.set_trailing_metadata(self._writer.trailer(refused, request_id, version))
        context.abort(_CODES[refused.status], refused.message)

    @contextmanager
    def _entered(
        self, method: str, version: str, headers: Headers, customer_id: str
    ) -> Generator[access.Caller, None, None]:
        """Holds the lock for a caller who may call and has paid for it."""
        with self.state.changing():
            self.state.requests[method] += 1
            if version not in SERVED_VERSIONS:
                raise Refused.of(Status.INVALID_ARGUMENT, Request.UNSUPPORTED_VERSION)
            caller = access.authorize(self.state, version, headers, customer_id)
            access.spend_operation(self.state, caller)
            try:
                yield caller
            except Refused:
                access.refund_operation(self.state, caller)
                raise

    def _upload(self, version: str, headers: Headers, request: Any, request_id: str) -> Any:
        with self._entered(conversions.METHOD, version, headers, request.customer_id) as caller:
            outcome = conversions.upload_conversions(self.state, caller, request, request_id)
        response = self._conversions(job_id=outcome.job_id)
        if not request.validate_only:
            _fill_conversion_results(response, request, outcome.failed)
        self._partial(response, "conversions", outcome.errors, request_id, version)
        return response

    def _adjust(self, version: str, headers: Headers, request: Any, request_id: str) -> Any:
        names, rows = ConversionAdjustmentUpload, request.conversion_adjustments
        with self._entered(adjustments.METHOD, version, headers, request.customer_id) as caller:
            check_request(
                request, rows, "conversion_adjustments", names.TOO_MANY_ADJUSTMENTS_IN_REQUEST, names.INVALID_JOB_ID
            )
            job_id = request.job_id or self.state.generated_job_id()
            errors = adjustments.adjust_conversions(self.state, caller, request, job_id)
        response = self._adjustments(job_id=job_id)
        if not request.validate_only:
            _fill_adjustment_results(response, request, {index for index, _ in errors})
        self._partial(response, "conversion_adjustments", errors, request_id, version)
        return response

    def _search(self, version: str, headers: Headers, request: Any, request_id: str) -> Any:
        del request_id
        with self._entered("Search", version, headers, request.customer_id) as caller:
            check_page(request.page_size, request.page_token)
            rows, mask = self._resources.search(version, caller.customer, request.query)
        if request.validate_only:
            return self._page()
        response = self._page(results=rows, total_results_count=len(rows))
        response.field_mask.paths.extend(mask)
        return response

    def _search_stream(self, version: str, headers: Headers, request: Any, request_id: str) -> Iterator[Any]:
        with self._entered("SearchStream", version, headers, request.customer_id) as caller:
            rows, mask = self._resources.search(version, caller.customer, request.query)
        return self._chunks(rows, mask, request_id)

    def _chunks(self, rows: list[Any], mask: list[str], request_id: str) -> Iterator[Any]:
        for start in range(0, max(len(rows), 1), STREAM_CHUNK_ROWS):
            chunk = self._chunk(results=rows[start : start + STREAM_CHUNK_ROWS], request_id=request_id)
            chunk.field_mask.paths.extend(mask)
            yield chunk

    def _partial(
        self, response: Any, collection: str, errors: Sequence[tuple[int, Fail]], request_id: str, version: str
    ) -> None:
        if errors:
            self._writer.partial(response.partial_failure_error, collection, errors, request_id, version)


def _fill_conversion_results(response: Any, request: Any, failed: set[int]) -> None:
    for index, row in enumerate(request.conversions):
        result = response.results.add()
        if index not in failed:
            result.conversion_action = row.conversion_action
            result.conversion_date_time = row.conversion_date_time
            if row.gclid:
                result.gclid = row.gclid
            if row.gbraid:
                result.gbraid = row.gbraid
            if row.wbraid:
                result.wbraid = row.wbraid
            if row.user_identifiers:
                result.user_identifiers.extend(row.user_identifiers)


def _fill_adjustment_results(response: Any, request: Any, failed: set[int]) -> None:
    for index, row in enumerate(request.conversion_adjustments):
        result = response.results.add()
        if index not in failed:
            result.conversion_action = row.conversion_action
            result.adjustment_date_time = row.adjustment_date_time
            result.adjustment_type = row.adjustment_type
            if row.HasField("order_id"):
                result.order_id = row.order_id
            if row.HasField("gclid_date_time_pair"):
                result.gclid_date_time_pair.CopyFrom(row.gclid_date_time_pair)
