"""What a comparison finds: a verdict about one occurrence, with what it is about."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from custom_events.conditions.facts import Facts
from custom_events.matching.match import History, Match
from custom_events.matching.money import rounded
from custom_events.pipeline.bulk_rows import Connection, columns_of
from custom_events.pipeline.matching import SiteEvent
from custom_events.queries import history as sql
from custom_events.values.definitions import Assignment


class Verdict(StrEnum):
    """What the rules asked about make of one occurrence."""

    ADD = "would_add"
    DROP = "would_drop"
    CHANGE = "would_change"
    SAME = "unchanged"


class StandingEvent(NamedTuple):
    """A custom event that is there and was not withdrawn."""

    assignment_id: int
    custom_event_id: int
    occurred_at: datetime
    dedup_key: str
    value: Decimal | None
    currency: str | None
    withheld_reason: str | None
    created_at: datetime
    order_id: str | None
    upload_id: int | None


class Finding(NamedTuple):
    """One verdict, with the event, what was known about it, the match (not of a drop) and the custom event (not of an add)."""

    verdict: Verdict
    assignment: Assignment
    site_event: SiteEvent
    facts: Facts
    history: History
    match: Match | None
    standing: StandingEvent | None

    @property
    def needs_writing(self) -> bool:
        """Whether the custom event differs, in its deduplication key alone perhaps: by it later events are judged."""
        if self.verdict is not Verdict.SAME or self.match is None or self.standing is None:
            return self.verdict is not Verdict.SAME
        return self.match.dedup_key != self.standing.dedup_key

    @property
    def has_same_value(self) -> bool:
        """Whether both are there and are worth the same."""
        made, own = self.match, self.standing
        return made is not None and own is not None and (own.value, own.currency) == (made.value, made.currency)


async def ledger_rows(connection: Connection, findings: Sequence[Finding]) -> Mapping[int, list[Mapping[str, Any]]]:
    """The ledger's rows of what stands, by custom event, the conversion first."""
    asked = [
        (own.custom_event_id, own.created_at, own.upload_id)
        for finding in findings
        if (own := finding.standing) is not None
    ]
    rows: dict[int, list[Mapping[str, Any]]] = {}
    if asked:
        for row in await connection.fetch(sql.LEDGER, *columns_of(asked)):
            rows.setdefault(row["custom_event_id"], []).append(dict(row))
    return rows


def standing_of(assignment_id: int, custom_event_id: int, occurred_at: datetime, dedup_key: str, value: Decimal | None,
              currency: str | None, *rest: Any) -> StandingEvent:  # fmt: skip
    """A row of STANDING; the value in its currency's minor units, as rules make it."""
    exact = None if value is None else rounded(value, currency)
    return StandingEvent(assignment_id, custom_event_id, occurred_at, dedup_key, exact, currency, *rest)
