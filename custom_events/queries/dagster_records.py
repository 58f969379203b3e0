"""What Dagster keeps of its own besides runs, and never deletes: results of checks, and events that belong to no run."""

from typing import Final

import sqlalchemy as sa

# Whether Dagster keeps its records here: it makes its tables when it starts first.
HAS_RECORDS: Final = sa.text("SELECT to_regclass('dagster.asset_check_executions') IS NOT NULL")

# Results of checks whose run is deleted, :most at a time. The last finished one of each check stays: Dagster shows it as the check's state.
DELETE_CHECKS: Final = sa.text("""
DELETE FROM dagster.asset_check_executions WHERE id IN (
  SELECT c.id FROM dagster.asset_check_executions c
  WHERE NOT EXISTS (SELECT FROM dagster.runs r WHERE r.run_id = c.run_id)
    AND EXISTS (
      SELECT FROM dagster.asset_check_executions newer
      WHERE newer.asset_key = c.asset_key AND newer.check_name = c.check_name AND newer.id > c.id
        AND newer.execution_status <> 'PLANNED')
  ORDER BY c.id LIMIT :most)
""")

# Events of no run (an asset has become stale or fresh) from before :before, UTC without a zone as Dagster stores it, :most at a time.
# The last one of each asset and kind stays: what Dagster compares with.
DELETE_EVENTS: Final = sa.text("""
DELETE FROM dagster.event_logs WHERE id IN (
  SELECT e.id FROM dagster.event_logs e
  WHERE e.run_id = '' AND e.timestamp < :before
    AND (e.asset_key IS NULL OR EXISTS (
      SELECT FROM dagster.event_logs newer
      WHERE newer.run_id = '' AND newer.asset_key = e.asset_key AND newer.dagster_event_type = e.dagster_event_type
        AND newer.id > e.id))
  ORDER BY e.id LIMIT :most)
""")
