"""The sandbox as a process of its own: it says how to reach it, and ends cleanly on a signal."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.google_ads.server import SandboxGoogle, main

ROOT = Path(__file__).parents[3]
DEADLINE_S = 60


def wait_for(condition: Callable[..., Any]) -> dict[str, Any]:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"nothing within {DEADLINE_S} s")


def test_it_ends_cleanly_on_sigterm(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sandbox.google_ads.server", "--directory", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        lines = []
        while not lines or "Ready" not in lines[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1], "the process ended before it was ready"
        url = re.search(r"HTTP (http://\S+)", lines[0])[1]
        assert requests.get(f"{url}/control/health", timeout=30).json() == {"ok": True}
        assert f"export GRPC_DEFAULT_SSL_ROOTS_FILE_PATH={tmp_path}/ca.pem\n" in lines
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 0


def test_serving_in_the_foreground_until_ctrl_c(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text('{"customers": [{"customer_id": "4444444444"}]}')
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    seen = []

    def interrupt() -> Any:
        def dump() -> Any:
            try:
                return requests.get(f"http://127.0.0.1:{port}/control/dump", timeout=5).json()
            except requests.ConnectionError:
                return None

        try:
            seen.append(wait_for(dump))
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=interrupt)
    thread.start()
    assert main(["--directory", str(tmp_path), "--http-port", str(port), "--seed", str(seed)]) == 0
    thread.join()
    assert seen[0]["conversions"] == []
    assert "export GOOGLE_ADS_ENDPOINT=localhost:" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGINT) is before


def test_a_taken_port_is_an_error_and_leaves_nothing_running(google: SandboxGoogle, tmp_path: Path) -> None:
    port = int(google.http_url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        SandboxGoogle.start(tmp_path, http_port=port)
    grpc_port = int(google.grpc_endpoint.rpartition(":")[2])
    with pytest.raises(RuntimeError):
        SandboxGoogle.start(tmp_path, grpc_port=grpc_port)


def test_stopping_twice_and_with_open_connections(tmp_path: Path) -> None:
    sandbox = SandboxGoogle.start(tmp_path)
    with requests.Session() as session:
        assert session.get(f"{sandbox.http_url}/control/health", timeout=30).status_code == 200
        before = threading.active_count()
        sandbox.stop()
        sandbox.stop()
        assert threading.active_count() < before
