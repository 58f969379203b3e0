"""Dagster's jobs that the demo runs once when its traffic has settled, instead of waiting for their schedules."""

import time
from typing import Final, NamedTuple

from supervisor.processes import Program, Supervisor, end_child, python

LIMIT_S: Final = 300.0  # a build of the reports takes 20 s on two idle cores
LOOK_EVERY_S: Final = 0.2


class Job(NamedTuple):
    """A job of orchestration/jobs.py, what comes of it, and when Dagster does it by itself."""

    name: str
    result: str
    schedule: str


JOBS: Final = (
    Job("reconcile_uploads", "Google's own counts beside ours", "once a day"),
    Job("build_reports", "The reports", "at the next full hour"),  # after the counts, which one of them shows
)


def run(supervisor: Supervisor, job: Job, *, program: Program | None = None, limit_s: float = LIMIT_S) -> str:
    """Run a job in a process of its own, to its end; what came of it as a sentence. `program`: another one in its place."""
    module, *arguments = ("dagster", "job", "execute", "-m", "orchestration.definitions", "-j", job.name)
    supervisor.start(program or Program(name=job.name, arguments=python(module, *arguments)))
    child = supervisor.children[job.name]
    assert child.process is not None
    deadline = time.monotonic() + limit_s
    try:
        while (code := child.process.poll()) is None and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY_S)
    finally:
        end_child(child)
        del supervisor.children[job.name]  # it is done: nobody starts it again
    log = supervisor.log_file(job.name)
    if code is None:
        return f"{job.result}: not there within {limit_s:.0f} s; Dagster does it {job.schedule}. Its log: {log}"
    return f"{job.result}: ready." if code == 0 else f"{job.result}: failed, see {log}"
