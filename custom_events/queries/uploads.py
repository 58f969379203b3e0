"""The ledger's statements on `conversion_uploads`: claim, settle, recover, expire. Set-based: one statement for a batch.

Every change of rows that were sent names the request it answers: a worker whose lease ran out, and whose rows another one has
taken since, changes nothing.
"""

from collections.abc import Mapping
from typing import Any, Final

import psycopg
import sqlalchemy as sa

from custom_events.queries.places import rows_of
from custom_events.tables.key_places import is_transaction
from custom_events.values import reasons
from custom_events.values.conversions import UNMATCHED_REASONS

# The columns from which a row of a request is made, and those that decide how its answer is read. Its action's own are not among
# them: they are the same for all of them. The value is text, which is read in half the time of a number.
CLAIMED_COLUMNS = """u.id, u.created_at, u.kind, u.transaction_id, u.conversion_at, u.adjusted_at, CAST(u.value AS text), u.currency,
  u.click_kind, CASE WHEN u.click_dropped IS NULL THEN u.click_id END, u.clicked_at, u.email_sha256, u.phone_sha256, u.ad_user_data, u.ad_personalization,
  u.attempts, u.reason, u.ads_action_id, u.new_customer, u.environment, CAST(u.cart AS text),
  u.other_clicks IS NOT NULL, u.click_dropped IS NOT NULL"""

_TOOK_IT_UNTIL: Final = reasons.EXPIRED[reasons.DEADLINE_PASSED].format(until="")

# What may be claimed now. A row whose last call had no answer is asked about even after its deadline: it may be delivered.
IS_CLAIMABLE: Final = "u.waits"
# 1: queued more than a day after it happened, by a replay or an import; it must not crowd out the conversions of today (0). A
# number, because the planner turns the negation of a comparison into another one, which the index does not know.
IS_BACKFILL: Final = "((u.created_at - u.conversion_at) > '1 day'::interval)::integer"
IS_DUE: Final = "u.not_before <= :now AND (u.deadline_at > :now OR u.reason = 'no_answer')"
IS_READY: Final = f"""{IS_CLAIMABLE} AND {IS_DUE}
    AND NOT EXISTS (SELECT FROM app.ads_actions x WHERE x.id = u.ads_action_id AND x.parked_reason IS NOT NULL)"""


def lane_of(row: str) -> str:
    """The API that carried a row's last call, as a scalar subquery: one probe, and only where it is asked for."""
    return f"(SELECT r.lane FROM app.upload_requests r WHERE r.id = {row}.request_id)"


def goes_by(lane: str, own: str) -> str:
    """Rows that go by this API: what may have come to Google by one goes there again, as only that one is known to read the same
    order id as the same conversion (decision 7); nearly all rows go by the one that their account uses today (`own`)."""
    return f"coalesce(u.unsettled_lane, {own}) = {lane}"


# Nothing came of a conversion: Google has no such click.
UNMATCHED: Final = (
    f"({{row}}.state IN ('accepted', 'rejected') AND {{row}}.reason IN ({', '.join(map(repr, UNMATCHED_REASONS))}))"
)


# What people see of a row: its state, except that a conversion without a click at Google is none that Google has.
OUTCOME: Final = f"CASE WHEN {UNMATCHED.format(row='u')} THEN 'unmatched' ELSE u.state END"


def in_order(lane: str, made: str = "") -> str:
    """An adjustment goes to the API that carried its original, after that was accepted and came to something, and after every
    earlier adjustment is settled. The keys find them. `made`: when these (`o`) were made, so that other partitions are left alone."""
    return f"""EXISTS (SELECT FROM app.upload_keys k JOIN app.conversion_uploads o ON o.created_at = k.created_at AND o.id = k.upload_id {made}
      WHERE {is_transaction("k", "u")} AND k.sequence = 0
      AND o.custom_event_id = u.custom_event_id AND o.state = 'accepted' AND {UNMATCHED.format(row="o")} IS NOT TRUE
      AND coalesce({lane_of("o")}, {lane}) = {lane})
    AND NOT EXISTS (SELECT FROM app.upload_keys k JOIN app.conversion_uploads o ON o.created_at = k.created_at AND o.id = k.upload_id {made}
      WHERE {is_transaction("k", "u")} AND k.sequence BETWEEN 1 AND u.sequence - 1
      AND o.custom_event_id = u.custom_event_id AND o.state NOT IN ('accepted', 'rejected', 'expired', 'withheld'))"""


# A conversion that nobody has claimed yet says itself what its order's consent is: it was made with it, and the batch that learns
# something else writes it into the rows that wait (pipeline/late_consents.py). One that was claimed may have missed that, as may one
# that somebody held, so they are asked about. Which of them, a claim of thousands of new rows says without looking anything up.
_MAY_HAVE_MISSED: Final = "(u.request_id IS NOT NULL OR u.reason IS NOT NULL)"


def _consent(column: str, row: str, asks: str) -> str:
    """What the row says, and what is kept of its order where bodies of it differ: a refusal, else a yes (values/clicks.py)."""
    return f"""CASE WHEN {asks} THEN coalesce((
      SELECT CASE WHEN 'denied' IN ({row}.{column}, s.{column}) THEN 'denied'
        WHEN 'granted' IN ({row}.{column}, s.{column}) THEN 'granted' ELSE 'unknown' END
      FROM app.order_consents s WHERE s.site_id = u.site_id AND s.order_id = u.order_id), {row}.{column})
    ELSE {row}.{column} END"""


# An adjustment goes with what its conversion went with: Google knows it by that. Here is the conversion of the rows `p`.
_CONVERSION = f"""CROSS JOIN LATERAL (
    SELECT v.* FROM app.upload_keys k JOIN app.conversion_uploads v ON v.created_at = k.created_at AND v.id = k.upload_id
    WHERE {is_transaction("k", "p")} AND k.sequence = 0
      AND v.custom_event_id = p.custom_event_id LIMIT 1) o"""
_OF_CONVERSION = """click_kind = o.click_kind, click_id = o.click_id, clicked_at = o.clicked_at, click_dropped = o.click_dropped,
  email_sha256 = o.email_sha256, phone_sha256 = o.phone_sha256, new_customer = o.new_customer, environment = o.environment,
  """


def _claim(condition: str, order: str, *, adjusts: bool = False) -> str:
    """In psycopg's own spelling, as claims bypass SQLAlchemy. The parked actions come as an array: a subquery would hide
    from the planner that the index gives the rows in order, and every batch would sort the whole backlog. Locked rows stay where
    they are and are found by their place; one that somebody changed since the statement began is left until the next claim.

    Consent is checked here: a row carries what is known of it now. `adjusts`: the rows are adjustments."""
    columns, conversion, copied, source, asks = "", "", "", "u", _MAY_HAVE_MISSED
    if adjusts:
        columns, conversion, copied = (
            ", u.ads_action_id, u.transaction_id, u.custom_event_id",
            _CONVERSION,
            _OF_CONVERSION,
        )
        source, asks = "o", "true"
    return f"""
WITH picked AS MATERIALIZED (
  SELECT u.created_at, u.ctid AS place{columns} FROM app.conversion_uploads u
  WHERE u.ads_account_id = %(account)s AND {IS_CLAIMABLE} AND {IS_DUE.replace(":now", "%(now)s")}
    AND u.ads_action_id <> ALL(%(parked)s::bigint[]) AND {condition}
  ORDER BY {order} LIMIT %(rows)s FOR UPDATE OF u SKIP LOCKED)
UPDATE app.conversion_uploads u
SET state = 'claimed', lease_until = %(lease_until)s, attempts = u.attempts + 1, request_id = %(request)s, updated_at = %(now)s,
  {copied}ad_user_data = {_consent("ad_user_data", source, asks)},
  ad_personalization = {_consent("ad_personalization", source, asks)}
FROM picked p {conversion}
WHERE u.created_at = p.created_at AND u.ctid = p.place
RETURNING {CLAIMED_COLUMNS}
"""


_LANE: Final = "%(lane)s"
_GOES_BY: Final = goes_by(_LANE, "%(own_lane)s")
_CONVERSIONS: Final = "u.kind = 'conversion' AND u.reason IS DISTINCT FROM 'split'"

# Conversions of one account, nearest deadline first; rows locked by another worker are left to it.
CLAIM_CONVERSIONS: Final = _claim(f"{_CONVERSIONS} AND {IS_BACKFILL} = 0 AND {_GOES_BY}", "u.deadline_at")

# The same for those that happened long before they were queued.
CLAIM_HISTORY: Final = _claim(f"{_CONVERSIONS} AND {IS_BACKFILL} = 1 AND {_GOES_BY}", "u.deadline_at")

# Conversions that may have come to Google by another API than the account's of today.
CLAIM_UNSETTLED: Final = _claim(f"{_CONVERSIONS} AND {IS_BACKFILL} IN (0, 1) AND {_GOES_BY}", "u.deadline_at")

# Adjustments of one account whose turn it is.
CLAIM_ADJUSTMENTS: Final = _claim(
    f"u.kind <> 'conversion' AND u.reason IS DISTINCT FROM 'split' AND {in_order(_LANE)}", "u.deadline_at", adjusts=True
)

# A part of an earlier request that was refused, or failed in part, without a row being named.
CLAIM_PART: Final = _claim(f"u.reason = 'split' AND u.request_id = %(earlier)s AND {_GOES_BY}", "u.id")

# The same of adjustments.
CLAIM_PART_OF_ADJUSTMENTS: Final = _claim(
    "u.reason = 'split' AND u.request_id = %(earlier)s AND u.kind <> 'conversion'", "u.id", adjusts=True
)

# Ledger rows of orders whose customers have refused something since a claim: what transactions wrote that the claim cannot have
# seen (`horizon`: the oldest that was under way then). Few, if any: one look into an index. A copy of the database begins to count
# transactions anew; what has a number of the future was there before.
REFUSED_SINCE: Final = sa.text(f"""
SELECT v.id, c.ad_user_data, c.ad_personalization
FROM app.order_consents c
CROSS JOIN LATERAL (
  SELECT e.id, e.created_at, e.upload_id FROM app.custom_events e WHERE e.site_id = c.site_id AND e.order_id = c.order_id OFFSET 0
) m
CROSS JOIN LATERAL ({rows_of("m", "v.id")}) v
WHERE c.written_by >= :horizon
  AND c.written_by < CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)
  AND 'denied' IN (c.ad_user_data, c.ad_personalization)
""")

# "Taken for processing" that comes when the lease is over changes nothing: the row is unknown, and goes again under its own id.
_SETTLE_REST = """
UPDATE app.conversion_uploads u
SET state = :state, reason = :reason, sentence = :sentence, lease_until = NULL, updated_at = :now,{unsettled}
  not_before = coalesce(CAST(:not_before AS timestamptz), u.not_before),
  settled_at = CASE WHEN :state IN ('accepted', 'rejected', 'expired', 'withheld') THEN CAST(:now AS timestamptz) END
WHERE u.request_id = :request AND u.state IN ('claimed', 'unknown', 'sent')
  AND u.state = ANY(CAST(:standing AS text[])) AND u.id <> ALL(CAST(:others AS bigint[]))
  AND NOT (u.state = 'unknown' AND :state = 'sent')
"""

# The answer that most rows of a request share, told to all of it but `others`: no row has to be named. The request keeps it.
SETTLE_SHARED: Final = sa.text(_SETTLE_REST.format(unsettled=""))

# Whether an API may have a row from now on: this one (true), none (false), or as before.
_UNSETTLED: Final = """
  unsettled_lane = CASE WHEN {flag} THEN CAST(:lane AS text) WHEN NOT {flag} THEN NULL ELSE u.unsettled_lane END,"""

# The same, when it is more than "accepted" or "pending", or comes later: each row has its attempt.
SETTLE_REST: Final = sa.text(f"""
WITH settled AS ({_SETTLE_REST.format(unsettled=_UNSETTLED.format(flag="CAST(:unsettled AS boolean)"))} RETURNING u.id)
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
    CAST(:code AS text[]), CAST(:unsettled AS boolean[]))
    AS g(created_at, id, state, reason, sentence, not_before, verdict, code, unsettled)){attempted}
UPDATE app.conversion_uploads u
SET state = g.state, reason = g.reason, sentence = g.sentence, lease_until = NULL, updated_at = :now,{unsettled}
  not_before = coalesce(g.not_before, u.not_before), attempts = u.attempts - :never_sent,
  settled_at = CASE WHEN g.state IN ('accepted', 'rejected', 'expired', 'withheld') THEN CAST(:now AS timestamptz) END
FROM given g
WHERE u.created_at = g.created_at AND u.id = g.id AND u.request_id = :request AND u.state IN ('claimed', 'unknown', 'sent')
  AND NOT (u.state = 'unknown' AND g.state = 'sent'){standing}
"""
SETTLE: Final = sa.text(
    _SETTLE.format(
        unsettled=_UNSETTLED.format(flag="g.unsettled"),
        attempted=""",
attempted AS (
  INSERT INTO app.upload_attempts (at, upload_id, request_id, verdict, code, sentence)
  SELECT :now, id, :request, verdict, code, sentence FROM given)""",
        standing=" AND u.state = ANY(CAST(:standing AS text[]))",
    )
)

# What our own checks found before the call: no attempt was made. A row that an earlier call may have delivered stays unknown, and the
# answer to this request is none to it: the request no longer names it.
SETTLE_UNSENT: Final = sa.text(
    _SETTLE.format(
        unsettled="\n  request_id = CASE WHEN g.state = 'unknown' THEN NULL ELSE u.request_id END,",
        attempted="",
        standing="",
    )
)

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

# Rows of a request that an error of our own kept from being made: they wait as before.
GIVE_BACK: Final = sa.text("""
UPDATE app.conversion_uploads u
SET state = CASE WHEN u.reason = 'no_answer' THEN 'unknown' ELSE 'queued' END,
  reason = CASE WHEN u.reason IS NULL THEN :reason ELSE u.reason END,
  sentence = :sentence, lease_until = NULL, not_before = :not_before, attempts = u.attempts - 1, updated_at = :now
WHERE u.request_id = :request AND u.state = 'claimed'
""")

# Rows whose click id is of no use: it stays where it is, as evidence, and is not sent. Hashed user data has its own limit.
DROP_CLICKS: Final = sa.text("""
UPDATE app.conversion_uploads u
SET click_dropped = g.sentence, deadline_at = least(u.deadline_at, u.conversion_at + CAST(:user_data AS interval))
FROM unnest(CAST(:created_at AS timestamptz[]), CAST(:id AS bigint[]), CAST(:sentence AS text[])) AS g(created_at, id, sentence)
WHERE u.created_at = g.created_at AND u.id = g.id AND u.request_id = :request AND u.state = 'queued'
""")

# Rows whose click id Google refused, and that have others: the next one that is young enough takes its place, until its own deadline.
NEXT_CLICKS: Final = sa.text("""
WITH next AS (
  SELECT u.created_at, u.id, n.place, n.click
  FROM unnest(CAST(:created_at AS timestamptz[]), CAST(:id AS bigint[])) AS g(created_at, id)
  JOIN app.conversion_uploads u ON u.created_at = g.created_at AND u.id = g.id AND u.request_id = :request AND u.state = 'queued'
  CROSS JOIN LATERAL (
    SELECT e.place, e.click FROM json_array_elements(u.other_clicks) WITH ORDINALITY AS e(click, place)
    WHERE coalesce(CAST(e.click ->> 'clicked_at' AS timestamptz), u.conversion_at) + CAST(:oldest AS interval) > :now
    ORDER BY e.place LIMIT 1) n
)
UPDATE app.conversion_uploads u
SET click_kind = n.click ->> 'kind', click_id = n.click ->> 'id', clicked_at = CAST(n.click ->> 'clicked_at' AS timestamptz),
  deadline_at = coalesce(CAST(n.click ->> 'clicked_at' AS timestamptz), u.conversion_at) + CAST(:oldest AS interval),
  other_clicks = (
    SELECT json_agg(e.click ORDER BY e.place) FROM json_array_elements(u.other_clicks) WITH ORDINALITY AS e(click, place)
    WHERE e.place > n.place)
FROM next n WHERE u.created_at = n.created_at AND u.id = n.id
RETURNING u.id
""")

# The rows of a request that Google took for processing, to be settled by its later verdict.
PENDING_ROWS: Final = sa.text("""
SELECT u.id, u.created_at, u.kind, u.transaction_id, u.conversion_at, u.adjusted_at, u.clicked_at, u.click_kind, u.click_id,
  u.attempts, u.reason, u.sentence, u.ads_action_id, a.action_id, a.action_created_at, u.email_sha256, u.phone_sha256, u.ad_user_data,
  u.other_clicks IS NOT NULL AS has_other_clicks, u.click_dropped IS NOT NULL AS dropped
FROM app.conversion_uploads u JOIN app.ads_actions a ON a.id = u.ads_action_id
WHERE u.request_id = :request AND u.state = 'sent' AND u.created_at BETWEEN :earliest AND :now
""")

# Claimed rows whose worker is gone: the call may have been made, so what became of them is not known.
RECOVER: Final = sa.text(f"""
UPDATE app.conversion_uploads u
SET state = 'unknown', reason = 'no_answer', lease_until = NULL, not_before = :now, updated_at = :now, unsettled_lane = {lane_of("u")},
  sentence = '{reasons.WORKER_WENT_AWAY}'
WHERE u.request_id = ANY(ARRAY(SELECT r.id FROM app.upload_requests r WHERE r.outcome IS NULL))
  AND u.state = 'claimed' AND u.lease_until < :now
RETURNING u.request_id
""")

# Rows that Google would no longer take, except those that it may have taken already.
EXPIRE: Final = sa.text(f"""
UPDATE app.conversion_uploads u
SET state = 'expired', settled_at = :now, updated_at = :now, lease_until = NULL,
  reason = coalesce(u.reason, '{reasons.DEADLINE_PASSED}'),
  sentence = '{_TOOK_IT_UNTIL}' || to_char(u.deadline_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC'
    || coalesce('; it waited because: ' || u.sentence, '')
WHERE {IS_CLAIMABLE} AND u.state <> 'unknown' AND u.deadline_at <= :now AND u.reason IS DISTINCT FROM 'no_answer'
  AND u.ads_account_id IN (SELECT id FROM app.ads_accounts)
  AND {IS_BACKFILL} IN (0, 1)
""")

# Adjustments whose original will never be at Google, or came to nothing there.
WITHHOLD_ORPHANS: Final = sa.text(f"""
UPDATE app.conversion_uploads u
SET state = 'withheld', settled_at = :now, updated_at = :now,
  reason = CASE WHEN {UNMATCHED.format(row="o")} THEN '{reasons.NO_SUCH_CLICK}' ELSE '{reasons.ORIGINAL_NOT_SENT}' END,
  sentence = CASE WHEN {UNMATCHED.format(row="o")} THEN '{reasons.WITHHELD[reasons.NO_SUCH_CLICK]}'
    ELSE '{reasons.WITHHELD[reasons.ORIGINAL_NOT_SENT]}' END
FROM app.conversion_uploads o, app.upload_keys k
WHERE u.kind <> 'conversion' AND u.waits AND u.state <> 'unknown'
  AND u.ads_account_id IN (SELECT id FROM app.ads_accounts)
  AND {is_transaction("k", "u")} AND k.sequence = 0
  AND o.created_at = k.created_at AND o.id = k.upload_id AND o.custom_event_id = u.custom_event_id
  AND (o.state IN ('rejected', 'expired', 'withheld') OR {UNMATCHED.format(row="o")})
""")

# Adjustments that wait while a later one of their conversion is there: that has the value which is right now, and goes instead.
SUPERSEDE: Final = sa.text(f"""
UPDATE app.conversion_uploads u
SET state = 'withheld', reason = '{reasons.SUPERSEDED}', settled_at = :now, updated_at = :now, lease_until = NULL,
  sentence = '{reasons.SUPERSEDED_WHILE_WAITING}' || coalesce('; it waited because: ' || u.sentence, '')
FROM app.conversion_uploads l
WHERE u.kind <> 'conversion' AND u.waits AND u.state <> 'unknown'
  AND u.ads_account_id IN (SELECT id FROM app.ads_accounts)
  AND l.kind <> 'conversion' AND l.custom_event_id = u.custom_event_id AND l.ads_action_id = u.ads_action_id
  AND l.transaction_id = u.transaction_id AND l.sequence > u.sequence
  AND l.state NOT IN ('rejected', 'expired', 'withheld')
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
    return Columns("created_at", "id", "state", "reason", "sentence", "not_before", "verdict", "code", "unsettled")


Rows = psycopg.Cursor[tuple[Any, ...]]


def claim(connection: sa.Connection, statement: str, values: Mapping[str, Any]) -> Rows:
    """Claim rows; see the three statements above. `rowcount` says how many, `fetchall` reads them, in no order: they are all here, so
    that it needs the connection no more, and another thread may read them while this one goes on.

    Asked for in PostgreSQL's binary format: of 2,000 rows, reading the text of four times and a number each is what costs.
    """
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # pyright: ignore[reportAssignmentType]
    return driver.cursor(binary=True).execute(statement.encode(), values)
