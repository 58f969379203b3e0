"""Errors as Google puts them on the wire: GoogleAdsFailure in a partial failure, or in the trailer of a refused request."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from sandbox.google_ads.error_names import AnyName, ErrorName, NewName, installed_numbers

NANOSECONDS_PER_SECOND = 1_000_000_000


class Status(IntEnum):
    """The gRPC status codes in use here; the numbers are those of google.rpc.Code."""

    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    INTERNAL = 13
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


@dataclass(frozen=True, slots=True)
class Fail:
    """One error. `path` leads from the row (or the request) to the field: ("user_identifiers", 0), ("gclid", None)."""

    name: AnyName
    path: tuple[tuple[str, int | None], ...] = ()
    trigger: str | None = None

    @classmethod
    def at(cls, name: AnyName, field: str, index: int | None = None, trigger: str | None = None) -> "Fail":
        """An error in one field of a row."""
        return cls(name, ((field, index),), trigger)


@dataclass(frozen=True)
class QuotaDetail:
    """Which rate was exceeded: `scope` ACCOUNT or DEVELOPER, and how long to wait."""

    scope: str
    rate_name: str
    retry_delay_s: float


class Refused(Exception):
    """The whole request fails; nothing is stored. Without `errors` there is no failure in the trailer."""

    def __init__(
        self, status: Status, errors: Sequence[Fail], message: str = "", quota: QuotaDetail | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.errors = tuple(errors)
        self.quota_detail = quota
        self.message = message or self.errors[0].name.sentence

    @classmethod
    def of(cls, status: Status, name: AnyName, field: str | None = None, trigger: str | None = None) -> "Refused":
        """A refusal with one error."""
        return cls(status, [Fail(name, () if field is None else ((field, None),), trigger)])

    @classmethod
    def quota(cls, name: ErrorName, scope: str, rate_name: str, retry_delay_s: float) -> "Refused":
        """A refusal for a quota, with the delay after which to come back."""
        return cls(Status.RESOURCE_EXHAUSTED, [Fail(name)], quota=QuotaDetail(scope, rate_name, retry_delay_s))


class FailureWriter:
    """Builds messages with the installed classes of v26; every served version reads them alike, under its own name."""

    def __init__(self) -> None:
        from google.ads.googleads.v26.errors.types import errors
        from google.rpc import status_pb2

        self._failure = errors.GoogleAdsFailure.pb()
        self._status = status_pb2.Status
        self._numbers = installed_numbers()
        quota = errors.QuotaErrorDetails.pb().DESCRIPTOR
        self._scopes = quota.fields_by_name["rate_scope"].enum_type.values_by_name

    def trailer(self, refused: Refused, request_id: str, version: str) -> tuple[tuple[str, str | bytes], ...]:
        """The trailing metadata of a refused request."""
        if not refused.errors:
            return (("request-id", request_id),)
        failure = self._failure(request_id=request_id)
        for error in refused.errors:
            self._add(failure, error, ())
        if refused.quota_detail is not None:
            self._add_quota(failure.errors[0].details.quota_error_details, refused.quota_detail)
        status = self._status(code=int(refused.status), message=refused.message)
        self._pack(status, failure, version)
        return (
            ("request-id", request_id),
            (f"google.ads.googleads.{version}.errors.googleadsfailure-bin", failure.SerializeToString()),
            ("grpc-status-details-bin", status.SerializeToString()),
        )

    def partial(
        self, status: Any, collection: str, rows: Sequence[tuple[int, Fail]], request_id: str, version: str
    ) -> None:
        """Fill a response's partial_failure_error: one Any, however many rows failed."""
        failure = self._failure(request_id=request_id)
        for index, error in rows:
            self._add(failure, error, ((collection, index),))
        first = f"{rows[0][1].name.sentence}, at {_dotted(((collection, rows[0][0]), *rows[0][1].path))}"
        status.code = int(Status.INVALID_ARGUMENT)
        status.message = first if len(rows) == 1 else f"Multiple errors in \u2018details\u2019. First error: {first}"
        self._pack(status, failure, version)

    def _add(self, failure: Any, error: Fail, prefix: tuple[tuple[str, int | None], ...]) -> None:
        entry = failure.errors.add()
        number = error.name.number if isinstance(error.name, NewName) else self._numbers[error.name]
        setattr(entry.error_code, error.name.family, number)
        entry.message = error.name.sentence
        if error.trigger is not None:
            entry.trigger.string_value = error.trigger
        elements = entry.location.field_path_elements
        for field, index in (*prefix, *error.path):
            element = elements.add()
            element.field_name = field
            if index is not None:
                element.index = index

    def _add_quota(self, details: Any, quota: QuotaDetail) -> None:
        details.rate_scope = self._scopes[quota.scope].number
        details.rate_name = quota.rate_name
        fraction, seconds = math.modf(quota.retry_delay_s)
        details.retry_delay.seconds = int(seconds)
        details.retry_delay.nanos = int(fraction * NANOSECONDS_PER_SECOND)

    def _pack(self, status: Any, failure: Any, version: str) -> None:
        packed = status.details.add()
        packed.type_url = f"type.googleapis.com/google.ads.googleads.{version}.errors.GoogleAdsFailure"
        packed.value = failure.SerializeToString()


def _dotted(path: Sequence[tuple[str, int | None]]) -> str:
    return ".".join(field if index is None else f"{field}[{index}]" for field, index in path)
