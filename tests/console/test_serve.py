"""The server as a process: it answers, ends on SIGTERM, and says which port is taken."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from console.serve import bound, check_exposure, check_keys
from custom_events import secrets
from custom_events.access import people
from custom_events.access.roles import Grant, Role
from custom_events.catalog import key_ring
from custom_events.errors import NeedsAction
from custom_events.settings import Settings

ROOT = Path(__file__).parents[2]
LIMIT_S = 60


def _start(database: str, port: int, directory: Path) -> subprocess.Popen[str]:
    variables = {
        **os.environ,
        "DATABASE_URL": database,
        "CUSTOM_EVENTS_CONSOLE_PORT": str(port),
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "console.serve"], env=variables, cwd=directory, stderr=subprocess.PIPE, text=True
    )


def _answers(url: str, process: subprocess.Popen[str]) -> bool:
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return httpx.get(url, trust_env=False).status_code == 200
        except httpx.TransportError:
            time.sleep(0.1)
    return False


def test_it_answers_until_told_to_end(database: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = _start(database, port, tmp_path)
    try:
        assert _answers(f"http://127.0.0.1:{port}/readyz", process)
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, errors
    assert '"process": "console"' in errors


def test_a_taken_port_is_one_line_with_its_setting(database: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = _start(database, taken.getsockname()[1], tmp_path)
        _, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 1
    assert errors.startswith("Error: The console cannot listen on 127.0.0.1 port")
    assert "CUSTOM_EVENTS_CONSOLE_PORT" in errors


def test_where_others_reach_it_there_is_an_administrator_first(
    database: str, engine: sa.Engine, tmp_path: Path
) -> None:
    public = Settings(_env_file=None, local_directory=tmp_path, console_url="https://events.example")
    with pytest.raises(NeedsAction, match="custom-events user add"):
        check_exposure(database, public)
    check_exposure(
        "postgresql://127.0.0.1:1/nothing", Settings(_env_file=None)
    )  # nobody else reaches it: nothing is asked
    with engine.begin() as connection:
        grants = (Grant(role=Role.ADMINISTRATOR),)
        people.add(connection, login="ana", display_name="Ana", grants=grants, actor="me")
    check_exposure(database, public)


def test_it_does_not_start_with_the_keys_of_another_installation(
    database: str, engine: sa.Engine, tmp_path: Path
) -> None:
    without = Settings(_env_file=None, local_directory=tmp_path)
    check_keys(database, without)  # nothing is encrypted yet
    assert not secrets.has_key(without)
    own, another = (Settings(_env_file=None, local_directory=tmp_path / name) for name in ("own", "another"))
    with engine.begin() as connection:
        key_ring.check(connection, secrets.key(own))
    check_keys(database, own)
    with pytest.raises(NeedsAction, match="is missing"):
        check_keys(database, without)
    secrets.key(another)
    with pytest.raises(NeedsAction, match="not the key"):
        check_keys(database, another)
    check_keys("postgresql://127.0.0.1:1/nothing", own)  # it is asked again by whatever needs a key


def test_the_port_is_taken_before_the_database_is_started() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(_env_file=None, console_port=taken.getsockname()[1])
        with pytest.raises(NeedsAction, match="Address already in use"):
            bound(settings)
    bound(Settings(_env_file=None, console_port=0)).close()
