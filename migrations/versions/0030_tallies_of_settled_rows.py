"""Whoever writes an answer into the ledger counts it himself; what else changes rows of it is counted row by row.

A trigger that is given all rows of a statement keeps two copies of each, whether it looks at them or not: of a claim and its answer 6 ms of
75 for 2,000 rows. Now a row is looked at only where its statement has not said that it counts
itself, or need not (`custom_events.tallied`).

Revision ID: 0030
Revises: 0029
"""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

MONDAY = "'2001-01-01 00:00:00+00'::timestamptz"
SETTLED = "('accepted', 'rejected', 'expired', 'withheld')"


def state_of(row: str) -> str:
    """A state as tallies tell it."""
    return f"CASE WHEN {row}.state IN ('accepted', 'rejected', 'expired', 'withheld', 'sent') THEN {row}.state ELSE 'open' END"


def reason_of(row: str) -> str:
    """A reason, where it is final."""
    return f"CASE WHEN {row}.state IN {SETTLED} THEN coalesce({row}.reason, '') ELSE '' END"


UPGRADE = f"""
DROP TRIGGER tally_update ON app.conversion_uploads;
CREATE FUNCTION app.tally_changed_upload() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    made_in date := (date_bin('7 days', NEW.created_at, {MONDAY}) AT TIME ZONE 'UTC')::date;
BEGIN
    INSERT INTO app.tally_changes (what, week, subject, kind, state, reason, change, sentence)
    SELECT w.what, w.week, w.subject, v.kind, v.state, CASE WHEN w.what = 'uploads_without_click' THEN '' ELSE v.reason END, v.change,
      CASE WHEN w.what = 'uploads_of_account' AND v.change > 0 AND v.reason <> '' THEN NEW.sentence END
    FROM (VALUES
      (OLD.kind, {state_of("OLD")}, {reason_of("OLD")}, coalesce(OLD.ads_account_id, 0), OLD.click_dropped IS NOT NULL, -1),
      (NEW.kind, {state_of("NEW")}, {reason_of("NEW")}, coalesce(NEW.ads_account_id, 0), NEW.click_dropped IS NOT NULL, 1)
    ) v(kind, state, reason, account, dropped, change)
    CROSS JOIN LATERAL (VALUES
      ('uploads', made_in, 0::bigint, true),
      ('uploads_of_account', '1970-01-01'::date, v.account, true),
      ('uploads_without_click', '1970-01-01'::date, 0::bigint, v.dropped AND v.kind = 'conversion')
    ) w(what, week, subject, counts)
    WHERE w.counts;
    RETURN NULL;
END
$$;
CREATE TRIGGER tally_update AFTER UPDATE OF kind, state, reason, ads_account_id, click_dropped ON app.conversion_uploads FOR EACH ROW
    WHEN (current_setting('custom_events.tallied', true) IS DISTINCT FROM 'on'
      AND (OLD.kind <> NEW.kind OR ({state_of("OLD")}) <> ({state_of("NEW")}) OR ({reason_of("OLD")}) <> ({reason_of("NEW")})
        OR OLD.ads_account_id IS DISTINCT FROM NEW.ads_account_id OR (OLD.click_dropped IS NULL) <> (NEW.click_dropped IS NULL)))
    EXECUTE FUNCTION app.tally_changed_upload();
"""
DOWNGRADE = """
DROP TRIGGER tally_update ON app.conversion_uploads;
DROP FUNCTION app.tally_changed_upload();
CREATE TRIGGER tally_update AFTER UPDATE ON app.conversion_uploads REFERENCING OLD TABLE AS gone NEW TABLE AS made
    FOR EACH STATEMENT WHEN (current_setting('custom_events.claiming', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION app.tally_conversion_uploads();
"""


def upgrade() -> None:
    """No row changes. The sender of before goes on, and its answers are counted row by row, slowly, until it is the new one."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Stop the sender before: it would count its answers a second time."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(DOWNGRADE)
