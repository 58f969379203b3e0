"""The demo's jobs, each run by a process of its own that is not started again."""

from pathlib import Path

import pytest

from orchestration import jobs
from sandbox.demo import nightly_jobs
from supervisor.processes import Program, Supervisor, python

JOB = nightly_jobs.JOBS[-1]


@pytest.fixture
def supervisor(tmp_path: Path) -> Supervisor:
    return Supervisor(tmp_path / "logs", {})


@pytest.mark.parametrize(
    ("arguments", "limit_s", "said"),
    [
        (("-c", "print('built')"), 60.0, "The reports: ready."),
        (("-c", "raise SystemExit(3)"), 60.0, "The reports: failed, see "),
        (("-c", "import time; time.sleep(600)"), 0.5, "The reports: not there within "),
    ],
)
def test_what_came_of_it_is_said(supervisor: Supervisor, arguments: tuple[str, ...], limit_s: float, said: str) -> None:
    interpreter = python("x")[0]
    program = Program(name=JOB.name, arguments=[interpreter, *arguments])
    assert nightly_jobs.run(supervisor, JOB, program=program, limit_s=limit_s).startswith(said)
    assert supervisor.children == {}


@pytest.mark.parametrize("job", nightly_jobs.JOBS, ids=lambda job: job.name)
def test_each_is_a_job_of_dagster(job: nightly_jobs.Job) -> None:
    assert getattr(jobs, job.name).name == job.name
