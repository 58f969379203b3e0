"""The receiver's benchmark runs, and says what it measured. Its figures mean nothing here."""

import json
from pathlib import Path

import pytest

from benchmarks import receiver


@pytest.mark.flow
@pytest.mark.usefixtures("untraced_processes")
def test_a_quick_run_measures_every_contender(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver, "RESULT", tmp_path / "bench" / "receiver.json")
    result = receiver.run(quick=True)
    assert json.loads(receiver.RESULT.read_text()) == result
    assert set(result["measured"]) == {"receiver 1x64", "not_storing 1x64", "plain_app 1x64", "pgbench"}
    assert all(figures["per_second"] > 0 for figures in result["measured"].values())
    assert set(result["ratios"]) == set(result["reached"]) == set(receiver.TARGETS)
    for ratio in receiver.TARGETS:
        assert ratio in receiver.table(result)
