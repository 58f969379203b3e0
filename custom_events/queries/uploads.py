"""The ledger's statements on `conversion_uploads`: claim, settle, recover, expire. Set-based: one statement for a batch.

Every change of rows that were sent names the request it answers: a worker whose lease ran out, and whose rows another one has
taken since, changes nothing.
"""

from collections.abc import Mapping
from typing import Any, Final

import psycopg
import sqlalchemy as sa

# The columns from which a row of a request is made, and those that decide how its answer is read. Its action's own are not among
# them: they are the same for all of them. The value is text, which is read in half the time of a number.
CLAIMED_COLUMNS = """u.id, u.created_at, u.kind, u.transaction_id, u.conversion_at, u.adjusted_at, CAST(u.value AS text), u.currency,
  u.click_kind, CASE WHEN u.click_dropped IS NULL THEN u.click_id END, u.clicked_at, u.email_sha256, u.phone_sha256, u.ad_user_data, u.ad_personalization,
  u.attempts, u.reason, u.ads_action_id, u.new_customer, u.environment, CAST(u.cart AS text)"""

# What may be claimed now. A row whose last call had no answer is asked about even after its deadline: it may be delivered.
WAITS: Final = "u.waits"
# 1: queued more than a day after it happened, by a replay or an import; it must not crowd out the conversions of today (0). A
# number, because the planner turns the negation of a comparison into another one, which the index does not know.
PAST: Final = "((u.created_at - u.conversion_at) > '1 day'::interval)::integer"
TIME_HAS_COME: Final = "u.not_before <= :now AND (u.deadline_at > :now OR u.reason = 'no_answer')"
DUE: Final = f"""{WAITS} AND {TIME_HAS_COME}
    AND NOT EXISTS (SELECT FROM app.ads_actions x WHERE x.id = u.ads_action_id AND x.parked_reason IS NOT NULL)"""

# An adjustment goes after its original was accepted, and after every earlier adjustment is settled. The keys find them.
IN_ORDER: Final = """EXISTS (SELECT FROM app.upload_keys k JOIN app.conversion_uploads o ON o.created_at = k.created_at AND o.id = k.upload_id
      WHERE k.ads_action_id = u.ads_action_id AND k.transaction_id = u.transaction_id AND k.sequence = 0
      AND o.custom_event_id = u.custom_event_id AND o.state = 'accepted')
    AND NOT EXISTS (SELECT FROM app.upload_keys k JOIN app.conversion_uploads o ON o.created_at = k.created_at AND o.id = k.upload_id
      WHERE k.ads_action_id = u.ads_action_id AND k.transaction_id = u.transaction_id AND k.sequence BETWEEN 1 AND u.sequence - 1
      AND o.custom_event_id = u.custom_event_id AND o.state NOT IN ('accepted', 'rejected', 'expired', 'withheld'))"""


def _claim(condition: str, order: str) -> str:
    """In psycopg's own spelling, as claims bypass SQLAlchemy. The parked actions come as an array: a subquery would hide
    from the planner that the index gives the rows in order, and every batch would sort the whole backlog. Locked rows stay where
    they are and are found by their place; one that somebody changed since the statement began is left until the next claim."""
    return f"""
WITH picked AS MATERIALIZED (
  SELECT u.created_at, u.ctid AS place FROM app.conversion_uploads u
  WHERE u.ads_account_id = %(account)s AND {WAITS} AND {TIME_HAS_COME.replace(":now", "%(now)s")}
    AND u.ads_action_id <> ALL(%(parked)s::bigint[]) AND {condition}
  ORDER BY {order} LIMIT %(rows)s FOR UPDATE OF u SKIP LOCKED)
UPDATE app.conversion_uploads u
SET state = 'claimed', lease_until = %(lease_until)s, attempts = u.attempts + 1, request_id = %(request)s, updated_at = %(now)s
FROM picked p
WHERE u.created_at = p.created_at AND u.ctid = p.place
RETURNING {CLAIMED_COLUMNS}
"""


# Conversions of one account, nearest deadline first; rows locked by another worker are left to it.
CLAIM_CONVERSIONS: Final = _claim(
    f"u.kind = 'conversion' AND u.reason IS DISTINCT FROM 'split' AND {PAST} = 0", "u.deadline_at"
)

# The same for those that happened long before they were queued.
CLAIM_HISTORY: Final = _claim(
    f"u.kind = 'conversion' AND u.reason IS DISTINCT FROM 'split' AND {PAST} = 1", "u.deadline_at"
)

# Adjustments of one account whose turn it is.
CLAIM_ADJUSTMENTS: Final = _claim(
    f"u.kind <> 'conversion' AND u.reason IS DISTINCT FROM 'split' AND {IN_ORDER}", "u.deadline_at"
)

# A part of an earlier request that was refused, or failed in part, without a row being named.
CLAIM_PART: Final = _claim("u.reason = 'split' AND u.request_id = %(earlier)s", "u.id")

_SETTLE_REST = """
UPDATE app.conversion_uploads u
SET state = :state, reason = :reason, sentence = :sentence, lease_until = NULL, updated_at = :now,
  not_before = coalesce(CAST(:not_before AS timestamptz), u.not_before),
  settled_at = CASE WHEN :state IN ('accepted', 'rejected', 'expired', 'withheld') THEN CAST(:now AS timestamptz) END
WHERE u.request_id = :request AND u.state IN ('claimed', 'unknown', 'sent')
  AND u.state = ANY(CAST(:standing AS text[])) AND u.id <> ALL(CAST(:others AS bigint[]))
"""

# The answer that most rows of a request share, told to all of it but `others`: no row has to be named. The request keeps it.
SETTLE_SHARED: Final = sa.text(_SETTLE_REST)

# The same, when it is more than "accepted" or "pending", or comes later: each row has its attempt.
SETTLE_REST: Final = sa.text(f"""
WITH settled AS ({_SETTLE_REST} RETURNING u.id)
INSERT INTO app.upload_attempts (at, upload_id, request_id, verdict, code, sentence)
SELECT :now, id, :request, :verdict, :code, :sentence FROM settled
""")

# What was answered about rows that somebody else has taken since: it changes nothing, and is kept.
ATTEMPTED: Final = sa.text("""
INSERT INTO app.upload_attempts (at, upload_id, request_id, verdict, code, sentence)
SELECT :now, id, :request, :verdict, :code, :sentence FROM unnest(CAST(:ids AS bigint[])) AS g(id)
ON CONFLICT DO NOTHING
""")

# The other answers, row by row; `attempted` keeps them in the history as well.
_SETTLE = """
WITH given AS MATERIALIZED (
  SELECT * FROM unnest(CAST(:created_at AS timestamptz[]), CAST(:id AS bigint[]), CAST(:state AS text[]),
    CAST(:reason AS text[]), CAST(:sentence AS text[]), CAST(:not_before AS timestamptz[]), CAST(:verdict AS text[]),
    CAST(:code AS text[])) AS g(created_at, id, state, reason, sentence, not_before, verdict, code)){attempted}
UPDATE app.conversion_uploads u
SET state = g.state, reason = g.reason, sentence = g.sentence, lease_until = NULL, updated_at = :now,
  not_before = coalesce(g.not_before, u.not_before), attempts = u.attempts - :never_sent,
  settled_at = CASE WHEN g.state IN ('accepted', 'rejected', 'expired', 'withheld') THEN CAST(:now AS timestamptz) END
FROM given g
WHERE u.created_at = g.created_at AND u.id = g.id AND u.request_id = :request AND u.state IN ('claimed', 'unknown', 'sent')
"""
SETTLE: Final = sa.text(
    _SETTLE.format(
        attempted=""",
attempted AS (
  INSERT INTO app.upload_attempts (at, upload_id, request_id, verdict, code, sentence)
  SELECT :now, id, :request, verdict, code, sentence FROM given)"""
    )
)

# What our own checks found before the call: no attempt was made.
SETTLE_UNSENT: Final = sa.text(_SETTLE.format(attempted=""))

# Rows that could not even be read: only their ids are known. One that an earlier call may have delivered stays unknown; the answer
# to this request is none to it, so it is no longer named by it.
HOLD_UNREADABLE: Final = sa.text("""
UPDATE app.conversion_uploads u
SET state = CASE WHEN u.reason = 'no_answer' THEN 'unknown' ELSE 'held' END,
  reason = CASE WHEN u.reason = 'no_answer' THEN u.reason ELSE :reason END,
  sentence = g.sentence, lease_until = NULL, not_before = :not_before, attempts = u.attempts - 1, request_id = NULL,
  updated_at = :now
FROM unnest(CAST(:ids AS bigint[]), CAST(:sentences AS text[])) AS g(id, sentence)
WHERE u.request_id = :request AND u.id = g.id AND u.state = 'claimed'
""")

# Rows whose click id is of no use: it stays where it is, as evidence, and is not sent. Hashed user data has its own limit.
DROP_CLICKS: Final = sa.text("""
UPDATE app.conversion_uploads u
SET click_dropped = g.sentence, deadline_at = least(u.deadline_at, u.conversion_at + CAST(:user_data AS interval))
FROM unnest(CAST(:created_at AS timestamptz[]), CAST(:id AS bigint[]), CAST(:sentence AS text[])) AS g(created_at, id, sentence)
WHERE u.created_at = g.created_at AND u.id = g.id AND u.request_id = :request AND u.state = 'queued'
""")

# The rows of a request that Google took for processing, to be settled by its later verdict.
PENDING_ROWS: Final = sa.text("""
SELECT u.id, u.created_at, u.kind, u.transaction_id, u.conversion_at, u.adjusted_at, u.clicked_at, u.click_kind, u.click_id,
  u.attempts, u.reason, u.ads_action_id, a.action_id, a.action_created_at, u.email_sha256, u.phone_sha256, u.ad_user_data
FROM app.conversion_uploads u JOIN app.ads_actions a ON a.id = u.ads_action_id
WHERE u.request_id = :request AND u.state = 'sent' AND u.created_at BETWEEN :earliest AND :now
""")

# Claimed rows whose worker is gone: the call may have been made, so what became of them is not known.
RECOVER: Final = sa.text("""
UPDATE app.conversion_uploads u
SET state = 'unknown', reason = 'no_answer', lease_until = NULL, not_before = :now, updated_at = :now,
  sentence = 'The worker that was sending it went away; it is sent again under the same order id'
WHERE u.request_id = ANY(ARRAY(SELECT r.id FROM app.upload_requests r WHERE r.outcome IS NULL))
  AND u.state = 'claimed' AND u.lease_until < :now
RETURNING u.request_id
""")

# Rows that Google would no longer take, except those that it may have taken already.
EXPIRE: Final = sa.text(f"""
UPDATE app.conversion_uploads u
SET state = 'expired', settled_at = :now, updated_at = :now, lease_until = NULL,
  reason = coalesce(u.reason, 'deadline_passed'),
  sentence = 'Google took it until ' || to_char(u.deadline_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC'
    || coalesce('; it waited because: ' || u.sentence, '')
WHERE {WAITS} AND u.state <> 'unknown' AND u.deadline_at <= :now AND u.reason IS DISTINCT FROM 'no_answer'
  AND u.ads_account_id IN (SELECT id FROM app.ads_accounts)
  AND {PAST} IN (0, 1)
""")

# Adjustments whose original will never be at Google.
WITHHOLD_ORPHANS: Final = sa.text("""
UPDATE app.conversion_uploads u
SET state = 'withheld', reason = 'original_not_sent', settled_at = :now, updated_at = :now,
  sentence = 'Its conversion was not accepted by Google, so there is nothing to adjust'
FROM app.conversion_uploads o, app.upload_keys k
WHERE u.kind <> 'conversion' AND u.waits AND u.state <> 'unknown'
  AND u.ads_account_id IN (SELECT id FROM app.ads_accounts)
  AND k.ads_action_id = u.ads_action_id AND k.transaction_id = u.transaction_id AND k.sequence = 0
  AND o.created_at = k.created_at AND o.id = k.upload_id AND o.custom_event_id = u.custom_event_id
  AND o.state IN ('rejected', 'expired', 'withheld')
""")


class Columns:
    """Rows turned into arrays for `unnest`: one parameter per column, whatever the number of rows."""

    def __init__(self, *names: str) -> None:
        self.arrays: dict[str, list[Any]] = {name: [] for name in names}

    def add(self, **values: Any) -> None:
        """One row; every column must be given."""
        for name, array in self.arrays.items():
            array.append(values[name])

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))


def settlements() -> Columns:
    """Arrays for SETTLE and SETTLE_UNSENT."""
    return Columns("created_at", "id", "state", "reason", "sentence", "not_before", "verdict", "code")


Rows = psycopg.Cursor[tuple[Any, ...]]


def claim(connection: sa.Connection, statement: str, values: Mapping[str, Any]) -> Rows:
    """Claim rows; see the three statements above. `rowcount` says how many, `fetchall` reads them, in no order: they are all here, so
    that it needs the connection no more, and another thread may read them while this one goes on.

    Asked for in PostgreSQL's binary format: of 2,000 rows, reading the text of four times and a number each is what costs.
    """
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # pyright: ignore[reportAssignmentType]
    return driver.cursor(binary=True).execute(statement.encode(), values)
