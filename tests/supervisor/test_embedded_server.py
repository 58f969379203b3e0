"""The embedded server comes back under those who use it."""

import os
import signal
import threading
import time
from pathlib import Path

import psycopg
import pytest

from custom_events.errors import NeedsAction
from custom_events.postgres import embedded
from supervisor.embedded_server import EmbeddedWatch

PATIENCE_S = 60.0


def said_until(watch: EmbeddedWatch, last: str) -> list[str]:
    said: list[str] = []
    deadline = time.monotonic() + PATIENCE_S
    while last not in said and time.monotonic() < deadline:
        said += watch.tend()
        time.sleep(0.05)
    return said


def test_a_killed_server_is_started_again(server_directory: Path) -> None:
    with embedded.start(server_directory, fast=True) as held:
        watch = EmbeddedWatch(held)
        assert watch.tend() == ()
        os.kill(int((server_directory / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        assert said_until(watch, "The embedded PostgreSQL runs again.") == [
            "The embedded PostgreSQL has died, and is started again.",
            "The embedded PostgreSQL runs again.",
        ]
        with psycopg.connect(held.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        watch.stop()


class Broken:
    """A server that does not come up."""

    def __init__(self) -> None:
        self.may_fail = threading.Event()

    def is_running(self) -> bool:
        return False

    def revive(self) -> None:
        self.may_fail.wait(PATIENCE_S)
        raise NeedsAction("The disk is full.")


def test_one_that_does_not_come_up_says_why() -> None:
    server = Broken()
    watch = EmbeddedWatch(server)  # type: ignore[arg-type]
    assert len(watch.tend()) == 1
    assert watch.tend() == ()
    server.may_fail.set()
    watch.stop()
    with pytest.raises(NeedsAction, match="The disk is full"):
        watch.tend()
