"""The system account that the embedded server runs as.

PostgreSQL refuses to run as root. Where we are root (containers, CI) it runs as the account `pgserver`, which is made if it
does not exist; everywhere else it runs as ourselves and nothing here does anything.
"""

import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path
from typing import TypedDict

import structlog

from custom_events.errors import NeedsAction

ACCOUNT = "pgserver"
ROOT = 0
SYSTEM_PROGRAMS = "/usr/sbin:/sbin"  # where Debian has useradd; not every shell of root looks there


class RunAs(TypedDict, total=False):
    """Arguments of subprocess.run."""

    user: int
    group: int
    extra_groups: list[int]


def run_as() -> RunAs:
    """How to start one of PostgreSQL's programs."""
    if os.geteuid() != ROOT:
        return {}
    entry = _entry()
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def owner_id() -> int:
    """User id that owns the server's files."""
    return os.geteuid() if os.geteuid() != ROOT else _entry().pw_uid


def hand_over(path: Path) -> None:
    """Give `path` to the account."""
    if os.geteuid() == ROOT:
        entry = _entry()
        os.chown(path, entry.pw_uid, entry.pw_gid)


def let_through(path: Path) -> None:
    """Let the account pass through the directories above `path`: search permission only, nothing becomes readable."""
    if os.geteuid() != ROOT:
        return
    for parent in path.parents:
        mode = stat.S_IMODE(parent.stat().st_mode)
        if not mode & stat.S_IXOTH:
            structlog.get_logger().info("directory_opened_for_search", directory=str(parent), account=ACCOUNT)
            parent.chmod(mode | stat.S_IXOTH)


def let_read(tree: Path) -> None:
    """Let the account read and run what is below `tree`, an installation that umask 077 made private."""
    if os.geteuid() != ROOT:
        return
    for path in [tree, *tree.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        wanted = mode | (mode & (stat.S_IRUSR | stat.S_IXUSR)) >> 6
        if wanted != mode:
            path.chmod(wanted)


def _entry() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        wrong = _make()
    try:
        return pwd.getpwnam(ACCOUNT)  # made by us, or by another process at the same moment
    except KeyError:
        raise NeedsAction(
            f"PostgreSQL does not run as root, and the account {ACCOUNT} could not be made ({wrong}): "
            "run as another user, or set DATABASE_URL."
        ) from None


def _make() -> str:
    """Make the account; what was wrong, in the words of the program that makes it."""
    program = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:{SYSTEM_PROGRAMS}")
    if program is None:
        return "there is no program useradd"
    arguments = [program, "--system", "--no-create-home", "--shell", "/bin/false", ACCOUNT]
    return subprocess.run(arguments, capture_output=True, text=True, check=False).stderr.strip()  # noqa: S603
