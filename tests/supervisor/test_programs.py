from pathlib import Path

import pytest

from custom_events.errors import NeedsAction
from custom_events.settings import Settings
from orchestration import dbt_project
from supervisor import programs


def test_without_models_dagster_says_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dbt_project, "PROJECT_DIRECTORY", tmp_path)
    with pytest.raises(NeedsAction, match="the models of dbt"):
        programs.dagster(Settings(_env_file=None))
