from pathlib import Path

import pytest

from custom_events.errors import NeedsAction
from custom_events.settings import Settings
from supervisor import programs


def test_outside_a_checkout_dagster_says_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "ROOT", tmp_path)
    with pytest.raises(NeedsAction, match="from a checkout"):
        programs.dagster(Settings(_env_file=None))
