"""Landing's benchmark runs, and says what it measured. Its figures mean nothing here."""

import json
from pathlib import Path

import pytest

from benchmarks import filled, landing


@pytest.mark.flow
@pytest.mark.usefixtures("untraced_processes")
def test_a_quick_run_measures_every_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing, "RESULT", tmp_path / "bench" / "landing.json")
    here = Path(landing.__file__).parent.parent
    result = landing.run(landing.QUICK_FILLED, landing.QUICK_DELIVERIES, 1, here)
    assert json.loads(landing.RESULT.read_text()) == result
    assert set(result["measured"]) == set(landing.WAYS)
    for builds in result["measured"].values():
        assert all(figures["wal_bytes"] > 1_000 and figures["receiver_us"] > 0 for figures in builds.values())
    assert set(result["targets"]) == set(result["reached"]) == set(landing.TARGETS)
    for ratio in landing.TARGETS:
        assert f"{ratio:<16}" in filled.table(result)
