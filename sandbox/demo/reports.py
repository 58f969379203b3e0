"""The demo's reports: built once when its traffic has settled, instead of at the next full hour."""

import time
from typing import Final

from supervisor.processes import Program, Supervisor, end_child, python

NAME: Final = "reports"
LIMIT_S: Final = 300.0  # a build takes 20 s on two idle cores
LOOK_EVERY_S: Final = 0.2
_JOB: Final = ("dagster", "job", "execute", "-m", "orchestration.definitions", "-j", "build_reports")


def build(supervisor: Supervisor, *, program: Program | None = None, limit_s: float = LIMIT_S) -> str:
    """Run Dagster's job that builds the reports, in a process of its own, to its end; what came of it as a sentence. `program`: another
    one in its place."""
    module, *arguments = _JOB
    supervisor.start(program or Program(name=NAME, arguments=python(module, *arguments)))
    child = supervisor.children[NAME]
    assert child.process is not None
    deadline = time.monotonic() + limit_s
    try:
        while (code := child.process.poll()) is None and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY_S)
    finally:
        end_child(child)
        del supervisor.children[NAME]  # it is done: nobody starts it again
    log = supervisor.log_file(NAME)
    if code is None:
        return (
            f"The reports were not built within {limit_s:.0f} s; the job does it at the next full hour. Its log: {log}"
        )
    return "The reports are built." if code == 0 else f"The reports were not built: see {log}"
