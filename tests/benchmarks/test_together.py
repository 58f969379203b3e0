"""All benchmarks in one command: the table of targets, and what counts as a failure."""

import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as together


def test_the_table_shows_each_target_and_whether_it_was_reached() -> None:
    result = {
        "ratios": {"of_copying": 0.41, "of_dlt": 7.5, "of_nothing": 1},
        "targets": {"of_copying": 0.4, "of_dlt": 8.0},
        "reached": {"of_copying": True, "of_dlt": False},
    }
    lines = together.table(together.rows("pipeline", result)).splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["pipeline", "of_copying", "0.41", "0.4", "reached"],
        ["pipeline", "of_dlt", "7.5", "8.0", "MISSED"],
    ]


def test_one_that_breaks_off_is_named_and_the_others_run_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)  # no benchmark can be imported from here
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "matching", "day"])
    assert together.main() == 1
    shown = capfd.readouterr().err
    assert "[2/2] day" in shown
    assert "matching failed" in shown
    assert "day failed" in shown


def test_a_name_that_is_none_is_refused_with_the_names_there_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "matching", "speed"])
    with pytest.raises(SystemExit):
        together.main()
    assert "no such benchmark: speed (there are receiver, " in capsys.readouterr().err


def test_every_benchmark_is_in_the_list() -> None:
    there = {path.stem for path in Path(together.__file__).parent.glob("*.py") if "__main__" not in path.stem}
    alone = {
        name
        for name in there
        if "\n    python -m benchmarks." in (Path(together.__file__).parent / f"{name}.py").read_text()
    }
    assert set(together.NAMES) == alone
