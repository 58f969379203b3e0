"""The types of our scripts, checked: TypeScript's compiler over `static/`, strict, by the words in their comments. It writes nothing.

    python -m console.pages.script_types

TypeScript comes from npm by the lock in `vendor/`, as what the pages load does (`vendored.py`), and runs in the node that our own lock has.
"""

import sys
from collections.abc import Sequence
from typing import Final

from console.pages import node
from console.pages.vendored import LOCK

COMPILER: Final = LOCK / "node_modules" / "typescript" / "bin" / "tsc"
PROJECT: Final = LOCK / "tsconfig.json"


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


def check(command: Sequence[str] = node.NODE) -> str:
    """What is wrong with the types of our scripts; empty: nothing."""
    faults = node.faults_of([*command, str(COMPILER), "--pretty", "false", "-p", str(PROJECT)])
    return f"{faults}\n" if faults else ""


if __name__ == "__main__":
    sys.exit(main())
