"""docs/how-to/configure-by-api.md, executed as it stands there: from an empty database to an upload, by curl alone.

The receiver and the console are processes, the drain is the real one, run once where the page says that a few seconds pass. Instead of
500 sites, here it is `SITES`: enough for an operation.
"""

import json
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from custom_events.pipeline.drain import drain_sync
from custom_events.settings import Settings
from tests.flow import stack
from tests.flow.page_shell import Shell, blocks_of

PAGE = stack.ROOT / "docs/how-to/configure-by-api.md"
PORTS = ("CUSTOM_EVENTS_RECEIVER_PORT", "CUSTOM_EVENTS_CONSOLE_PORT")
DRAIN_LIMIT_S = 60.0
SITES = 55
# What the page uses of jq: one field, by its path. CI's machines may be without it.
JQ = r"""#!/usr/bin/env python3
import json, re, sys
found = json.load(sys.stdin)
for name, place in re.findall(r"\.(\w+)|\[(\d+)\]", sys.argv[2]):
    found = found[name] if name else found[int(place)]
print(found)
"""


@pytest.fixture
def environment(empty_database: str, tmp_path: Path) -> dict[str, str]:
    """An installation of the test's own; `custom-events` and `jq` are found first on the path."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, text in (("custom-events", f'#!/bin/sh\nexec {sys.executable} -m cli.main "$@"\n'), ("jq", JQ)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    made = stack.environment(tmp_path / "local", PORTS)
    return made | {
        "PATH": f"{programs}:{made['PATH']}",
        "HOME": str(tmp_path),
        "DATABASE_URL": empty_database,
        "CUSTOM_EVENTS_SECRET_KEY": Fernet.generate_key().decode(),
        "CUSTOM_EVENTS_RECEIVER_URL": f"http://127.0.0.1:{made[PORTS[0]]}",
        "SITES": str(SITES),
        "CONSOLE": f"http://127.0.0.1:{made[PORTS[1]]}",
    }


@pytest.mark.long
def test_the_page_as_it_stands(environment: dict[str, str], tmp_path: Path) -> None:
    said: dict[str, list[list[str]]] = {}
    with ExitStack() as running:
        shell = running.enter_context(Shell(environment, tmp_path))
        for number, (heading, block) in enumerate(blocks_of(PAGE)):
            if number == 1:  # the database is there now
                start(running, environment, tmp_path)
            if heading == "What became of them" and heading not in said:
                settings = Settings(_env_file=None, database_url=environment["DATABASE_URL"])
                drained = drain_sync(environment["DATABASE_URL"], settings, until_idle_s=0.2, limit_s=DRAIN_LIMIT_S)
                assert drained.raw == 2
            said.setdefault(heading, []).append(shell.run(block))
    assert said["Somebody who may"][1:] == [["ana@example.org"], ["ana@example.org"]]
    assert said["Where conversions go"] == [["1234567890", "Loyal customer"]]
    drafted, refused = said["A definition with conditions and a threshold"]
    assert drafted == ["draft"]
    problem: dict[str, Any] = json.loads(refused[-1])
    assert {error["field"] for error in problem["errors"]} == {"config.click_window_days", "config.threshold.at_least"}
    (tried,), changed = said["Try it, then publish it"]
    assert "threshold" in tried
    assert changed == ["Comes back, and spends.", 'dedup: added {"per":"customer"}', "published", "1234567890/7001"]
    assert said["Two signed orders"][0][-1] == "order.paid"
    (first, second), ledger = said["What became of them"]
    assert "threshold" in first
    assert "queued" in second
    state, held, due, done = ledger
    assert (state, held, done) == ("queued", "held", "uploads.release")
    assert datetime.fromisoformat(due) <= datetime.now(UTC)
    assert said["What a change would do"] == [["succeeded", "1"]]
    made, done = said["The same for five hundred sites"]
    assert made == []
    assert done == ["succeeded", str(SITES), "succeeded", "all orders", "succeeded", str(SITES)]


def start(running: ExitStack, environment: dict[str, str], directory: Path) -> None:
    """The receiver and the console, until they answer; both are ended with `running`."""
    for module, port in zip(("ingest_api.serve", "console.serve"), PORTS, strict=True):
        with (directory / f"{module}.log").open("wb") as log:
            command = [sys.executable, "-m", module]
            process = subprocess.Popen(command, cwd=directory, env=environment, stdout=log, stderr=subprocess.STDOUT)
        running.enter_context(process)
        running.callback(process.terminate)
        address = f"http://127.0.0.1:{environment[port]}/readyz"
        log_file = directory / f"{module}.log"
        stack.until(lambda at=address: stack.answers(at), module, stack.START_LIMIT_S, log_file.read_text)
