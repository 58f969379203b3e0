import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from cli.main import main
from custom_events.settings import settings

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """`run("status", "--json", DATABASE_URL=...)`: the command in an empty directory, with these variables and no others of ours."""
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def invoke(*arguments: str, given: str | None = None, **variables: str) -> Result:
        settings.cache_clear()
        return CliRunner().invoke(main, arguments, env=variables, input=given)

    yield invoke
    settings.cache_clear()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
