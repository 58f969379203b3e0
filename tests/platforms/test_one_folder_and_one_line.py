"""A store platform is one folder and one line: a copy of the tree gets both, and an order goes through all of it.

In a process of its own, as the list of platforms is made at import.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOY = Path(__file__).with_name("toy_platform.py")
WORDS = "custom_events/values/platforms.py"
LINE = '    TOY = "toy"\n'
ORDER = """
import asyncio, hmac, json, sys
from datetime import UTC, datetime, timedelta

import httpx
import sqlalchemy as sa
from cryptography.fernet import Fernet

from cli.site import add
from custom_events.catalog import ads, assignments, connecting, definitions, signing, sites
from custom_events.conditions.fields import ALL_PLATFORMS
from custom_events.errors import InvalidConfiguration
from custom_events.pipeline.drain import drain
from custom_events.postgres import connect
from custom_events.settings import Settings
from custom_events.values.conversions import Lane
from custom_events.values.platforms import Platform
from ingest_api.app import create_app

url, key = sys.argv[1], Fernet.generate_key()
settings = Settings(database_url=url, secret_key=key.decode())
toy = Platform("toy")
engine = connect.engine(url)
with engine.begin() as connection:
    try:
        sites.create(connection, platform=toy, name="Toys", actor="test")
        refused = ""
    except InvalidConfiguration as error:
        refused = str(error)
    site = sites.create(
        connection, platform=toy, name="Toys", shop_domain="my.toy.example", currency="EUR", actor="test",
        settings={"take_sub_orders": True},
    )
    signing.add(connection, site.id, "a secret of sixteen", key=key, actor="test")
    ads.create_account(connection, customer_id="1234567890", name="Ads", lane=Lane.GOOGLE_ADS, actor="test")
    ads.create_action(connection, customer_id="1234567890", action_id="7001", name="Sale", actor="test")
    config = {"trigger": ["order.paid"], "ads_action": "1234567890/7001"}
    definitions.create(connection, key="sale", name="Sale", config=config, author="test")
    definitions.publish(connection, "sale", 1, by="test")
    assignments.assign(connection, site.id, "sale", "all", author="test")

sold = datetime.now(UTC) - timedelta(hours=2)
body = json.dumps({"number": "T-1", "sold_at": int(sold.timestamp()), "cents": 1250}).encode()
headers = {"x-toy-signature": hmac.new(b"a secret of sixteen", body, "sha256").hexdigest(), "x-toy-id": "d-1"}


async def deliver():
    app = create_app(settings)
    incoming, outgoing = asyncio.Queue(), asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    task = asyncio.create_task(app(scope, incoming.get, outgoing.put))
    await incoming.put({"type": "lifespan.startup"})
    await outgoing.get()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://receiver") as client:
        by_domain = await client.post("/webhooks/toy", content=body, headers={**headers, "x-toy-shop": "my.toy.example"})
        again = await client.post(f"/webhooks/toy/{site.site_key}", content=body, headers=headers)
        forged = await client.post(f"/webhooks/toy/{site.site_key}", content=body, headers={"x-toy-signature": "no"})
    await incoming.put({"type": "lifespan.shutdown"})
    await task
    await drain(url, settings, until_idle_s=0.0, limit_s=30)
    return [by_domain.status_code, again.status_code, forged.status_code]


answers = asyncio.run(deliver())
with engine.connect() as connection:
    rows = connection.execute(sa.text(
        "SELECT e.order_id, CAST(e.value AS text), u.transaction_id, u.reason FROM app.custom_events e"
        " JOIN app.conversion_uploads u ON u.custom_event_id = e.id"
    )).all()
(choices,) = (one.type.choices for one in add.params if one.name == "platform")
print(json.dumps({
    "refused": refused, "answers": answers, "custom_events": [list(row) for row in rows],
    "lines": connecting.instructions(site, "http://here"), "choice": "toy" in choices, "fields": toy in ALL_PLATFORMS,
}))
"""


def copied(to: Path) -> Path:
    """The tree's code, as far as an order meets it."""
    for name in ("custom_events", "ingest_api", "cli", "migrations"):
        shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
    return to


def with_line(path: Path, line: str) -> None:
    """The file with one line more, at the end of its enum."""
    path.write_text(path.read_text().rstrip("\n") + "\n" + line)


@pytest.mark.database
def test_an_order_of_a_platform_that_is_one_folder_and_one_line(database: str, tmp_path: Path) -> None:
    tree = copied(tmp_path / "tree")
    folder = tree / "custom_events/platforms/toy"
    folder.mkdir()
    shutil.copy(TOY, folder / "platform.py")
    (folder / "__init__.py").write_text('"""A platform made of one file."""\n')
    with_line(tree / WORDS, LINE)
    done = subprocess.run(
        [sys.executable, "-c", ORDER, database],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert "a Toy site is found by it: my.toy.example" in seen["refused"]
    assert seen["answers"] == [200, 200, 401]
    ((order_id, value, transaction_id, reason),) = seen["custom_events"]
    assert (order_id, float(value)) == ("T-1", 12.5)
    assert transaction_id.endswith("-T-1")
    assert reason == "no_click_or_identifier"  # a toy tells neither
    assert seen["lines"][0].startswith("Have the toy post to http://here for ")
    assert seen["choice"]
    assert seen["fields"]
