"""What answers do to the ledger's tallies, added by the transaction that writes them: it knows its rows, and a trigger would keep or look at
each of them once more (migration 0030)."""

from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

import sqlalchemy as sa

from custom_events.queries.tallies import NO_WEEK, OPEN
from custom_events.values.conversions import UploadKind, UploadState

_SETTLED: Final = frozenset({UploadState.ACCEPTED, UploadState.REJECTED, UploadState.EXPIRED, UploadState.WITHHELD})

# Whether the ledger's trigger leaves rows to the statement that changes them.
_BY_WRITER: Final = sa.text("SELECT set_config('custom_events.tallied', :on, true)")

_ADD: Final = sa.text("""
INSERT INTO app.tally_changes (what, week, subject, kind, state, reason, change, sentence)
SELECT * FROM unnest(CAST(:what AS text[]), CAST(:week AS date[]), CAST(:subject AS bigint[]), CAST(:kind AS text[]), CAST(:state AS text[]),
  CAST(:reason AS text[]), CAST(:change AS bigint[]), CAST(:sentence AS text[]))
""")

# The rows of a request that this transaction has changed: where another worker has taken some of them, nobody else knows which.
CHANGED: Final = sa.text("""
SELECT u.created_at, u.kind, u.click_dropped IS NOT NULL AS dropped, u.state, u.reason, u.sentence
FROM app.conversion_uploads u WHERE u.request_id = :request AND u.xmin = CAST(pg_current_xact_id() AS xid)
""")


class Settled(NamedTuple):
    """A row as an answer left it. `dropped`: it goes without its click id."""

    made_at: datetime
    kind: str
    dropped: bool
    state: str
    reason: str | None
    sentence: str | None


@contextmanager
def counted_by_writer(connection: sa.Connection) -> Generator[None]:
    """Statements within change rows of the ledger that `add` counts; its trigger leaves them alone."""
    connection.execute(_BY_WRITER, {"on": "on"})
    yield
    connection.execute(_BY_WRITER, {"on": "off"})


def changed(connection: sa.Connection, request_id: int) -> Counter[Settled]:
    """The rows of a request that this transaction has changed."""
    return Counter(Settled(*row) for row in connection.execute(CHANGED, {"request": request_id}))


def add(connection: sa.Connection, account_id: int, was: str, rows: Mapping[Settled, int]) -> None:
    """Count rows of an account that an answer has moved from one state of the tallies, `open` or `sent`."""
    columns: dict[str, list[object]] = {
        name: [] for name in ("what", "week", "subject", "kind", "state", "reason", "change", "sentence")
    }
    for row, number in rows.items():
        is_settled = row.state in _SETTLED
        state = row.state if is_settled or row.state == UploadState.SENT else OPEN
        reason = (row.reason or "") if is_settled else ""
        if state == was:
            continue
        for what, week, subject in _keys(row, account_id):
            says_why = reason if what != "uploads_without_click" else ""
            sentence = row.sentence if what == "uploads_of_account" and reason else None
            for value in ((was, "", -number, None), (state, says_why, number, sentence)):
                for name, part in zip(columns, (what, week, subject, row.kind, *value), strict=True):
                    columns[name].append(part)
    if columns["what"]:
        connection.execute(_ADD, columns)


def _keys(row: Settled, account_id: int) -> list[tuple[str, date, int]]:
    made_on = row.made_at.astimezone(UTC).date()
    keys = [
        ("uploads", made_on - timedelta(days=made_on.weekday()), 0),
        ("uploads_of_account", NO_WEEK, account_id),
    ]
    if row.dropped and row.kind == UploadKind.CONVERSION:
        keys.append(("uploads_without_click", NO_WEEK, 0))
    return keys
