"""How many rows there are of what, kept by the transactions that write them; indexes that reading a year of history asks for.

Revision ID: 0024
Revises: 0023
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

COLUMNS = """
    what TEXT NOT NULL,
    week DATE NOT NULL,
    subject BIGINT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
"""
TABLES = f"""
CREATE TABLE app.tallies ({COLUMNS}
    count BIGINT NOT NULL,
    sentence TEXT,
    CONSTRAINT pk_tallies PRIMARY KEY (what, week, subject, kind, state, reason)
);
CREATE TABLE app.tally_changes ({COLUMNS}
    change BIGINT NOT NULL,
    sentence TEXT
);
CREATE TABLE app.tally_checks (
    name TEXT NOT NULL,
    checked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    gaps JSONB NOT NULL,
    CONSTRAINT pk_tally_checks PRIMARY KEY (name)
);
COMMENT ON TABLE app.tallies IS 'How many rows there are of what, as of the last fold of tally_changes. One row per key.';
COMMENT ON TABLE app.tally_changes IS
  'What transactions added to and took from the tallies since: only added to while they write, so that none waits for another.';
COMMENT ON TABLE app.tally_checks IS 'What the last exact count found. One row per check.';
COMMENT ON COLUMN app.tally_checks.name IS 'tallies: against counting. sums: every stage counted in its own tables.';
COMMENT ON COLUMN app.tally_checks.checked_at IS 'When it counted.';
COMMENT ON COLUMN app.tally_checks.gaps IS 'A sentence for each difference.';
COMMENT ON COLUMN app.tallies.count IS 'How many rows.';
COMMENT ON COLUMN app.tallies.sentence IS 'What one of its rows says of its reason, for people.';
COMMENT ON COLUMN app.tally_changes.change IS 'How many more, or fewer.';
COMMENT ON COLUMN app.tally_changes.sentence IS 'What one of these rows says of its reason, for people.';
"""
MEANINGS = {
    "what": "What is counted (custom_events/queries/tallies.py lists it).",
    "week": "Monday (UTC) of the week it belongs to; 1970-01-01 where no week is told apart.",
    "subject": "ads_accounts.id or site_custom_events.id; 0 where none is told apart.",
    "kind": "Kind of the upload; else empty.",
    "state": "Its state, outcome or type; of uploads that may still be claimed: open.",
    "reason": "Its reason, where it is final; else empty.",
}
INDEXES = """
CREATE INDEX ix_reconciliation_days_day ON app.reconciliation_days (day);
CREATE INDEX ix_custom_events_created_at ON app.custom_events USING brin (created_at);
DROP INDEX app.ix_clicks_site_id_click_id;
"""

MONDAY = "'2001-01-01 00:00:00+00'::timestamptz"
EPOCH, NOBODY, SILENT = "'1970-01-01'::date", "0::bigint", "NULL::text"
INTO = "INSERT INTO app.tally_changes (what, week, subject, kind, state, reason, change, sentence)"


def week_of(column: str) -> str:
    """The Monday of a time, in UTC."""
    return f"(date_bin('7 days', {column}, {MONDAY}) AT TIME ZONE 'UTC')::date"


def uploads(*sources: tuple[str, str]) -> str:
    """What rows of the ledger in these relations, each with its sign, add to the tallies."""
    rows = " UNION ALL ".join(
        f"SELECT date_bin('7 days', created_at, {MONDAY}) AS week, ads_account_id, kind, state, reason,"
        f" click_dropped IS NOT NULL AS dropped, {sign}count(*) AS rows, max(sentence) FILTER (WHERE reason IS NOT NULL) AS sentence"
        f" FROM {relation} GROUP BY 1, 2, 3, 4, 5, 6"
        for relation, sign in sources
    )
    return f"""
WITH counted AS MATERIALIZED (
  SELECT (week AT TIME ZONE 'UTC')::date AS week, coalesce(ads_account_id, 0) AS account, kind, dropped,
    CASE WHEN state IN ('accepted', 'rejected', 'expired', 'withheld', 'sent') THEN state ELSE 'open' END AS state,
    CASE WHEN state IN ('accepted', 'rejected', 'expired', 'withheld') THEN coalesce(reason, '') ELSE '' END AS reason,
    sum(rows)::bigint AS rows, max(sentence) AS sentence
  FROM ({rows}) g GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(rows) <> 0)
SELECT 'uploads', week, {NOBODY}, kind, state, reason, sum(rows)::bigint, {SILENT} FROM counted GROUP BY 2, 4, 5, 6 HAVING sum(rows) <> 0
UNION ALL
SELECT 'uploads_of_account', {EPOCH}, account, kind, state, reason, sum(rows)::bigint,
  max(sentence) FILTER (WHERE reason <> '') FROM counted GROUP BY 3, 4, 5, 6 HAVING sum(rows) <> 0
UNION ALL
SELECT 'uploads_without_click', {EPOCH}, {NOBODY}, kind, state, '', sum(rows)::bigint, {SILENT} FROM counted
  WHERE dropped AND kind = 'conversion' GROUP BY 4, 5 HAVING sum(rows) <> 0"""


def custom_events(*sources: tuple[str, str]) -> str:
    """What custom events add to the tallies."""
    rows = " UNION ALL ".join(
        f"SELECT date_bin('7 days', created_at, {MONDAY}) AS week, assignment_id, withdrawn_at IS NULL AS stands,"
        f" withdrawn_reason, {sign}count(*) AS rows FROM {relation} GROUP BY 1, 2, 3, 4"
        for relation, sign in sources
    )
    return f"""
WITH counted AS MATERIALIZED ({rows})
SELECT 'custom_events', (week AT TIME ZONE 'UTC')::date, {NOBODY}, '', CASE WHEN stands THEN 'stands' ELSE 'withdrawn' END,
  CASE WHEN stands THEN '' ELSE coalesce(withdrawn_reason, '') END, sum(rows)::bigint, {SILENT}
  FROM counted GROUP BY 2, 5, 6 HAVING sum(rows) <> 0
UNION ALL
SELECT 'custom_events_of_assignment', {EPOCH}, assignment_id, '', '', '', sum(rows)::bigint, {SILENT}
  FROM counted GROUP BY 3 HAVING sum(rows) <> 0"""


def raw_outcomes(*sources: tuple[str, str]) -> str:
    """What outcomes add to the tallies."""
    rows = " UNION ALL ".join(
        f"SELECT landed_week, outcome, coalesce(reason, '') AS reason, {sign}count(*) AS rows FROM {relation} GROUP BY 1, 2, 3"
        for relation, sign in sources
    )
    return f"""
SELECT 'raw_outcomes', landed_week, {NOBODY}, '', outcome, reason, sum(rows)::bigint, {SILENT}
FROM ({rows}) g GROUP BY 2, 5, 6 HAVING sum(rows) <> 0"""


def commerce_events(*sources: tuple[str, str]) -> str:
    """What commerce events add to the tallies. The batch that writes them says so itself: its rows are too large to be kept for a
    trigger."""
    ((relation, sign),) = sources
    return f"SELECT 'commerce_events', {EPOCH}, {NOBODY}, '', type, '', {sign}count(*), {SILENT} FROM {relation} GROUP BY type"


def upload_requests(*sources: tuple[str, str]) -> str:
    """What Google counted in calls of the Data Manager without naming a row."""
    rows = " UNION ALL ".join(
        f"SELECT counts::jsonb AS counts, {sign}1 AS sign FROM {relation} WHERE lane = 'data_manager'"
        for relation, sign in sources
    )
    return f"""
SELECT 'unnamed', {EPOCH}, {NOBODY}, '', '', r.key, sum(q.sign * r.value::text::bigint)::bigint, {SILENT}
FROM ({rows}) q
CROSS JOIN LATERAL jsonb_each(CASE WHEN jsonb_typeof(q.counts) = 'object' THEN q.counts END) c
CROSS JOIN LATERAL jsonb_each(CASE WHEN jsonb_typeof(c.value -> 'reasons') = 'object' THEN c.value -> 'reasons' END) r
WHERE r.key = 'ProcessingErrorReason.CLICK_NOT_FOUND'
GROUP BY r.key HAVING sum(q.sign * r.value::text::bigint) <> 0"""


MADE, GONE = ("made", ""), ("gone", "-")
TALLIED = {"conversion_uploads": uploads, "custom_events": custom_events, "raw_outcomes": raw_outcomes}
COUNTED = {**TALLIED, "commerce_events": commerce_events, "upload_requests": upload_requests}

# Claims move rows among states that the tallies do not tell apart, so their transactions say that they need not be looked at.
UNLESS_CLAIMING = "WHEN (current_setting('custom_events.claiming', true) IS DISTINCT FROM 'on')"


def function(table: str) -> str:
    """The function that adds what a statement did to one table."""
    made = TALLIED[table]
    return f"""
CREATE FUNCTION app.tally_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        {INTO} {made(MADE)};
    ELSIF TG_OP = 'UPDATE' THEN
        {INTO} {made(MADE, GONE)};
    ELSE
        {INTO} {made(GONE)};
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER tally_insert AFTER INSERT ON app.{table} REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION app.tally_{table}();
CREATE TRIGGER tally_update AFTER UPDATE ON app.{table} REFERENCING OLD TABLE AS gone NEW TABLE AS made
    FOR EACH STATEMENT {UNLESS_CLAIMING if table == "conversion_uploads" else ""} EXECUTE FUNCTION app.tally_{table}();
CREATE TRIGGER tally_delete AFTER DELETE ON app.{table} REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION app.tally_{table}();
"""


# Few requests get counts, and each once or twice.
OF_THEIR_OWN = f"""
CREATE FUNCTION app.tally_commerce_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {INTO} {commerce_events(GONE)};
    RETURN NULL;
END
$$;
CREATE TRIGGER tally_delete AFTER DELETE ON app.commerce_events REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION app.tally_commerce_events();
CREATE FUNCTION app.tally_upload_requests() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {INTO} {upload_requests(("(SELECT NEW.lane, NEW.counts) now_is", ""), ("(SELECT OLD.lane, OLD.counts) was", "-"))};
    RETURN NULL;
END
$$;
CREATE TRIGGER tally_update AFTER UPDATE OF counts ON app.upload_requests FOR EACH ROW
    WHEN (NEW.lane = 'data_manager' AND OLD.counts::text IS DISTINCT FROM NEW.counts::text)
    EXECUTE FUNCTION app.tally_upload_requests();
"""

# What counting says: of a table, or of one partition of it.
COUNTING = "".join(
    f"    WHEN '{table}' THEN RETURN QUERY EXECUTE format($sql${counted(('%1$s', ''))}$sql$, relation);\n"
    for table, counted in COUNTED.items()
)
COUNT = f"""
CREATE FUNCTION app.count_tallies(of_table TEXT, relation REGCLASS) RETURNS SETOF app.tally_changes LANGUAGE plpgsql STABLE AS $$
BEGIN
    CASE of_table
{COUNTING}    END CASE;
END
$$;
"""


def upgrade() -> None:
    """Writers of these tables wait from their trigger on until what there is has been counted: some seconds for a million orders.
    The receiver goes on."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql(TABLES)
    for table in ("tallies", "tally_changes"):
        for column, meaning in MEANINGS.items():
            connection.exec_driver_sql(f"COMMENT ON COLUMN app.{table}.{column} IS '{meaning}'")
    connection.exec_driver_sql(COUNT)
    for table in TALLIED:
        connection.exec_driver_sql(function(table))
    connection.exec_driver_sql(OF_THEIR_OWN)
    connection.exec_driver_sql("LOCK TABLE app.commerce_events IN SHARE MODE")
    for table in COUNTED:
        connection.exec_driver_sql(f"{INTO} SELECT * FROM app.count_tallies('{table}', 'app.{table}')")
    connection.exec_driver_sql(INDEXES)


def downgrade() -> None:
    """Status and lists count whole tables again."""
    connection = op.get_bind().execution_options(no_parameters=True)
    for table in COUNTED:
        for when in ("insert", "update", "delete"):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS tally_{when} ON app.{table}")
        connection.exec_driver_sql(f"DROP FUNCTION app.tally_{table}()")
    connection.exec_driver_sql("DROP FUNCTION app.count_tallies(TEXT, REGCLASS)")
    connection.exec_driver_sql("DROP TABLE app.tallies, app.tally_changes, app.tally_checks")
    connection.exec_driver_sql("DROP INDEX app.ix_reconciliation_days_day")
    connection.exec_driver_sql("DROP INDEX app.ix_custom_events_created_at")
    connection.exec_driver_sql("CREATE INDEX ix_clicks_site_id_click_id ON app.clicks (site_id, click_id)")
