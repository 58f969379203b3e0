"""A lane of one file, which the test puts into a copy of the tree as `custom_events/destinations/toy/lane.py`: it takes everything."""

from collections.abc import Sequence
from datetime import datetime

from custom_events.destinations.conversion_rules import validate
from custom_events.destinations.findings import MAY_IMPORT, Finding, Findings
from custom_events.settings import Settings
from custom_events.values.conversions import AdsAccount, BatchAnswer, Conversion, RequestKind, RowAnswer, Verdict
from custom_events.values.summaries import Summaries

SENT: list[tuple[str, str, str]] = []  # kind, transaction, value


class ToyLane:
    def validate(self, row: Conversion, now: datetime) -> RowAnswer | None:
        return validate(row, now)

    def carries_user_data(self, row: Conversion) -> bool:
        return row.has_user_data

    def prepare(self, account: AdsAccount, rows: Sequence[Conversion], *, kind: RequestKind, job_id: int) -> object:
        return None

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
        SENT.extend((row.kind.value, row.transaction_id, str(row.value)) for row in rows)
        return self.answers(rows)

    def rehearse(self, account: AdsAccount, row: Conversion, *, timeout_s: float, now: datetime) -> BatchAnswer:
        return self.answers([row])

    def probe(self, account: AdsAccount, action_ids: Sequence[str], *, timeout_s: float, now: datetime) -> Findings:
        return Findings(findings=(Finding(question=MAY_IMPORT, fine=True, sentence="The toy takes conversions"),))

    def poll(
        self, account: AdsAccount, request_id: str, rows: Sequence[Conversion], *, timeout_s: float, now: datetime
    ) -> BatchAnswer:
        return self.answers(rows)

    def summaries(self, account: AdsAccount, *, timeout_s: float) -> Summaries:
        return Summaries()

    def answers(self, rows: Sequence[Conversion]) -> BatchAnswer:
        return BatchAnswer(rows=tuple(RowAnswer(upload_id=row.upload_id, verdict=Verdict.ACCEPTED) for row in rows))


def from_settings(_: Settings) -> ToyLane:
    return ToyLane()
