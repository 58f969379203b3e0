"""The demo's reports, built by a process of its own that is not started again."""

from pathlib import Path

import pytest

from sandbox.demo import reports
from supervisor.processes import Program, Supervisor, python


@pytest.fixture
def supervisor(tmp_path: Path) -> Supervisor:
    return Supervisor(tmp_path / "logs", {})


@pytest.mark.parametrize(
    ("arguments", "limit_s", "said"),
    [
        (("-c", "print('built')"), 60.0, "The reports are built."),
        (("-c", "raise SystemExit(3)"), 60.0, "The reports were not built: see "),
        (("-c", "import time; time.sleep(600)"), 0.5, "The reports were not built within "),
    ],
)
def test_what_came_of_it_is_said(supervisor: Supervisor, arguments: tuple[str, ...], limit_s: float, said: str) -> None:
    interpreter = python("x")[0]
    program = Program(name=reports.NAME, arguments=[interpreter, *arguments])
    assert reports.build(supervisor, program=program, limit_s=limit_s).startswith(said)
    assert supervisor.children == {}
