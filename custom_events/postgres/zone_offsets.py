"""The offsets of every time zone as a table, made from the `tzdata` package of our lock: what SQL cuts days by (decision 0018)."""

from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa
import structlog

from custom_events.values import zones

SINCE = datetime(2000, 1, 1, tzinfo=UTC)  # before that no shop had conversions to send; the first offset holds for it
UNTIL = datetime(
    2040, 1, 1, tzinfo=UTC
)  # the last offset holds from then on; releases of the database come every few months
MAKERS = 7_105_005  # key of the advisory lock: one at a time; any number that nobody else uses
EARLIEST = datetime.min.replace(tzinfo=UTC)

_TURN: Final = sa.text("SELECT pg_advisory_xact_lock(:key)")
_RELEASE: Final = sa.text("SELECT max(release) FROM app.zone_offsets")
_ALL: Final = sa.text("SELECT zone, starts_at, utc_offset FROM app.zone_offsets ORDER BY zone, starts_at")
_DELETE: Final = sa.text("DELETE FROM app.zone_offsets")
_INSERT: Final = sa.text("""
INSERT INTO app.zone_offsets (zone, starts_at, utc_offset, release)
SELECT g.zone, g.starts_at, make_interval(secs => g.seconds), :release
FROM unnest(CAST(:zones AS text[]), CAST(:starts AS timestamptz[]), CAST(:seconds AS double precision[])) AS g(zone, starts_at, seconds)
""")
# Counts by day that were made with other offsets: as stale as those of an assignment that was changed, so the next batch counts anew.
_COUNT_AGAIN: Final = sa.text("UPDATE app.threshold_counters SET made_at = 'epoch' WHERE time_zone = ANY(:zones)")

_Periods = tuple[tuple[datetime, timedelta], ...]
_AS_UTC: _Periods = ((EARLIEST, timedelta(0)),)  # what SQL takes a zone for that has no rows


def ensure(connection: sa.Connection) -> tuple[str, ...]:
    """Make the table's release that of our package, unless it has that one or a newer one; the zones whose offsets changed.

    Runs in the caller's transaction. Thresholds that were counted by days of these zones are counted again.
    """
    connection.execute(_TURN, {"key": MAKERS})
    if (release_of(connection) or "") >= zones.RELEASE:
        return ()
    new = periods()
    known: dict[str, list[tuple[datetime, timedelta]]] = {}
    for name, starts_at, offset in connection.execute(_ALL):
        known.setdefault(name, []).append((starts_at, offset))
    changed = [name for name, rows in new.items() if tuple(known.get(name, _AS_UTC)) != rows]
    rows = [(name, at, offset.total_seconds()) for name, changes in new.items() for at, offset in changes]
    names, starts, seconds = map(list, zip(*rows, strict=True))
    connection.execute(_DELETE)
    connection.execute(_INSERT, {"zones": names, "starts": starts, "seconds": seconds, "release": zones.RELEASE})
    connection.execute(_COUNT_AGAIN, {"zones": changed})
    structlog.get_logger().info("zone_offsets_made", release=zones.RELEASE, zones=len(new), changed=len(changed))
    return tuple(changed)


def release_of(connection: sa.Connection) -> str | None:
    """The release of the time zone database that the table was made from; None while it is empty."""
    return connection.execute(_RELEASE).scalar_one()


def periods() -> dict[str, _Periods]:
    """What the table holds after `ensure`: the offsets of each zone and when each begins."""
    return {
        name: tuple((period.starts_at or EARLIEST, period.utc_offset) for period in zones.periods(name, SINCE, UNTIL))
        for name in sorted(zones.names())
    }
