"""What is left when all is calm: worked off alone, with both clocks, ours and Google's, moved on until nothing waits for its time.

DATABASE_URL=... python -m chaos.settle CLOCK_FILE CONTROL_ADDRESS
"""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Final

import httpx
import sqlalchemy as sa

from chaos.clock import ShiftedClock
from custom_events.destinations.registry import destinations
from custom_events.ledger import send
from custom_events.logs import configure
from custom_events.pipeline.drain import drain_sync
from custom_events.postgres import connect
from custom_events.settings import Settings, settings
from custom_events.values.reasons import CONSENT_UNKNOWN_IN_EUROPE

# Google's verdicts take half an hour, what cannot be sent is tried every hour, and what a setting may change once a day.
STEPS: Final = (*(timedelta(minutes=31),) * 2, *(timedelta(hours=6),) * 56)
# What waits by itself: not conversions that wait for a person to say what their customer consents to, nor the adjustments behind these.
_OPEN_UPLOAD: Final = """
u.state IN ('new', 'queued', 'claimed', 'sent', 'unknown', 'held') AND NOT EXISTS (
  SELECT FROM app.conversion_uploads o
  WHERE o.ads_action_id = u.ads_action_id AND o.transaction_id = u.transaction_id AND o.custom_event_id = u.custom_event_id
    AND (o.id = u.id OR o.sequence = 0) AND o.state = 'held' AND o.reason = :for_a_person)
"""
OPEN: Final = f"""
SELECT (SELECT count(*) FROM landing.raw_queue) AS deliveries,
  (SELECT count(*) FROM app.value_changes) + (SELECT count(*) FROM app.withdrawn_without_order) AS value_changes,
  (SELECT count(*) FROM app.conversion_uploads u WHERE {_OPEN_UPLOAD}) AS uploads
"""
# What they wait for, for whoever looks why it does not end: rows of their conversions, the requests that carried these, and what is stopped.
LEFT_BEHIND: Final = f"""
WITH rows AS (
  SELECT w.* FROM app.conversion_uploads w WHERE (w.ads_action_id, w.transaction_id) IN (
    SELECT u.ads_action_id, u.transaction_id FROM app.conversion_uploads u WHERE {_OPEN_UPLOAD} LIMIT 10))
SELECT 'row', to_jsonb(rows)::text FROM rows
UNION ALL SELECT 'key', to_jsonb(k)::text FROM app.upload_keys k WHERE k.upload_id IN (SELECT id FROM rows)
UNION ALL SELECT 'request', to_jsonb(r)::text FROM app.upload_requests r WHERE r.id IN (SELECT request_id FROM rows)
UNION ALL SELECT 'account', to_jsonb(a)::text FROM app.ads_accounts a WHERE a.id IN (SELECT ads_account_id FROM rows)
UNION ALL SELECT 'action', to_jsonb(x)::text FROM app.ads_actions x WHERE x.id IN (SELECT ads_action_id FROM rows)
UNION ALL SELECT 'stop', to_jsonb(s)::text FROM app.upload_stops s"""
TURN_S: Final = 600.0


def settle(url: str, configured: Settings, clock: ShiftedClock, control: str) -> dict[str, int]:
    """Work off what is due, go on to the next moment, and so on; what is still open at the end."""
    engine = connect.engine(url, name="chaos settle")
    lanes, left = destinations(configured), dict[str, int]()
    try:
        for step in (timedelta(), *STEPS):
            _forward(clock, control, step)
            drain_sync(url, configured, until_idle_s=0, limit_s=TURN_S)
            send.drain(engine, configured, until_idle_s=0, limit_s=TURN_S, lanes=lanes, clock=clock)
            while not send.run_once(engine, configured, lanes=lanes, clock=clock).idle:
                pass  # as maintenance is due once a second, and these hours pass faster
            left = _left(engine)
            if not any(left.values()):
                break
        return left
    finally:
        engine.dispose()


def _forward(clock: ShiftedClock, control: str, step: timedelta) -> None:
    clock.shift(step.total_seconds())
    body = {"move_seconds": step.total_seconds()}
    httpx.post(f"{control}/clock", json=body, timeout=10, trust_env=False).raise_for_status()


def _left(engine: sa.Engine) -> dict[str, int]:
    with engine.connect() as connection:
        asked = {"for_a_person": CONSENT_UNKNOWN_IN_EUROPE}
        return dict(connection.execute(sa.text(OPEN), asked).mappings().one())


def left_behind(url: str) -> list[str]:
    """What is open and what it waits for, a line for each row."""
    engine = connect.engine(url, name="chaos settle")
    try:
        with engine.connect() as connection:
            rows = connection.execute(sa.text(LEFT_BEHIND), {"for_a_person": CONSENT_UNKNOWN_IN_EUROPE})
            return [f"{kind}: {content}" for kind, content in rows]
    finally:
        engine.dispose()


def main() -> None:
    """From the command line; prints what is open, and fails where anything is."""
    configured = settings()
    configure("chaos-settle", level="WARNING")
    assert configured.database_url is not None
    url = configured.database_url.get_secret_value()
    left = settle(url, configured, ShiftedClock(Path(sys.argv[1])), sys.argv[2])
    sys.stdout.write(f"{left}\n")
    if any(left.values()):
        sys.stdout.writelines(f"{line}\n" for line in left_behind(url))
        sys.exit(1)


if __name__ == "__main__":
    main()
