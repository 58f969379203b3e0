"""The driver of atheris: what it is told, and what is said of a finding."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fuzzing import __main__ as driver
from fuzzing import drive
from fuzzing.registry import TARGETS
from fuzzing.target import LawBroken, request, request_of, require

STATISTICS = "#9 DONE   cov: 21 ft: 25\nstat::number_of_executed_units: 1234\n"


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(driver, "DIRECTORY", tmp_path)
    return tmp_path


def ends(monkeypatch: pytest.MonkeyPatch, code: int, finding: Path | None = None) -> list[list[str]]:
    """atheris as it would end; the commands that were run."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> Any:
        commands.append(command)
        if finding is not None:
            finding.write_bytes(b"x")
        return SimpleNamespace(returncode=code, stdout="", stderr=STATISTICS)

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def test_a_target_runs_on_its_seeds_and_words(
    monkeypatch: pytest.MonkeyPatch, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = ends(monkeypatch, 0)
    assert driver.main(["--seconds", "7", "csv"]) == 0
    (command,) = commands
    assert command[:4] == [sys.executable, "-m", "fuzzing.drive", "csv"]
    assert "-max_total_time=7" in command
    assert {path.read_bytes() for path in (place / "csv" / "corpus").iterdir()} == set(TARGETS["csv"].seeds())
    assert '"\\x22\\x22"' in (place / "csv" / "words").read_text().splitlines()
    out = capsys.readouterr().out
    assert "1,234 inputs" in out
    assert "nothing found" in out


def test_a_finding_is_named_and_fails(
    monkeypatch: pytest.MonkeyPatch, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "csv" / "findings").mkdir(parents=True)
    ends(monkeypatch, 77, place / "csv" / "findings" / "crash-1")
    assert driver.main(["csv"]) == 1
    assert "findings/crash-1" in capsys.readouterr().out


def test_a_target_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        driver.main(["nothing"])
    assert "no target is called nothing" in capsys.readouterr().err


def test_atheris_is_given_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    class Instrumented:
        def __enter__(self) -> None: ...
        def __exit__(self, *_: object) -> None: ...

    atheris = SimpleNamespace(
        instrument_imports=lambda **_: Instrumented(),
        Setup=lambda *given_parts: calls.append(given_parts),
        Fuzz=lambda: calls.append("fuzz"),
    )
    monkeypatch.setitem(sys.modules, "atheris", atheris)
    drive.main("csv", ["-runs=1"])
    assert calls == [(["fuzz csv", "-runs=1"], TARGETS["csv"].run), "fuzz"]


def test_an_input_is_a_request_without_its_first_line() -> None:
    headers = {"x-a": "1: 2", "x-b": "\xe9"}
    assert request_of(request(headers, b"a\n\nb")) == (headers, b"a\n\nb")
    with pytest.raises(LawBroken, match="a law"):
        require(False, "a law")
