"""The sums of every stage (equations.py), counted or tallied, and the count that proves the tallies.

Each stage is counted in its own tables, so a lost or doubled row shows as a gap. What counts alike may still be told in two ways: a custom
event that contradicts its own conversion is a gap as well (contradictions.py).

`sums` counts; `tallied` asks the tallies, which cost the same after a year, and counts the deliveries of the last weeks only;
contradictions are there those that `check` found last.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.queries import sums as sql
from custom_events.queries import tallies
from custom_events.values.conversions import UploadState
from custom_events.values.deliveries import SITE_PAUSED, Outcome
from custom_events.watching.contradictions import OF_MATCHING, denied
from custom_events.watching.equations import Sums, gaps

DUPLICATE_DELIVERY: Final = "duplicate_delivery"
NO_REASON: Final = "unspecified"
_EXAMPLES: Final = 5  # differences named by a check
_WAITING = (UploadState.NEW, UploadState.HELD, UploadState.QUEUED, UploadState.CLAIMED, UploadState.SENT)


def sums(connection: sa.Connection, since: datetime | None = None, site_id: int | None = None) -> Sums:
    """Count every stage in one statement. Without `since`, from the oldest week whose raw events are still kept."""
    if since is None:
        week = _covered_since(connection)
        since = datetime.combine(week, time(), UTC) if week is not None else None
    asked = {"since": since, "site_id": site_id, "of_matching": OF_MATCHING}
    counts = _counts(connection, sql.SUMS, asked)
    totals = _figures(counts, since, site_id)
    return msgspec.structs.replace(totals, gaps=[*gaps(totals), *denied(connection, asked, counts)])


def tallied(connection: sa.Connection) -> Sums:
    """The same from the oldest week whose raw events are still kept, without counting. Gaps that only counting finds are those of the
    last check."""
    week = _covered_since(connection)
    counts = _counts(connection, sql.TALLIED, {"since": week})
    totals = _figures(counts, datetime.combine(week, time(), UTC) if week is not None else None, None)
    said = gaps(totals)
    remembered = [
        gap for check in checks(connection) for gap in check.gaps if gap.partition(" ")[0] not in _named(said)
    ]
    return msgspec.structs.replace(totals, gaps=[*said, *remembered])


class Reasons(msgspec.Struct, frozen=True):
    """Parked deliveries and withheld conversions, by reason."""

    parked: dict[str, int]
    withheld: dict[str, int]


def reasons(connection: sa.Connection) -> Reasons:
    """What `tallied` has of them, at a fifth of its cost where many deliveries landed in the last weeks."""
    counts = _counts(connection, sql.REASONS, {"since": _covered_since(connection)})
    return Reasons(parked=counts.get(Outcome.PARKED, {}), withheld=counts.get(UploadState.WITHHELD, {}))


class Check(msgspec.Struct, frozen=True):
    """What an exact count found, and when."""

    name: str
    checked_at: datetime
    gaps: list[str]


def checks(connection: sa.Connection) -> list[Check]:
    """The last exact counts: `sums` of every stage, `tallies` against counting."""
    return [Check(*row) for row in connection.execute(sa.text(sql.CHECKED))]


def check(connection: sa.Connection, now: datetime) -> list[Check]:
    """Count everything, lay it beside the tallies, set right what was off, and remember what was found. Reads whole tables: nightly."""
    monday = now.astimezone(UTC).date() - timedelta(days=now.astimezone(UTC).weekday())
    ended = {"until": monday - timedelta(weeks=1)}  # what landed at its end may come to be told of next week
    connection.execute(sa.text(sql.FORGET_WEEKS), ended)
    connection.execute(sa.text(sql.COUNT_WEEKS), ended)
    off = tallies.mend(connection)
    results = [
        Check("sums", now, sums(connection).gaps),
        Check(
            "tallies", now, [f"tallies: {difference}" for difference in off[:_EXAMPLES]] + _more(len(off) - _EXAMPLES)
        ),
    ]
    for result in results:
        values = {"name": result.name, "now": now, "gaps": msgspec.json.encode(result.gaps).decode()}
        connection.execute(sa.text(sql.KEEP_CHECK), values)
    return results


def _more(number: int) -> list[str]:
    return [f"tallies: {number} more"] if number > 0 else []


def _named(said: list[str]) -> set[str]:
    return {gap.partition(" ")[0] for gap in said}


def _covered_since(connection: sa.Connection) -> date | None:
    return connection.execute(sa.text(sql.COVERED_SINCE)).scalar_one_or_none()


def _counts(connection: sa.Connection, statement: str, asked: dict[str, Any]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for kind, word, count in connection.execute(sa.text(statement), asked):
        counts.setdefault(kind, {})[word or NO_REASON] = count
    return counts


def _figures(counts: dict[str, dict[str, int]], since: datetime | None, site_id: int | None) -> Sums:
    def total(*names: str) -> int:
        return sum(sum(counts.get(name, {}).values()) for name in names)

    states = {name: total(f"state {name}") for name in UploadState}
    unmatched = total("state unmatched")
    landed = total("raw", "duplicates")
    refused = total("refused") if site_id is None else total("quarantined")
    ignored = dict(counts.get(Outcome.IGNORED, {}))
    if total("duplicates"):
        ignored[DUPLICATE_DELIVERY] = total("duplicates")
    return Sums(
        since=since,
        site_id=site_id,
        received=total("received") if site_id is None else landed + refused,
        refused=refused,
        refused_by_reason=counts.get("quarantined", {}),
        landed=landed,
        to_understand=total("to_understand"),
        understood=total(Outcome.UNDERSTOOD),
        paused=counts.get(Outcome.UNDERSTOOD, {}).get(SITE_PAUSED, 0),
        parked=counts.get(Outcome.PARKED, {}),
        ignored=ignored,
        matched=total("matched"),
        withdrawn=counts.get("withdrawn", {}),
        queued=sum(states.values()) + unmatched - states[UploadState.WITHHELD],
        withheld=counts.get(f"state {UploadState.WITHHELD}", {}),
        accepted=states[UploadState.ACCEPTED],
        unmatched=unmatched,
        rejected=states[UploadState.REJECTED],
        waiting=sum(states[name] for name in _WAITING),
        expired=states[UploadState.EXPIRED],
        unknown=states[UploadState.UNKNOWN],
        contradictions=counts.get("contradiction", {}),
    )
