"""What most rows of a request were told is kept with the request: a row each in upload_attempts repeated it.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE app.upload_requests ADD COLUMN told TEXT, ADD COLUMN told_rows INTEGER;
ALTER TABLE app.upload_requests ADD CONSTRAINT ck_upload_requests_told CHECK (told IN ('accepted', 'pending'));
COMMENT ON COLUMN app.upload_requests.told IS 'What all its rows were told at answered_at that have no attempt of that time.';
COMMENT ON COLUMN app.upload_requests.told_rows IS 'How many rows that were.';
COMMENT ON TABLE app.upload_attempts IS
  'Google''s answers that differ from what most rows of the request were told. One row per upload, call and time.';
CREATE VIEW app.upload_answers AS
SELECT at, upload_id, request_id, verdict, code, sentence FROM app.upload_attempts
UNION ALL
SELECT r.answered_at, u.id, r.id, r.told, NULL, NULL
FROM app.upload_requests r JOIN app.conversion_uploads u ON u.request_id = r.id
WHERE (r.told = 'accepted' AND u.state = 'accepted' OR r.told = 'pending' AND u.state = 'sent')
  AND NOT EXISTS (SELECT FROM app.upload_attempts t WHERE t.upload_id = u.id AND t.request_id = r.id)
UNION ALL
SELECT DISTINCT r.answered_at, t.upload_id, r.id, r.told, NULL, NULL
FROM app.upload_requests r JOIN app.upload_attempts t ON t.request_id = r.id AND t.at > r.answered_at
WHERE r.told = 'pending' AND NOT EXISTS (
  SELECT FROM app.upload_attempts s WHERE s.upload_id = t.upload_id AND s.request_id = r.id AND s.at = r.answered_at);
COMMENT ON VIEW app.upload_answers IS 'Every answer of Google, row by row, whether its request keeps it or an attempt.';
"""

DOWNGRADE = """
INSERT INTO app.upload_attempts (at, upload_id, request_id, verdict, code, sentence)
SELECT at, upload_id, request_id, verdict, code, sentence FROM app.upload_answers ON CONFLICT DO NOTHING;
DROP VIEW app.upload_answers;
ALTER TABLE app.upload_requests DROP COLUMN told, DROP COLUMN told_rows;
COMMENT ON TABLE app.upload_attempts IS 'Google''s answers, row by row. One row per upload and call.';
"""


def upgrade() -> None:
    """Attempts written before stay; the code before this goes on writing them."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Each row has its attempt again."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(DOWNGRADE)
