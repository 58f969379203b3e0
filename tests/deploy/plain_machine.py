"""A machine that is a directory, on which docs/how-to/deploy.md is typed as it stands there; and releases to install on it."""

import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pytest

from cli import distribution
from tests.deploy.systemd_stand_in import PLACES, placed
from tests.flow import stack
from tests.flow.page_shell import Shell, blocks_of

PAGE: Final = stack.ROOT / "docs/how-to/deploy.md"
TUTORIAL: Final = stack.ROOT / "docs/tutorial/first-conversion.md"
STAND_IN: Final = Path(__file__).with_name("systemd_stand_in.py")
OLDER: Final = "0.9.0"  # no release had this number
PASSWORD: Final = "correct horse battery staple 21"
# `make plain-machine`: pip brings every package of others, as on a machine that has none.
WHOLE: Final = bool(os.environ.get("CUSTOM_EVENTS_TEST_PLAIN_MACHINE"))


def release(target: Path, version: str) -> Path:
    """What `make dist` writes, into `target`, as of this version."""
    project = target.with_name(f"{target.name}.toml")
    text = (distribution.ROOT / "pyproject.toml").read_text()
    project.write_text(text.replace(f'\nversion = "{distribution.version()}"\n', f'\nversion = "{version}"\n'))
    sources = {**dict(distribution.sources()), "pyproject.toml": project}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(distribution, "sources", sources.items)
        distribution.main(target)
    return target


class PlainMachine:
    """Its root directory, and root's shell."""

    def __init__(self, root: Path, database_url: str) -> None:
        self.root = root
        for place in PLACES:
            (root / place.removeprefix("/")).parent.mkdir(parents=True, exist_ok=True)
        for name in ("bin", "run", "etc/systemd/system"):
            (root / name).mkdir(exist_ok=True)
        for name in ("systemctl", "systemd-run"):
            self._program(name, f'exec {shlex.quote(sys.executable)} {shlex.quote(str(STAND_IN))} {name} "$@"')
        self._program("useradd", ":")
        self._program("python3", f'{shlex.quote(sys.executable)} "$@"' + ("" if WHOLE else _lent_packages()))
        inherited = stack.environment(root, ())
        del inherited["PYTHONPATH"]
        self.shell = Shell(
            inherited
            | {
                "PATH": f"{root / 'bin'}:{inherited['PATH']}",
                "MACHINE": str(root),
                "DATABASE_URL": database_url,
                "PASSWORD": PASSWORD,
            },
            root,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.unit.exists():  # not by the shell, which a command that failed has ended
            stop = [sys.executable, str(STAND_IN), "systemctl", "stop", "custom-events"]
            subprocess.run(stop, env={**os.environ, "MACHINE": str(self.root)}, check=False, timeout=120)
        self.shell.__exit__(kind, error, trace)

    @property
    def unit(self) -> Path:
        """Where the unit is while it is installed."""
        return self.root / "etc/systemd/system/custom-events.service"

    def place(self, path: str) -> Path:
        """A path of the page, on this machine."""
        return Path(placed(path, self.root))

    def type(self, block: str) -> str:
        """What a block says, typed as it stands there."""
        return "\n".join(self.shell.run(placed(block, self.root)))

    def blocks(self, heading: str, page: Path = PAGE) -> list[str]:
        """The page's blocks that are executed, below a heading."""
        return [block for title, block in blocks_of(page) if title == heading]

    def log(self) -> str:
        """What the service has written."""
        return (self.root / "run/custom-events.log").read_text(errors="replace")

    def _program(self, name: str, line: str) -> None:
        file = self.root / "bin" / name
        file.write_text(f"#!/bin/bash\n{line}\n")
        file.chmod(0o755)


def _lent_packages() -> str:
    """Of `python3 -m venv DIRECTORY`, afterwards: the new environment sees the packages that the tests run with, and has their command dbt."""
    packages = sysconfig.get_path("purelib")
    beside = sysconfig.get_path("purelib", vars={"base": "$3", "platbase": "$3"})
    dbt = "from dbt.cli.main import cli; cli()"
    return (
        f'\necho {shlex.quote(packages)} > "{beside}/packages_of_the_tests.pth"'
        f'\nprintf \'#!%s\\n%s\\n\' "$3/bin/python" {shlex.quote(dbt)} > "$3/bin/dbt" && chmod +x "$3/bin/dbt"'
    )
