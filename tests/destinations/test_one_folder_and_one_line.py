"""A lane is one folder and one line: a copy of the tree gets both, and an order's conversion goes out by it, and its refund.

In a process of its own, as the list of lanes is made at import.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LAST_LINE = '    DATA_MANAGER = "data_manager"\n'
LINE = '    TOY = "toy"\n'
ORDER = '''
import asyncio, hashlib, json, sys
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import zstandard

from custom_events.catalog import ads, assignments, definitions, sites
from custom_events.destinations.toy.lane import SENT
from custom_events.ledger import allowance, send
from custom_events.pipeline.drain import drain
from custom_events.postgres import connect
from custom_events.settings import Settings
from custom_events.values.conversions import Lane
from custom_events.values.deliveries import Platform

url = sys.argv[1]
settings = Settings(database_url=url)
engine = connect.engine(url)
with engine.begin() as connection:
    site = sites.create(connection, platform=Platform.CUSTOM, name="Shop", currency="EUR", actor="test")
    ads.create_account(connection, customer_id="1234567890", name="Toy", lane=Lane("toy"), actor="test")
    ads.create_action(connection, customer_id="1234567890", action_id="7001", name="Sale", actor="test")
    config = {"trigger": ["order.paid"], "ads_action": "1234567890/7001"}
    definitions.create(connection, key="sale", name="Sale", config=config, author="test")
    definitions.publish(connection, "sale", 1, by="test")
    assignments.assign(connection, site.id, "sale", "all", author="test")

LAND = sa.text("""
WITH landed AS (
  INSERT INTO landing.raw_events (landed_week, site_id, topic, dedup_key, delivery_id, signature, headers, body, body_bytes)
  VALUES (date_trunc('week', now() AT TIME ZONE 'UTC')::date, :site, :topic, :digest, :delivery, 'verified', '{}', :body, :size)
  RETURNING id, landed_week, site_id)
INSERT INTO landing.raw_queue (raw_id, landed_week, site_id) SELECT * FROM landed
""")
sold = datetime.now(UTC) - timedelta(hours=20)


def happens(kind, at, **more):
    body = {
        "type": kind, "occurred_at": at.isoformat(), "consent": {"ad_user_data": "granted"},
        "clicks": {"gclid": "Cj0KCQ-test-1", "clicked_at": (sold - timedelta(hours=9)).isoformat()},
        "order": {"id": "A-1", "created_at": sold.isoformat(), "paid_at": sold.isoformat(), "currency": "EUR", "total": "40.00"},
        **more,
    }
    raw = json.dumps(body).encode()
    with engine.begin() as connection:
        connection.execute(LAND, {"site": site.id, "topic": kind, "digest": hashlib.sha256(raw).digest()[:16], "delivery": kind,
            "body": zstandard.compress(raw), "size": len(raw)})
    asyncio.run(drain(url, settings, until_idle_s=0.0, limit_s=30))
    for _ in range(6):
        send.run_once(engine, settings)


happens("order.paid", sold)
happens("order.refunded", sold + timedelta(hours=2), refund={"id": "R-1", "amount": "15.00", "currency": "EUR"})
with engine.connect() as connection:
    rows = connection.execute(sa.text("SELECT kind, state, reason, sentence FROM app.conversion_uploads ORDER BY sequence")).all()
    limit = allowance.project_limit(settings, Lane("toy")).per_minute
    status = [list(row) for row in connection.execute(sa.text(
        "SELECT r.outcome, r.lane FROM app.upload_requests r ORDER BY r.id"))]
    outcomes = [list(row) for row in connection.execute(sa.text("SELECT outcome, reason, detail FROM app.raw_outcomes"))]
print(json.dumps({"sent": SENT, "rows": [list(row) for row in rows], "limit": limit, "requests": status, "outcomes": outcomes}))
'''


@pytest.mark.database
def test_a_conversion_goes_by_a_lane_that_is_one_folder_and_one_line(database: str, tmp_path: Path) -> None:
    for name in ("custom_events", "migrations"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    folder = tmp_path / "custom_events/destinations/toy"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""A lane made of two files."""\n')
    shutil.copy(HERE / "toy_lane.py", folder / "lane.py")
    shutil.copy(HERE / "toy_traits.py", folder / "traits.py")
    words = tmp_path / "custom_events/values/conversions.py"
    assert words.read_text().count(LAST_LINE) == 1
    words.write_text(words.read_text().replace(LAST_LINE, LAST_LINE + LINE))
    done = subprocess.run(
        [sys.executable, "-c", ORDER, database],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert [outcome for outcome, *_ in seen["outcomes"]] == ["understood", "understood"], seen["outcomes"]
    assert [(kind, float(value)) for kind, _, value in seen["sent"]] == [("conversion", 40.0), ("restatement", 25.0)]
    assert [row[:2] for row in seen["rows"]] == [["conversion", "accepted"], ["restatement", "accepted"]]
    assert seen["requests"] == [["answered", "toy"], ["answered", "toy"]]
    assert seen["limit"] == 600
