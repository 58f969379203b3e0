"""The sums agree, or say where they do not (design section 4, promise 6).

    received = landed + refused
    landed   = understood + parked(reason) + ignored(reason) + what waits to be understood
    matched  = queued + withheld(reason); those that were withdrawn since are among them, withheld or to be retracted
    queued   = accepted + failed + waiting + expired + unknown

Received is the receiver's own count of what it answered; landed are acknowledged deliveries, repeated ones included, which
count as ignored (duplicate_delivery). Each stage is counted in its own tables, so a lost or doubled row shows as a gap.
"""

from datetime import UTC, datetime, time
from typing import Final

import msgspec
import sqlalchemy as sa

from custom_events.queries import sums as sql
from custom_events.values.conversions import UploadState
from custom_events.values.deliveries import Outcome

DUPLICATE_DELIVERY: Final = "duplicate_delivery"
NO_REASON: Final = "unspecified"

_WAITING = (UploadState.NEW, UploadState.HELD, UploadState.QUEUED, UploadState.CLAIMED, UploadState.SENT)


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """Figures since `since` (None: all that is kept), of one site or of all. `gaps` has a sentence for each sum that is off."""

    since: datetime | None = None
    site_id: int | None = None
    received: int = 0
    refused: int = 0
    refused_by_reason: dict[str, int] = {}  # as far as they were kept
    landed: int = 0
    to_understand: int = 0
    understood: int = 0
    parked: dict[str, int] = {}
    ignored: dict[str, int] = {}
    matched: int = 0
    withdrawn: dict[str, int] = {}  # of the matched: stand no longer
    queued: int = 0
    withheld: dict[str, int] = {}
    accepted: int = 0
    failed: int = 0
    waiting: int = 0
    expired: int = 0
    unknown: int = 0
    gaps: list[str] = []

    @property
    def agree(self) -> bool:
        """Whether every sum holds."""
        return not self.gaps


def sums(connection: sa.Connection, since: datetime | None = None, site_id: int | None = None) -> Sums:
    """Count every stage in one statement. Without `since`, from the oldest week whose raw events are still kept."""
    if since is None:
        week = connection.execute(sa.text(sql.COVERED_SINCE)).scalar_one_or_none()
        since = datetime.combine(week, time(), UTC) if week is not None else None
    rows = connection.execute(sa.text(sql.SUMS), {"since": since, "site_id": site_id}).all()
    counts: dict[str, dict[str, int]] = {}
    for what, word, count in rows:
        counts.setdefault(what, {})[word or NO_REASON] = count
    found = _figures(counts, since, site_id)
    unheeded = sum(counts.get("unheeded", {}).values())
    return msgspec.structs.replace(found, gaps=[*gaps(found), *_unheeded(unheeded)])


def _figures(counts: dict[str, dict[str, int]], since: datetime | None, site_id: int | None) -> Sums:
    def total(*names: str) -> int:
        return sum(sum(counts.get(name, {}).values()) for name in names)

    states = {name: total(f"state {name}") for name in UploadState}
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
        parked=counts.get(Outcome.PARKED, {}),
        ignored=ignored,
        matched=total("matched"),
        withdrawn=counts.get("withdrawn", {}),
        queued=sum(states.values()) - states[UploadState.WITHHELD],
        withheld=counts.get(f"state {UploadState.WITHHELD}", {}),
        accepted=states[UploadState.ACCEPTED],
        failed=states[UploadState.REJECTED],
        waiting=sum(states[name] for name in _WAITING),
        expired=states[UploadState.EXPIRED],
        unknown=states[UploadState.UNKNOWN],
    )


def _unheeded(number: int) -> list[str]:
    """Conversions that Google has, or may have, of custom events that stand no longer, with nothing on its way to take them
    back, and no other custom event that they stand for now."""
    return [f"withdrawn custom events: {number} are neither withheld nor retracted"] if number else []


def gaps(found: Sums) -> list[str]:
    """A sentence for each sum that does not hold; it begins with the left side of the sum."""
    parked, ignored, withheld = (sum(words.values()) for words in (found.parked, found.ignored, found.withheld))
    checks = (
        ("received", found.received, {"landed": found.landed, "refused": found.refused}),
        (
            "landed",
            found.landed,
            {
                "understood": found.understood,
                "parked": parked,
                "ignored": ignored,
                "waiting to be understood": found.to_understand,
            },
        ),
        ("matched", found.matched, {"queued": found.queued, "withheld": withheld}),
        (
            "queued",
            found.queued,
            {
                "accepted": found.accepted,
                "failed": found.failed,
                "waiting": found.waiting,
                "expired": found.expired,
                "unknown": found.unknown,
            },
        ),
    )
    return [
        f"{name} {left} is {left - sum(parts.values()):+d} away from "
        + " + ".join(f"{part} {count}" for part, count in parts.items())
        for name, left, parts in checks
        if left != sum(parts.values())
    ]
