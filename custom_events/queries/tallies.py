"""How many rows there are of what, without counting them (app.tallies, migration 0024).

Triggers add what each statement did to `app.tally_changes`; commerce events are added by the batch itself, and what answers do to the ledger
by who writes them (settled_tallies.py). Nothing but inserts, so that no transaction waits for another; `fold` adds them up. What is tallied, with the parts of its key that it uses:

    uploads                      week, kind, state, reason    the ledger by week of created_at
    uploads_of_account           subject, kind, state, reason the ledger by ads account; `sentence` is one row's
    uploads_without_click        kind, state                  conversions that go with hashes alone
    custom_events                week, state, reason          stands or withdrawn, by week of created_at
    custom_events_of_assignment  subject
    raw_outcomes                 week, state, reason          by landed_week
    commerce_events              state                        by type
    unnamed                      reason                       what Google counted without naming rows
    raw_events, duplicate_deliveries  week                     deliveries of weeks that have ended, counted once (queries/sums.py)

A row of the ledger that may still be claimed is `open`, whatever its state: which, and why, the index of what waits says (`WAITING`).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

import sqlalchemy as sa

from custom_events.queries.understanding import given

OPEN: Final = "open"
TABLES: Final = ("conversion_uploads", "custom_events", "raw_outcomes", "commerce_events", "upload_requests")
FOLDERS: Final = 7_105_005  # key of the advisory lock; any number that nobody else uses

_KEY: Final = "what, week, subject, kind, state, reason"
_ASKED: Final = "week >= CAST(:since AS date) AND (CAST(:subject AS bigint) IS NULL OR subject = :subject)"

# Sums of tallies and what was added since, of these kinds, from a week on, of one subject or (null) of all.
READ: Final = sa.text(f"""
SELECT {_KEY}, CAST(sum(count) AS bigint) AS count, max(sentence) AS sentence FROM (
  SELECT {_KEY}, count, sentence FROM app.tallies WHERE what = ANY(CAST(:what AS text[])) AND {_ASKED}
  UNION ALL
  SELECT {_KEY}, change, sentence FROM app.tally_changes WHERE what = ANY(CAST(:what AS text[])) AND {_ASKED}) t
GROUP BY {_KEY} HAVING sum(count) <> 0
""")

# The first week in which something of the ledger is open or sent; null: nothing is.
OPEN_SINCE: Final = sa.text("""
SELECT min(week) FROM (
  SELECT week, sum(count) AS rows FROM (
    SELECT week, count FROM app.tallies WHERE what = 'uploads' AND state IN ('open', 'sent')
    UNION ALL SELECT week, change FROM app.tally_changes WHERE what = 'uploads' AND state IN ('open', 'sent')) t
  GROUP BY week HAVING sum(count) <> 0) w
""")

# One at a time.
TAKE_TURN: Final = sa.text("SELECT pg_try_advisory_xact_lock(:key)")

# Add up what was added since. What is added meanwhile is for the next one.
FOLD: Final = sa.text(f"""
WITH gone AS (DELETE FROM app.tally_changes RETURNING *)
INSERT INTO app.tallies AS t ({_KEY}, count, sentence)
SELECT {_KEY}, sum(change), max(sentence) FROM gone GROUP BY {_KEY} HAVING sum(change) <> 0
ON CONFLICT ({_KEY}) DO UPDATE SET count = t.count + excluded.count, sentence = coalesce(t.sentence, excluded.sentence)
""")

# Keys of which there is nothing any more.
FORGET_NOTHING: Final = sa.text("DELETE FROM app.tallies WHERE count = 0")

# Where counting one table differs from its tallies, and by how much: in one statement, and so of one moment.
DIFFERENCES: Final = sa.text(f"""
SELECT {_KEY}, CAST(sum(counted) AS bigint) AS counted, CAST(sum(tallied) AS bigint) AS tallied, max(sentence) AS sentence FROM (
  SELECT {_KEY}, change AS counted, 0 AS tallied, sentence FROM app.count_tallies(:of_table, CAST(:relation AS regclass))
  UNION ALL
  SELECT {_KEY}, 0, count, NULL FROM app.tallies WHERE what = ANY(CAST(:what AS text[]))
  UNION ALL
  SELECT {_KEY}, 0, change, NULL FROM app.tally_changes WHERE what = ANY(CAST(:what AS text[]))) t
GROUP BY {_KEY} HAVING sum(counted) <> sum(tallied)
ORDER BY {_KEY}
""")
_MEND: Final = sa.text(f"""
INSERT INTO app.tally_changes ({_KEY}, change, sentence)
VALUES (:what, :week, :subject, :kind, :state, :reason, :change, :sentence)
""")

# What a table's rows are counted as.
WHAT: Final[Mapping[str, Sequence[str]]] = {
    "conversion_uploads": ("uploads", "uploads_of_account", "uploads_without_click"),
    "custom_events": ("custom_events", "custom_events_of_assignment"),
    "raw_outcomes": ("raw_outcomes",),
    "commerce_events": ("commerce_events",),
    "upload_requests": ("unnamed",),
}

# asyncpg, positional: new commerce events of a batch, by type.
ADD_COMMERCE_EVENTS: Final = f"""
INSERT INTO app.tally_changes ({_KEY}, change)
SELECT 'commerce_events', '1970-01-01', 0, '', c.type, '', c.rows FROM {given("type text", "rows bigint")}
"""

NO_WEEK: Final = date(1970, 1, 1)


class Tally(NamedTuple):
    """How many rows have one key. `sentence`: what one of them says of its reason."""

    what: str
    week: date
    subject: int
    kind: str
    state: str
    reason: str
    rows: int
    sentence: str | None


class Difference(NamedTuple):
    """Where counting and a tally differ."""

    what: str
    week: date
    subject: int
    kind: str
    state: str
    reason: str
    counted: int
    tallied: int
    sentence: str | None

    def __str__(self) -> str:
        parts = (
            self.kind,
            self.state,
            self.reason,
            str(self.subject or ""),
            str(self.week) if self.week > NO_WEEK else "",
        )
        named = " ".join(part for part in parts if part)
        return f"{self.what} ({named}): {self.counted} are there, {self.tallied} were tallied"


def read(connection: sa.Connection, *what: str, since: date = NO_WEEK, subject: int | None = None) -> list[Tally]:
    """The tallies of these kinds, from a week on, of one subject or of all."""
    values = {"what": list(what), "since": since, "subject": subject}
    return [Tally(*row) for row in connection.execute(READ, values)]


def fold(connection: sa.Connection) -> bool:
    """Add up what was added since the last time; False: somebody else does it just now."""
    if not connection.execute(TAKE_TURN, {"key": FOLDERS}).scalar_one():
        return False
    connection.execute(FOLD)
    return True


def differences(connection: sa.Connection) -> list[Difference]:
    """Where tallies differ from counting. Reads whole tables."""
    return [difference for table in TABLES for difference in _of_table(connection, table)]


def mend(connection: sa.Connection) -> list[Difference]:
    """The same, and what was off is added: correct whatever is written meanwhile, since that is added on its own."""
    wrong = differences(connection)
    if wrong:
        connection.execute(
            _MEND, [{**difference._asdict(), "change": difference.counted - difference.tallied} for difference in wrong]
        )
    connection.execute(FORGET_NOTHING)
    return wrong


def _of_table(connection: sa.Connection, table: str) -> list[Difference]:
    values = {"of_table": table, "relation": f"app.{table}", "what": list(WHAT[table])}
    return [Difference(*row) for row in connection.execute(DIFFERENCES, values)]
