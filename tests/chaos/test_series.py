"""The series of chaos runs: a row for each run, also for one that is not clean, and their sums."""

import json
from pathlib import Path

import pytest

from chaos import series
from chaos.report import document
from chaos.run import Result

FIGURES = {
    "seed": 7,
    "whole": False,
    "events": 50_000,
    "faults": {"kill -9 receiver": 300, "disk full": 200},
    "deaths_of_postgresql": 90,
    "attempts": {"200": 50_000, "no answer": 12},
    "answers": {series.UNDER_FAULT: {"answers": 9, "p50_ms": 4.0, "p99_ms": 800.5, "busy": 1}},
    "there": {"conversions at Google": 1_200},
    "seconds": {"quiet": 90.0, "disturbed": 400.0},
    "lost": [],
    "doubled": [],
    "wrong": [],
}


def test_runs_are_added_and_summed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "proof" / "series.md"
    runs = iter(
        [
            FIGURES,
            FIGURES
            | {"seed": 8, "whole": True, "lost": ["delivery 1"], "answers": {series.UNDER_FAULT: {"answers": 0}}},
        ]
    )
    monkeypatch.setattr(series, document.__name__, lambda _: next(runs))
    result: Result = None  # type: ignore[assignment]  # only handed on to `document`
    series.add(result, page)
    series.add(result, page)
    text = page.read_text()
    assert "**2 runs: 100,000 posts, 1,000 faults, PostgreSQL died 180 times; lost 1, doubled 0, wrong 0.**" in text
    lines = [line for line in text.splitlines() if line.startswith("| 20")]
    assert lines[0].split(" | ")[1:] == ["50,000", "500", "90", "12", "4.0", "800.5", "1,200", "0, 0, 0 |"]
    assert ", 8, with Dagster | " in lines[1]
    assert lines[1].endswith(" |  |  | 1,200 | 1, 0, 0 |")
    kept = json.loads(page.with_suffix(".json").read_text())
    assert [run["seed"] for run in kept] == [7, 8]
    assert "Since" not in text
    noted = series.markdown([kept[1] | {"note": "a delivery was lost; mended."}, kept[0]])
    assert (
        "Since the last of the notes below: 1 runs: 50,000 posts, 500 faults, PostgreSQL died 90 times; lost 0, "
        in noted
    )
    assert noted.endswith("\n\n- 8: a delivery was lost; mended.\n")
