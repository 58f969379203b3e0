"""The Data Manager API as a lane: open to everyone, answers later and in counts (docs/reference/google-ads.md 2.7)."""

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from custom_events.destinations import rehearsal
from custom_events.destinations.conversion_rules import OLDEST_CLICK, validate
from custom_events.destinations.findings import MAY_IMPORT, Finding, Findings, may_import
from custom_events.destinations.google_data_manager import answers, raw_answers, verdicts
from custom_events.destinations.google_data_manager.client import ingestion
from custom_events.destinations.google_data_manager.requests import actions_of, events_request, message_class
from custom_events.destinations.transport_errors import attempt
from custom_events.settings import Settings
from custom_events.values import reasons
from custom_events.values.clicks import ConsentStatus
from custom_events.values.conversions import (
    AdsAccount,
    BatchAnswer,
    Conversion,
    RequestKind,
    RowAnswer,
    UploadKind,
    Verdict,
)
from custom_events.values.summaries import Summaries


class DataManagerLane:
    """Uploads through IngestionService; conversions and adjustments alike are events under their transaction id."""

    def __init__(self, connect: Callable[[], Any], *, zero_value: bool = True) -> None:
        """`zero_value`: whether the value 0 is sent, by which alone a conversion is taken back here (docs/reference/google-ads.md 2.7 and 7)."""
        self._connect = connect
        self._zero_value = zero_value

    @classmethod
    def from_settings(cls, settings: Settings) -> "DataManagerLane":
        """The lane with the credentials and the endpoint of the settings. Nothing is imported or opened yet."""
        return cls(
            lambda: ingestion(settings.google_json_key_file, settings.data_manager_endpoint, os.getpid()),
            zero_value=settings.data_manager_zero_value,
        )

    def validate(self, row: Conversion, now: datetime) -> RowAnswer | None:
        """See `Destination.validate`."""
        if row.kind is UploadKind.CONVERSION:
            return validate(row, now)
        if row.kind is UploadKind.RETRACTION and not self._zero_value:
            return RowAnswer(
                upload_id=row.upload_id,
                verdict=Verdict.WITHHELD,
                code=reasons.NO_RETRACTION,
                sentence=reasons.WITHHELD[reasons.NO_RETRACTION],
            )
        if row.click is None and row.ad_user_data is ConsentStatus.DENIED:
            return RowAnswer(
                upload_id=row.upload_id,
                verdict=Verdict.WITHHELD,
                code=reasons.Reason.CONSENT_DENIED,
                sentence=reasons.CONSENT_DENIED_SINCE,
            )
        return validate(row, now) or _click_of_adjustment(row, now)

    def carries_user_data(self, row: Conversion) -> bool:
        """See `Destination.carries_user_data`."""
        return row.has_user_data

    def prepare(self, account: AdsAccount, rows: Sequence[Conversion], *, kind: RequestKind, job_id: int) -> object:
        """See `Destination.prepare`. `kind` and `job_id` have no counterpart here."""
        del kind, job_id
        return _prepared(account, rows)

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
        del kind, job_id
        taken, request = prepared if isinstance(prepared, _Prepared) else _prepared(account, rows)
        answer = self._ingest(taken, request, timeout_s, now)
        if len(taken) == len(rows):
            return answer
        ready, actions = iter(answer.rows), {row.action_id for row in taken}
        every = tuple(next(ready) if row.action_id in actions else answers.next_request(row, now) for row in rows)
        return msgspec.structs.replace(answer, rows=every)

    def rehearse(self, account: AdsAccount, row: Conversion, *, timeout_s: float, now: datetime) -> BatchAnswer:
        """See `Destination.rehearse`."""
        return self._ingest([row], _wrapped(account, [row], validate_only=True), timeout_s, now)

    def _ingest(self, rows: Sequence[Conversion], request: Any, timeout_s: float, now: datetime) -> BatchAnswer:
        client = self._connect()
        raw_answers.forget()
        response: Any = attempt(lambda: client.ingest_events(request=request, retry=None, timeout=timeout_s))
        if isinstance(response, Exception):
            return answers.read_failure(response, rows, now)
        if not response.field_warnings:
            return answers.accepted(rows, str(response.request_id))
        warned = answers.warnings_of(response, raw_answers.warnings())
        return answers.accepted(rows, str(response.request_id), warned)

    def probe(self, account: AdsAccount, action_ids: Sequence[str], *, timeout_s: float, now: datetime) -> Findings:
        """See `Destination.probe`. This API reads no accounts: one validated event for each action is all there is to ask."""
        if not action_ids:
            sentence = "No conversion action of this account is configured, and this API is asked action by action"
            return Findings(findings=(Finding(question=MAY_IMPORT, fine=None, sentence=sentence),), calls=0)
        findings: list[Finding] = []
        for action_id in action_ids:
            answer = self.rehearse(account, rehearsal.conversion(action_id, now), timeout_s=timeout_s, now=now)
            finding = may_import(answer, action_id)
            if finding.fine is False and finding.action_id is None:
                return Findings(
                    findings=(*findings, finding), calls=len(findings) + 1
                )  # the others would be refused alike
            findings.append(msgspec.structs.replace(finding, action_id=action_id))
        return Findings(findings=tuple(findings), calls=len(findings))

    def poll(
        self, account: AdsAccount, request_id: str, rows: Sequence[Conversion], *, timeout_s: float, now: datetime
    ) -> BatchAnswer:
        """See `Destination.poll`."""
        del account
        client = self._connect()
        raw_answers.forget()
        request = message_class("RetrieveRequestStatusRequest")(request_id=request_id)
        response: Any = attempt(lambda: client.retrieve_request_status(request=request, retry=None, timeout=timeout_s))
        if isinstance(response, Exception):
            return verdicts.read_poll_failure(response, rows, request_id)
        return verdicts.read_status(response, rows, now, request_id, raw_answers.reasons)

    def summaries(self, account: AdsAccount, *, timeout_s: float) -> Summaries:
        """See `Destination.summaries`. This API keeps none: its counts come with the verdict of each request (`poll`)."""
        del account, timeout_s
        return Summaries()


def _click_of_adjustment(row: Conversion, now: datetime) -> RowAnswer | None:
    """An adjustment is the event once more, click and all: a click that is too old for a conversion is too old for it as well."""
    if row.click is None or row.click.clicked_at is None:
        return None
    if now - row.click.clicked_at <= OLDEST_CLICK:
        return None
    code, sentence = reasons.Reason.CLICK_TOO_OLD, reasons.CLICK_TOO_OLD_TO_ADJUST
    return RowAnswer(upload_id=row.upload_id, verdict=Verdict.EXPIRED, code=code, sentence=sentence)


class _Prepared(NamedTuple):
    """A message, and the rows that fit into it: a request names a few conversion actions only. Nearly always all of them."""

    rows: Sequence[Conversion]
    message: Any


def _prepared(account: AdsAccount, rows: Sequence[Conversion]) -> _Prepared:
    actions = set(actions_of(rows))
    taken = [row for row in rows if row.action_id in actions]
    return _Prepared(taken, _wrapped(account, taken))


def _wrapped(account: AdsAccount, rows: Sequence[Conversion], *, validate_only: bool = False) -> Any:
    return message_class("IngestEventsRequest").wrap(events_request(account, rows, validate_only=validate_only))


from_settings = DataManagerLane.from_settings
