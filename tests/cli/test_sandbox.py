import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.google_ads import server
from sandbox.google_ads.click_ids import parse_click_id
from sandbox.google_ads.seed import SandboxSeed
from tests.cli.conftest import Run


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the server was asked to serve; it ends at once with exit code 3."""
    calls: list[Any] = []

    def serve(directory: Path, grpc_port: int, http_port: int, seed: SandboxSeed | None, journal: Path | None) -> int:
        calls.append((directory, grpc_port, http_port, seed, journal))
        return 3

    monkeypatch.setattr(server, "serve", serve)
    return calls


def test_places_and_ports_come_from_the_settings(run: Run, served: list[Any]) -> None:
    result = run("sandbox", "google-ads", CUSTOM_EVENTS_SANDBOX_HTTP_PORT="8555")
    assert result.exit_code == 3
    assert served == [(Path(".local/sandbox"), 50551, 8555, None, None)]


def test_options_go_before_settings(run: Run, served: list[Any], tmp_path: Path) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps({"customers": [{"customer_id": "123-456-7890"}]}))
    options = ["--directory", str(tmp_path), "--grpc-port", "0", "--http-port", "0", "--seed", str(seed)]
    run("sandbox", "google-ads", *options, "--journal", str(tmp_path / "journal"))
    ((directory, grpc_port, http_port, read, journal),) = served
    assert (directory, grpc_port, http_port, journal) == (tmp_path, 0, 0, tmp_path / "journal")
    assert read.customers[0].customer_id == "1234567890"


def test_a_click_that_the_stand_in_knows(run: Run) -> None:
    clicked = parse_click_id(
        "gclid", run("sandbox", "click-id", "--customer", "123-456-7890", "--hours-ago", "0").output.strip()
    )
    assert clicked is not None
    assert (clicked.kind, clicked.customer_id) == ("gclid", "1234567890")
    refused = run("sandbox", "click-id", "--customer", "12")
    assert refused.exit_code == 2
    assert "ten digits" in refused.output
