"""What every way to an ad platform can do. The ledger knows lanes by this protocol only."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from custom_events.destinations.findings import Findings
from custom_events.settings import Settings
from custom_events.values.conversions import (
    AdsAccount,
    BatchAnswer,
    Conversion,
    Lane,
    RequestKind,
    RowAnswer,
)
from custom_events.values.summaries import Summaries


class Calls(msgspec.Struct, frozen=True, kw_only=True):
    """How many calls a Cloud project, or whoever is counted by the platform, may make. `per_day` None: any number."""

    per_minute: int
    per_day: int | None = None


class LaneTraits(msgspec.Struct, frozen=True, kw_only=True):
    """One lane."""

    lane: Lane
    restates_retracted: bool  # a conversion that was retracted can be given a value again
    adjusts_with_click: bool  # an adjustment goes with its click, whose age bounds it as well
    keeps_summaries: (
        bool  # the platform sums up what it was sent, for `Destination.summaries`; else counts come with verdicts
    )
    quota_page: str  # where an operator reads what may be called
    project_calls: Callable[[Settings], Calls]


class Destination(Protocol):
    """One lane. It never raises for what the platform or the network says: every outcome is an answer.

    Raises `NeedsAction` only when it cannot even begin: no credentials, no endpoint.
    """

    def validate(self, row: Conversion, now: datetime) -> RowAnswer | None:
        """Why the row cannot go (WITHHELD, HOLD or EXPIRED), by its own content alone; None: it can. Pure."""
        ...

    def carries_user_data(self, row: Conversion) -> bool:
        """Whether hashed e-mail or phone goes with the row: what a refusal about user data concerns. Pure."""
        ...

    def prepare(self, account: AdsAccount, rows: Sequence[Conversion], *, kind: RequestKind, job_id: int) -> object:
        """The message that `send` makes of these rows, made beforehand: while an earlier one is under way. Asks nobody."""
        ...

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
        """One call with up to 2,000 rows of one account; an answer for each row, in their order. No retries in here.

        `job_id` (1 to 2^31 - 1) is ours and joins Google's summaries; `timeout_s` is the call's deadline; `prepared` is what
        `prepare` made of the same rows, if it was asked.
        """
        ...

    def rehearse(self, account: AdsAccount, row: Conversion, *, timeout_s: float, now: datetime) -> BatchAnswer:
        """One conversion or adjustment validated by the platform and not stored: what would be said of it. The answer has one row."""
        ...

    def probe(self, account: AdsAccount, action_ids: Sequence[str], *, timeout_s: float, now: datetime) -> Findings:
        """What the account and these conversion actions allow, found out without effect."""
        ...

    def poll(
        self, account: AdsAccount, request_id: str, rows: Sequence[Conversion], *, timeout_s: float, now: datetime
    ) -> BatchAnswer:
        """The verdict on an earlier request whose `rows` were answered PENDING; its own verdict is PENDING: ask again."""
        ...

    def summaries(self, account: AdsAccount, *, timeout_s: float) -> Summaries:
        """What the platform says it made of the account's uploads of late; empty where it keeps no such summaries.

        Raises Transient or NeedsAction when it cannot be read: no row is concerned, so there is no answer to give.
        """
        ...
