"""What the supervisor asks of the database every few seconds: index probes, whatever has happened so far."""

from typing import Final

import sqlalchemy as sa

# The delivery that has waited longest.
OLDEST_WAITING: Final = sa.text("SELECT raw_id FROM landing.raw_queue ORDER BY raw_id LIMIT 1")

# The newest request to Google.
NEWEST_REQUEST: Final = sa.text("SELECT id FROM app.upload_requests ORDER BY id DESC LIMIT 1")

# Whether Dagster has made its tables.
HAS_TICKS: Final = sa.text("SELECT to_regclass('dagster.job_ticks') IS NOT NULL")

# Seconds since a sensor of Dagster looked last without a fault, as far as the newest ticks say.
TICK_AGE: Final = sa.text("""
SELECT extract(epoch FROM now() AT TIME ZONE 'UTC' - t.timestamp)::float8
FROM (SELECT timestamp, status FROM dagster.job_ticks ORDER BY id DESC LIMIT 100) t
WHERE t.status IN ('SKIPPED', 'SUCCESS') ORDER BY t.timestamp DESC LIMIT 1
""")
