"""A law of the command line: whatever a verb is given, it ends with exit code 0, 1 or 2, and where it fails, a person is told why in
a sentence: no traceback, no class of ours or of a library, no bare words of the database.

CUSTOM_EVENTS_TEST_EXAMPLES=100 tries longer: so many lines of each verb.
"""

import json
import os
import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli import site
from cli.main import main
from tests.backtest.conftest import PastWorld, paid_order
from tests.cli.arguments import lines, verbs
from tests.cli.conftest import Run

EXAMPLES = int(os.environ.get("CUSTOM_EVENTS_TEST_EXAMPLES", "3"))  # of each verb
FOR_EVER = {("up",), ("demo",), ("sandbox", "google-ads"), ("sandbox", "shopify")}  # they run until told to end
NO_GOOGLE = {"GOOGLE_ADS_ENDPOINT": "127.0.0.1:9", "CUSTOM_EVENTS_DATA_MANAGER_ENDPOINT": "http://127.0.0.1:9"}
INTERNAL = re.compile(r"Traceback|\b[A-Z][A-Za-z]+(?:Error|Exception|Violation|OutOfRange)\b|^Error: [A-Z][A-Za-z]+: |psycopg|asyncpg|sqlalche|LINE 1|of our own")  # fmt: skip
VERBS = sorted(((path, verb) for path, verb in verbs(main) if path not in FOR_EVER), key=lambda one: one[0])


@pytest.fixture
def world(database: str, engine: sa.Engine) -> PastWorld:
    """One site with a rule and an order."""
    made = PastWorld(database, engine)
    shop, action = made.site(), made.action()
    made.assign(shop, made.define("bought"), ads_action=action)
    made.order(shop, 1, 5)
    made.drain()
    return made


def _files(folder: Path) -> list[str]:
    """What may be named where a path is asked for."""
    made = {
        "order.json": json.dumps(paid_order(1, 5)).encode(),
        "rule.yaml": b"name: Bought\ntrigger: [order.paid]\n",
        "list.yaml": b"[1, 2]\n",
        "broken": b"\xff\xfe{[",
        "empty": b"",
    }
    for name, content in made.items():
        (folder / name).write_bytes(content)
    (folder / "rules").mkdir()
    return [*made, "rules", "nowhere", "order.json/under", "/proc/nowhere", "n" * 300]


def test_every_verb_ends_with_a_sentence(
    run: Run, world: PastWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "WAIT_S", 0)
    monkeypatch.setattr(site, "LOOK_EVERY_S", 0.01)
    files = _files(tmp_path)
    for path, verb in VERBS:

        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
        @given(words=lines(path, verb, files), typed=st.sampled_from(["y\n", "", "a secret of a store\n"]))
        def law(words: list[str], typed: str) -> None:
            found = run(*words, given=typed, DATABASE_URL=world.url, **NO_GOOGLE)
            assert found.exception is None or isinstance(found.exception, SystemExit), repr(found.exception)
            assert found.exit_code in (0, 1, 2)
            if found.exit_code:
                assert found.output.strip()
                assert not INTERNAL.search(found.stderr), found.stderr

        law()


def test_the_law_knows_every_verb() -> None:
    known = {path for path, _ in verbs(main)}
    assert known > FOR_EVER
    assert ("site", "secret", "revoke") in known
