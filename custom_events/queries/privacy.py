"""SQL of people's requests about their data."""

from typing import Final

import sqlalchemy as sa

# asyncpg, positional parameters. A request that is understood again stays as it is.
ADD: Final = """
INSERT INTO app.privacy_requests (raw_id, landed_week, site_id, kind, received_at, due_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (raw_id) DO NOTHING
"""

# Requests, what is due first first; open ones only unless :every; of the sites :only, null: of all.
REQUESTS: Final = sa.text("""
SELECT r.raw_id, r.site_id, s.site_key, r.kind, r.received_at, r.due_at, r.done_at, r.done_by, r.note, r.started_at, r.waiting, r.counts
FROM app.privacy_requests r JOIN app.sites s ON s.id = r.site_id
WHERE (:every OR r.done_at IS NULL) AND (CAST(:only AS bigint[]) IS NULL OR r.site_id = ANY (CAST(:only AS bigint[])))
ORDER BY r.done_at IS NOT NULL, r.due_at, r.raw_id
""")

# One request, held until the end of the transaction.
REQUEST: Final = sa.text(
    "SELECT raw_id, site_id, done_at, done_by FROM app.privacy_requests WHERE raw_id = :raw_id FOR UPDATE"
)

# The site of a request.
SITE_OF: Final = sa.text("SELECT site_id FROM app.privacy_requests WHERE raw_id = :raw_id")

# It was carried out; who it was is needed no more.
DONE: Final = sa.text("""
UPDATE app.privacy_requests SET done_at = now(), done_by = :actor, note = :note, person_encrypted = NULL WHERE raw_id = :raw_id
""")

# Open requests by kind, and how many seconds are left of the first one.
OPEN: Final = sa.text("""
SELECT kind, count(*) AS requests, extract(epoch FROM min(due_at) - CAST(:now AS timestamptz))::float8 AS left_s
FROM app.privacy_requests WHERE done_at IS NULL GROUP BY kind
""")
