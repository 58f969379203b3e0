"""The Google Ads API as a lane: for accounts that may import conversions there (docs/reference/google-ads.md 0.1)."""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from custom_events.destinations import rehearsal
from custom_events.destinations.conversion_rules import validate
from custom_events.destinations.findings import Finding, Findings, may_import
from custom_events.destinations.google_ads import probe, summaries
from custom_events.destinations.google_ads.answers import not_read, read_answer, read_failure
from custom_events.destinations.google_ads.client import Services, services
from custom_events.destinations.google_ads.requests import adjustments_request, carries_user_data, conversions_request
from custom_events.destinations.rules import Rule, answer
from custom_events.destinations.transport_errors import attempt, is_foreseen
from custom_events.settings import Settings
from custom_events.values.conversions import (
    AdsAccount,
    BatchAnswer,
    Conversion,
    RequestKind,
    RowAnswer,
    Scope,
    UploadKind,
    Verdict,
)
from custom_events.values.reasons import NO_LATER_VERDICT, NO_VERDICT
from custom_events.values.summaries import Summaries

_NO_LATER_VERDICT: Final = Rule(Verdict.UNKNOWN, NO_LATER_VERDICT)
PROBE_CALLS: Final = 3  # one rehearsal, and two readings: the customer and its actions
REHEARSAL_JOB_ID: Final = 1  # validated requests leave no trace in Google's summaries


class GoogleAdsLane:
    """Uploads through ConversionUploadService and ConversionAdjustmentUploadService; answers are row by row and at once."""

    def __init__(self, connect: Callable[[AdsAccount], Services]) -> None:
        self._connect = connect

    @classmethod
    def from_settings(cls, settings: Settings) -> "GoogleAdsLane":
        """The lane with the credentials and the endpoint of the settings. Nothing is imported or opened yet."""

        def connect(account: AdsAccount) -> Services:
            return services(
                settings.google_json_key_file, settings.google_ads_endpoint, account.login_customer_id, os.getpid()
            )

        return cls(connect)

    def validate(self, row: Conversion, now: datetime) -> RowAnswer | None:
        """See `Destination.validate`."""
        return validate(row, now)

    def carries_user_data(self, row: Conversion) -> bool:
        """See `Destination.carries_user_data`."""
        return carries_user_data(row)

    def prepare(self, account: AdsAccount, rows: Sequence[Conversion], *, kind: RequestKind, job_id: int) -> object:
        """See `Destination.prepare`."""
        make = conversions_request if kind is RequestKind.CONVERSIONS else adjustments_request
        return make(account, rows, job_id)

    def send(
        self,
        account: AdsAccount,
        rows: Sequence[Conversion],
        *,
        kind: RequestKind,
        job_id: int,
        timeout_s: float,
        now: datetime,
        prepared: object | None = None,
    ) -> BatchAnswer:
        """See `Destination.send`."""
        request = prepared if prepared is not None else self.prepare(account, rows, kind=kind, job_id=job_id)
        return self._call(account, rows, request, timeout_s, now)

    def rehearse(self, account: AdsAccount, row: Conversion, *, timeout_s: float, now: datetime) -> BatchAnswer:
        """See `Destination.rehearse`."""
        make = conversions_request if row.kind is UploadKind.CONVERSION else adjustments_request
        request = make(account, [row], REHEARSAL_JOB_ID, validate_only=True)
        return self._call(account, [row], request, timeout_s, now)

    def _call(
        self, account: AdsAccount, rows: Sequence[Conversion], request: Any, timeout_s: float, now: datetime
    ) -> BatchAnswer:
        connected = self._connect(account)
        adjusts = hasattr(request, "conversion_adjustments")
        call: Any = (
            connected.adjustments.upload_conversion_adjustments
            if adjusts
            else connected.conversions.upload_click_conversions
        )
        response: Any = attempt(lambda: call(request=request, timeout=timeout_s), _foreseen)
        if isinstance(response, Exception):
            return read_failure(response, rows, now)
        return read_answer(response, rows, now, connected.request_ids.last)

    def probe(self, account: AdsAccount, action_ids: Sequence[str], *, timeout_s: float, now: datetime) -> Findings:
        """See `Destination.probe`."""
        action_id = action_ids[0] if action_ids else None
        asked = self.rehearse(account, rehearsal.conversion(action_id or "0", now), timeout_s=timeout_s, now=now)
        importing = may_import(asked, action_id)
        if importing.fine is False and importing.scope is Scope.PROJECT:
            return Findings(findings=(importing,))  # about us, not about the account: asking more would say the same
        findings = attempt(
            lambda: probe.read(self._connect(account).reads(), account, action_ids, timeout_s), _foreseen
        )
        if isinstance(findings, Exception):
            sentence = f"The account could not be read: {read_failure(findings, [], now).sentence}"
            return Findings(findings=(importing, Finding(question="readable", fine=False, sentence=sentence)))
        return Findings(findings=(importing, *findings.findings), actions=findings.actions, calls=PROBE_CALLS)

    def poll(
        self, account: AdsAccount, request_id: str, rows: Sequence[Conversion], *, timeout_s: float, now: datetime
    ) -> BatchAnswer:
        """See `Destination.poll`. This lane answers at once; a row that waits for a later verdict of it has none."""
        del account, timeout_s
        answers = tuple(answer(_NO_LATER_VERDICT, NO_VERDICT, row, now) for row in rows)
        return BatchAnswer(rows=answers, request_id=request_id)

    def summaries(self, account: AdsAccount, *, timeout_s: float) -> Summaries:
        """See `Destination.summaries`."""
        read = attempt(lambda: summaries.read(self._connect(account).reads(), account, timeout_s), _foreseen)
        if isinstance(read, Exception):
            raise not_read(read_failure(read, [], datetime.now(UTC)))
        return read


def _foreseen(error: Exception) -> bool:
    from google.ads.googleads.errors import GoogleAdsException

    return isinstance(error, GoogleAdsException) or is_foreseen(error)


from_settings = GoogleAdsLane.from_settings
