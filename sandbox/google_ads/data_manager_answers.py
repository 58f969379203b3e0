"""Refusals of the Data Manager API, as google.rpc.Status: gRPC carries it in a trailer, REST as JSON."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2

from sandbox.google_ads.data_manager_reasons import BRAND_NEW_REASON, Reason
from sandbox.google_ads.failures import NANOSECONDS_PER_SECOND, Refused, Status

DOMAIN = "datamanager.googleapis.com"
HTTP_STATUS = {
    Status.INVALID_ARGUMENT: 400,
    Status.UNAUTHENTICATED: 401,
    Status.PERMISSION_DENIED: 403,
    Status.RESOURCE_EXHAUSTED: 429,
    Status.INTERNAL: 500,
    Status.UNAVAILABLE: 503,
    Status.DEADLINE_EXCEEDED: 504,
}


@dataclass(frozen=True)
class Violation:
    """One bad field: its path (events.events[3].currency), the reason and a sentence."""

    field: str
    reason: Reason
    description: str


class DataManagerRefused(Exception):
    """The whole request is refused. `reason` is an ErrorReason, or one of Google's general reasons for tokens."""

    def __init__(
        self,
        status: Status,
        reason: str,
        message: str,
        violations: Sequence[Violation] = (),
        retry_delay_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.violations = tuple(violations)
        self.retry_delay_s = retry_delay_s

    @classmethod
    def of_fault(cls, refused: Refused) -> "DataManagerRefused":
        """A fault's refusal in this API's terms."""
        reasons = {
            Status.RESOURCE_EXHAUSTED: Reason.RESOURCE_EXHAUSTED,
            Status.INTERNAL: Reason.INTERNAL_ERROR,
            Status.INVALID_ARGUMENT: BRAND_NEW_REASON,
        }
        detail = refused.quota_detail
        reason = reasons.get(refused.status, "") if refused.errors else ""
        return cls(refused.status, reason, refused.message, (), None if detail is None else detail.retry_delay_s)


def rich_status(refused: DataManagerRefused, request_id: str) -> Any:
    """The google.rpc.Status of a refusal: ErrorInfo, BadRequest, RetryInfo and RequestInfo where they apply."""
    status = status_pb2.Status(code=int(refused.status), message=refused.message)
    if refused.reason:
        status.details.add().Pack(error_details_pb2.ErrorInfo(reason=refused.reason, domain=DOMAIN))
    if refused.violations:
        bad = error_details_pb2.BadRequest()
        for violation in refused.violations:
            bad.field_violations.add(
                field=violation.field, description=violation.description, reason=violation.reason.value
            )
        status.details.add().Pack(bad)
    if refused.retry_delay_s is not None:
        fraction, seconds = math.modf(refused.retry_delay_s)
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.seconds = int(seconds)
        retry.retry_delay.nanos = int(fraction * NANOSECONDS_PER_SECOND)
        status.details.add().Pack(retry)
    status.details.add().Pack(error_details_pb2.RequestInfo(request_id=request_id))
    return status


def http_body(refused: DataManagerRefused, request_id: str) -> dict[str, object]:
    """The JSON body of a refusal over REST."""
    status = json_format.MessageToDict(rich_status(refused, request_id))
    return {
        "error": {
            "code": HTTP_STATUS[refused.status],
            "message": refused.message,
            "status": refused.status.name,
            "details": status.get("details", []),
        }
    }
