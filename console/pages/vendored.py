"""What others made and the pages load, put beside them: from npm by its lock, with the node that our own lock has.

    python -m console.pages.vendored

`vendor/package-lock.json` pins every file by its digest and names no address: npm asks the registry that it is set up for. `make setup` runs
this once for each lock; the pages work without what it brings, but follow nothing by themselves.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from console.pages import node

HERE: Final = Path(__file__).parent
LOCK: Final = HERE / "vendor"
FILES: Final = HERE / "static" / "vendor"
# Of each package what is loaded, and for whom: pages, or the tests that look for what keeps people out.
TAKEN: Final = {
    "htmx.org/dist/htmx.min.js": FILES / "htmx.min.js",
    "axe-core/axe.min.js": LOCK / "node_modules" / "axe-core" / "axe.min.js",
}


def main() -> int:
    """Put the files where pages and tests look for them. Returns the exit code; says in words what did not work."""
    if problem := install():
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


def install(npm: Sequence[str] = node.NPM) -> str | None:
    """Run npm and copy what is taken. What went wrong and what to do, as a sentence; None: nothing."""
    if problem := node.install(LOCK, npm):
        return (
            f"npm did not bring what the console's pages load ({LOCK / 'package-lock.json'}): {problem[-500:]}\n"
            "The pages work without it, but do not refresh by themselves. Is npm's registry reachable from here "
            "(npm config get registry)? Then run again: make setup"
        )
    for name, place in TAKEN.items():
        source = LOCK / "node_modules" / name
        if source != place:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place)
    return None


if __name__ == "__main__":
    sys.exit(main())
