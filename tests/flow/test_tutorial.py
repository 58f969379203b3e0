"""docs/tutorial/first-conversion.md, executed as it stands there, up to the conversion that the stand-in for Google has taken.

Where the page starts everything, the receiver alone is started (tests/flow/test_readme.py starts everything), and the two runs that
Dagster would begin are called by hand, as processes of the page's own shell: what it exported leads them to the stand-in.
"""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.flow import stack
from tests.flow.page_shell import Shell, blocks_of

PAGE = stack.ROOT / "docs/tutorial/first-conversion.md"
PORTS = ("CUSTOM_EVENTS_RECEIVER_PORT",)
UP = "custom-events up > up.txt 2>&1 &\n"
RUNS = """
from custom_events.ledger import send
from custom_events.pipeline.drain import drain_sync
from custom_events.postgres.connect import engine
from custom_events.settings import settings
url = settings().database_url.get_secret_value()
drain_sync(url, settings(), until_idle_s=0.2, limit_s=60)
send.drain(engine(url), settings(), until_idle_s=0.2, limit_s=60)
"""


@pytest.fixture
def environment(empty_database: str, tmp_path: Path) -> dict[str, str]:
    """An installation of the test's own; `custom-events` is this checkout's."""
    programs = tmp_path / "programs"
    programs.mkdir()
    command = programs / "custom-events"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m cli.main "$@"\n')
    command.chmod(0o755)
    made = stack.environment(tmp_path / "local", PORTS)
    return made | {
        "PATH": f"{programs}:{made['PATH']}",
        "DATABASE_URL": empty_database,
        "CUSTOM_EVENTS_SECRET_KEY": Fernet.generate_key().decode(),
        "CUSTOM_EVENTS_RECEIVER_URL": f"http://127.0.0.1:{made[PORTS[0]]}",
    }


@pytest.fixture
def shell(environment: dict[str, str], tmp_path: Path) -> Iterator[Shell]:
    with Shell(environment, tmp_path) as started:
        yield started


@pytest.mark.long
@pytest.mark.flow
@pytest.mark.timeout(560)
@pytest.mark.usefixtures("untraced_processes")
def test_the_page_as_it_stands(shell: Shell, environment: dict[str, str], tmp_path: Path) -> None:
    said: dict[str, list[str]] = {}
    receiver = [sys.executable, "-m", "ingest_api.serve"]
    for heading, block in blocks_of(PAGE):
        if block == UP:
            started = subprocess.Popen(receiver, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL)
            shell.ended_with.append(started)
            address = f"http://127.0.0.1:{environment[PORTS[0]]}/readyz"
            stack.until(lambda at=address: stack.answers(at), "the receiver", stack.START_LIMIT_S)
            continue
        if heading.endswith("Its way to Google") and heading not in said:
            shell.run(f"{shlex.quote(sys.executable)} -c {shlex.quote(RUNS)}")
        said.setdefault(heading, []).extend(shell.run(block))
    assert any(line.endswith("steps.") and line.startswith("Applied: ") for line in said["4. A rule"])
    way = "\n".join(said["7. Its way to Google"])
    for words in ("signature verified", "order.paid:A-1", "all orders", "120.00 EUR", "accepted"):
        assert words in way
    assert re.search(r"^received +1 = landed 1 \+ refused 0$", way, re.MULTILINE)
    assert "The sums agree." in way
