"""Stored words get the names of docs/glossary.md: settings, reasons, columns and a table.

Revision ID: 0025
Revises: 0024
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

# A revision never changes but for this: the setting keeps its value under another name.
SETTING = """
ALTER TABLE app.definition_revisions DISABLE TRIGGER definition_revision_is_immutable;
ALTER TABLE app.assignment_revisions DISABLE TRIGGER assignment_revision_is_immutable;
UPDATE app.definition_revisions SET config = (config - '{old}') || jsonb_build_object('{new}', config -> '{old}') WHERE config ? '{old}';
UPDATE app.assignment_revisions SET overrides = (overrides - '{old}') || jsonb_build_object('{new}', overrides -> '{old}')
WHERE overrides ? '{old}';
ALTER TABLE app.definition_revisions ENABLE TRIGGER definition_revision_is_immutable;
ALTER TABLE app.assignment_revisions ENABLE TRIGGER assignment_revision_is_immutable;
"""
REASONS = """
UPDATE app.custom_events SET withdrawn_reason = '{new}' || substr(withdrawn_reason, length('{old}') + 1)
WHERE withdrawn_reason IN ('{old}_by_late_event', '{old}_by_correction', '{old}_by_replay');
UPDATE app.conversion_uploads SET reason = '{new}' || substr(reason, length('{old}') + 1)
WHERE reason IN ('{old}', '{old}_by_late_event', '{old}_by_correction', '{old}_by_replay');
"""
ALARMS = {
    "UploadsStandStill": "UploadsStalled",
    "RefundsStandStill": "RefundsStalled",
    "PipelineStandsStill": "PipelineStalled",
    "GoogleNotRead": "GoogleCountsMissing",
}
ALARM = "UPDATE app.alarms SET name = '{new}', key = '{new}' || substr(key, length('{old}') + 1) WHERE name = '{old}'"
UPGRADE = """
ALTER TABLE app.upload_requests RENAME COLUMN told TO shared_verdict;
ALTER TABLE app.upload_requests RENAME COLUMN told_rows TO shared_rows;
ALTER TABLE app.upload_requests RENAME CONSTRAINT ck_upload_requests_told TO ck_upload_requests_shared_verdict;
ALTER TABLE app.standing_changes RENAME TO withdrawn_without_order;
ALTER TABLE app.withdrawn_without_order RENAME CONSTRAINT pk_standing_changes TO pk_withdrawn_without_order;
COMMENT ON COLUMN app.upload_requests.shared_verdict IS
  'The verdict of all its rows at answered_at that have no attempt of that time.';
COMMENT ON COLUMN app.custom_events.withdrawn_by IS 'Natural key of the event that invalidated it, or the name of a replay.';
"""
DOWNGRADE = """
COMMENT ON COLUMN app.custom_events.withdrawn_by IS 'Natural key of the event that unmade it, or the name of a replay.';
COMMENT ON COLUMN app.upload_requests.shared_verdict IS
  'What all its rows were told at answered_at that have no attempt of that time.';
ALTER TABLE app.withdrawn_without_order RENAME CONSTRAINT pk_withdrawn_without_order TO pk_standing_changes;
ALTER TABLE app.withdrawn_without_order RENAME TO standing_changes;
ALTER TABLE app.upload_requests RENAME CONSTRAINT ck_upload_requests_shared_verdict TO ck_upload_requests_told;
ALTER TABLE app.upload_requests RENAME COLUMN shared_rows TO told_rows;
ALTER TABLE app.upload_requests RENAME COLUMN shared_verdict TO told;
"""


def upgrade() -> None:
    """No table is rewritten. The pipeline and the sender of before do not know the new names: stop them first; the receiver goes on."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql(SETTING.format(old="tell", new="extra_data"))
    connection.exec_driver_sql(REASONS.format(old="unmade", new="invalidated"))
    for old, new in ALARMS.items():
        connection.exec_driver_sql(ALARM.format(old=old, new=new))
    connection.exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Everything has its name of before again."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql(DOWNGRADE)
    for old, new in ALARMS.items():
        connection.exec_driver_sql(ALARM.format(old=new, new=old))
    connection.exec_driver_sql(REASONS.format(old="invalidated", new="unmade"))
    connection.exec_driver_sql(SETTING.format(old="extra_data", new="tell"))
