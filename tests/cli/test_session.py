"""Beside a running demo every verb knows its stand-in for Google; on a server of one's own none does."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from cli import session
from cli.checks import examine
from cli.main import main
from custom_events.settings import DEMO_FILE, Settings, settings
from sandbox.demo import google
from sandbox.google_ads.certificates import TRUST_VARIABLE
from tests.cli.conftest import Run

Prepare = Callable[..., Settings]


@pytest.fixture
def prepare(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Prepare]:
    """What a verb that is started with these variables, and no others of ours, begins with; in an empty directory."""

    def begin(**variables: str) -> Settings:
        ours = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
        monkeypatch.setattr(os, "environ", {**ours, **variables})
        settings.cache_clear()
        with click.Context(main):
            return session.prepared()

    yield begin
    settings.cache_clear()


@pytest.fixture
def demo(tmp_path: Path) -> Settings:
    """What a demo leaves while it runs."""
    configured = Settings(
        _env_file=None, local_directory=tmp_path / ".local", sandbox_grpc_port=50999, receiver_port=8999
    )
    google.write_variables(configured)
    return configured


def test_a_verb_beside_a_demo_knows_its_stand_in(prepare: Prepare, demo: Settings) -> None:
    found = prepare()
    assert (found.google_ads_endpoint, found.receiver_port) == ("localhost:50999", 8999)
    assert found.google_json_key_file is not None
    assert found.google_json_key_file.is_file()
    assert Path(os.environ[TRUST_VARIABLE]).is_file()  # read by gRPC itself
    assert "a demo runs, and its stand-in for Google is used" in next(iter(examine(found))).found
    assert (demo.local_directory / DEMO_FILE).stat().st_mode & 0o077 == 0


def test_what_is_set_counts_more_than_the_demo(prepare: Prepare, demo: Settings, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GOOGLE_ADS_ENDPOINT=of.a.file:1\n")
    found = prepare(CUSTOM_EVENTS_RECEIVER_PORT="8100")
    assert (found.google_ads_endpoint, found.receiver_port) == ("of.a.file:1", 8100)


def test_a_server_of_ones_own_means_google(prepare: Prepare, demo: Settings) -> None:
    found = prepare(DATABASE_URL="postgresql://me@db.example/events")
    assert (found.google_ads_endpoint, found.receiver_port) == (None, 8000)
    assert TRUST_VARIABLE not in os.environ


def test_nothing_is_left_after_the_demo_and_nothing_for_a_server_of_ones_own(prepare: Prepare, demo: Settings) -> None:
    google.remove_variables(demo)
    google.remove_variables(demo)
    assert prepare().google_ads_endpoint is None
    google.write_variables(demo.model_copy(update={"database_url": "postgresql://me@db.example/events"}))
    assert not (demo.local_directory / DEMO_FILE).exists()
