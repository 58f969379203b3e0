"""Checks of the app's JavaScript and Liquid with what others made: types by TypeScript, the theme extension by Shopify's theme-check.

    python plugins/shopify/checks.py install   # bring them from npm by the lock: `make tools` does
    python plugins/shopify/checks.py           # check; what is wrong is written

Everything comes by `package-lock.json`, which names no address, and runs in the node that our own lock has.
"""

import sys
from pathlib import Path
from typing import Final

from console.pages import node

HERE: Final = Path(__file__).parent
MODULES: Final = HERE / "node_modules"
_THEME_CHECK: Final = """
const { themeCheckRun } = await import(process.argv[1] + "/@shopify/theme-check-node/dist/index.js").then((m) => m.default ?? m);
const { offenses } = await themeCheckRun(process.argv[2], undefined, () => {});
for (const offense of offenses) {
  process.stdout.write(`${offense.uri}:${offense.start.line + 1}: ${offense.check}: ${offense.message}\\n`);
}
"""


def install() -> str:
    """Bring what the checks need, by the lock. What went wrong, as npm says it; empty: nothing."""
    return node.install(HERE)


def types(project: Path = HERE / "tsconfig.json") -> str:
    """What is wrong with the types of the app's scripts; empty: nothing."""
    compiler = str(MODULES / "typescript" / "bin" / "tsc")
    return node.faults_of([*node.NODE, compiler, "--pretty", "false", "-p", str(project)], HERE)


def theme(extension: Path = HERE / "extensions" / "click-capture") -> str:
    """What Shopify's theme-check finds in a theme app extension, a line each; empty: nothing."""
    command = [*node.NODE, "--input-type=module", "-e", _THEME_CHECK, MODULES.as_uri(), str(extension)]
    ended = node.run(command, HERE)
    return ended.stdout.strip() if ended.returncode == 0 else (ended.stdout + ended.stderr).strip()


def main(arguments: list[str]) -> int:
    """Bring what checks, or check; what is wrong is written. Returns the exit code."""
    if arguments == ["install"]:
        faults = install()
    elif not MODULES.is_dir():
        sys.stderr.write(
            "TypeScript and theme-check are not there, so the Shopify app is not checked. They come with: make tools\n"
        )
        return 0
    else:
        faults = "\n".join(fault for fault in (types(), theme()) if fault)
    sys.stderr.write(f"{faults}\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
