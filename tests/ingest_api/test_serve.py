"""The receiver as a process: its port, its workers, its end."""

import asyncio
import base64
import gc
import logging
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import structlog
from cryptography.fernet import Fernet

from custom_events.errors import NeedsAction
from custom_events.settings import Settings, as_variables
from custom_events.settings import settings as read_settings
from ingest_api import serve
from ingest_api.app import Receiver, create_app

Make = Callable[..., Settings]
START_LIMIT_S = 90.0


@pytest.fixture(autouse=True)
def unchanged_process() -> Iterator[None]:
    """What `main` changes in its own process is put back."""
    environment, handler = dict(os.environ), signal.getsignal(signal.SIGTERM)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGTERM, handler)
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
    read_settings.cache_clear()


class Served:
    """Stands for uvicorn's server and for its supervisor of workers."""

    served: list[tuple[str, Any, dict[str, str]]] = []  # noqa: RUF012  (what was served, kind by kind)
    kind = "one"

    def __init__(self, config: Any, sockets: list[socket.socket] | None = None) -> None:
        self.config = config

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        self.served.append((self.kind, self.config, dict(os.environ)))


class ServedByMany(Served):
    kind = "many"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any, dict[str, str]]]:
    monkeypatch.setattr(serve.uvicorn, "Server", Served)
    monkeypatch.setattr(serve, "Multiprocess", ServedByMany)
    monkeypatch.setattr(Served, "served", [])
    return Served.served


def test_one_worker_serves_in_this_process(receiver_settings: Make, served: list[Any]) -> None:
    serve.main(receiver_settings(receiver_port=0, body_limit_bytes=77))
    ((kind, config, environment),) = served
    assert (kind, config.workers, config.access_log) == ("one", 1, False)
    assert environment["CUSTOM_EVENTS_BODY_LIMIT_BYTES"] == "77"
    assert "PROMETHEUS_MULTIPROC_DIR" not in environment


def test_several_workers_sum_their_figures(receiver_settings: Make, served: list[Any]) -> None:
    settings = receiver_settings(receiver_port=0, receiver_workers=2)
    serve.main(settings)
    ((kind, config, environment),) = served
    assert (kind, config.workers) == ("many", 2)
    assert environment["DATABASE_URL"] == settings.database_url.get_secret_value()  # type: ignore[union-attr]
    assert not Path(environment["PROMETHEUS_MULTIPROC_DIR"]).exists(), "removed at the end"


def test_a_port_in_use_is_named_with_its_setting(receiver_settings: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(NeedsAction, match=f"port {port} .Address already in use.*CUSTOM_EVENTS_RECEIVER_PORT"):
            serve.main(receiver_settings(receiver_port=port))


@pytest.mark.parametrize(
    "reached", [{"receiver_host": "0.0.0.0"}, {"receiver_url": "https://events.example"}], ids=["listens", "is found"]
)
def test_where_others_reach_it_its_key_was_not_typed(receiver_settings: Make, reached: dict[str, str]) -> None:
    typed = base64.urlsafe_b64encode(b"0123456789abcdef" * 2).decode()
    with pytest.raises(NeedsAction, match="custom-events secrets new-key"):
        serve.check_exposure(receiver_settings(secret_key=typed, **reached))
    serve.check_exposure(receiver_settings(**reached))
    serve.check_exposure(receiver_settings(secret_key=typed))


@pytest.mark.usefixtures("sites")
def test_with_a_key_of_another_database_it_does_not_start(receiver_settings: Make, served: list[Any]) -> None:
    """By the receiver's own rights."""
    another = receiver_settings(receiver_port=0, secret_key=Fernet.generate_key().decode())
    with pytest.raises(NeedsAction, match="Set CUSTOM_EVENTS_SECRET_KEY to that one"):
        serve.main(another)
    assert served == []
    serve.main(receiver_settings(receiver_port=0))
    assert len(served) == 1


def test_it_starts_where_the_check_cannot_be_read(receiver_settings: Make, log: list[Any]) -> None:
    away = receiver_settings(secret_key=Fernet.generate_key().decode())
    serve.check_key(away, "postgresql://nobody@127.0.0.1:1/nowhere")
    assert [line["event"] for line in log] == ["key_not_checked"]


def test_the_environment_makes_the_same_settings(receiver_settings: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = receiver_settings(receiver_port=81, site_cache_s=0.5)
    for name, value in as_variables(made).items():
        monkeypatch.setenv(name, value)
    assert Settings() == made  # pyright: ignore[reportCallIssue]


def test_told_to_end_it_leaves_through_its_blocks() -> None:
    with pytest.raises(SystemExit) as left:
        serve._end(signal.SIGTERM, None)
    assert left.value.code == 0


def test_a_worker_ends_with_the_process_that_started_it(
    receiver_settings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in as_variables(receiver_settings()).items():
        monkeypatch.setenv(name, value)
    read_settings.cache_clear()
    ended: list[tuple[int, int]] = []
    monkeypatch.setattr(serve.os, "kill", lambda *told: ended.append(told))

    async def scenario(parent: Any) -> None:
        monkeypatch.setattr(serve.multiprocessing, "parent_process", lambda: parent)
        usual = gc.get_threshold()
        try:
            assert isinstance(serve.application(), Receiver)
            assert gc.get_threshold() == serve.GC_THRESHOLDS
        finally:
            gc.unfreeze()
            gc.set_threshold(*usual)

    asyncio.run(scenario(None))
    ours, theirs = socket.socketpair()

    class Parent:
        sentinel = ours.fileno()

    async def dying() -> None:
        await scenario(Parent())
        theirs.close()
        async with asyncio.timeout(10):
            while not ended:
                await asyncio.sleep(0.01)

    with ours:
        asyncio.run(dying())
    assert ended[0] == (os.getpid(), signal.SIGTERM)


@contextmanager
def process(settings: Settings) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A receiver of its own on a free port, and its address once it is ready."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | as_variables(settings) | {"CUSTOM_EVENTS_RECEIVER_PORT": str(port)}
    started = subprocess.Popen([sys.executable, "-m", "ingest_api.serve"], env=environment, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + START_LIMIT_S
        while True:
            try:
                urllib.request.urlopen(f"{address}/readyz", timeout=10).close()
                break
            except OSError:
                assert started.poll() is None, "it ended at once"
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield started, address
    finally:
        if started.poll() is None:
            started.kill()
        started.wait(START_LIMIT_S)


@pytest.mark.flow
def test_workers_share_a_port_and_their_figures_and_none_is_orphaned(receiver_settings: Make, sites: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        scraped = free.getsockname()[1]
    with process(receiver_settings(receiver_workers=2, receiver_figures_port=scraped)) as (started, address):
        request = urllib.request.Request(f"{address}/webhooks/shopify/nobody", data=b"x")
        with pytest.raises(urllib.error.HTTPError, match="401") as refused:
            urllib.request.urlopen(request, timeout=10)
        refused.value.close()
        with urllib.request.urlopen(f"http://127.0.0.1:{scraped}/metrics", timeout=10) as figures:
            assert b'refused_total{platform="shopify",reason="no_such_site"} 1.0' in figures.read()
        workers = psutil.Process(started.pid).children(recursive=True)
        assert len(workers) >= 2
        started.kill()
        _, alive = psutil.wait_procs(workers, timeout=30)
        assert not alive


def test_figures_have_a_port_of_their_own_and_one_that_is_taken_stops_nothing(
    receiver_settings: Make, log: list[dict[str, Any]]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serve._scrapes(receiver_settings(receiver_figures_port=port)):
            pass
    assert [line["event"] for line in log] == ["figures_not_served"]
    create_app(receiver_settings())
    with (
        serve._scrapes(receiver_settings(receiver_figures_port=port)),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as figures,
    ):
        assert b"custom_events_receiver_queue_depth" in figures.read()
