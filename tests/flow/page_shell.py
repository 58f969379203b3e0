"""Pages of the manual executed as they stand there: their blocks, and one shell for all of them."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from custom_events.postgres.account import RunAs

MARK = "---- done"


def blocks_of(page: Path) -> Iterator[tuple[str, str]]:
    """(heading, block) of the page's `sh` blocks that are to be run, in their order."""
    heading = ""
    for part in re.finditer(r"^## ([^\n]*)$|^```sh\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
        heading = part[1] or heading
        if part[2] and not part[2].startswith("# not run:"):
            yield heading, part[2]


class Shell:
    """One bash for all blocks, which ends at the first command that fails. What it started ends with it."""

    def __init__(self, environment: dict[str, str], directory: Path, run_as: RunAs | None = None) -> None:
        self.ended_with: list[subprocess.Popen[bytes]] = []
        self.process = subprocess.Popen(
            ["bash"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=directory,
            env=environment,
            **(run_as or {}),
        )
        self.run("set -euo pipefail")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process.stdin is not None
        for started in self.ended_with:
            started.terminate()
            started.wait()
        if self.process.poll() is None:
            # It is told to end: its input does not, where another process of the tests was forked meanwhile and has it open, too.
            self.process.stdin.write("set +e\nkill $(jobs -p) 2> /dev/null\nwait\nexit\n")
        self.process.communicate(timeout=60)

    def run(self, block: str) -> list[str]:
        """The lines of its output, without empty ones."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{block}\necho; echo '{MARK}'\n")
        self.process.stdin.flush()
        lines: list[str] = []
        for line in self.process.stdout:
            if line.strip() == MARK:
                return lines
            lines += [line.rstrip()] if line.strip() else []
        pytest.fail(f"{block}\nended the shell: {lines}")
