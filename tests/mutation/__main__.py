"""Mutation testing: small changes of the code, each of which some test should notice.

    python -m tests.mutation [--most N] [--seed S] [--again] [TARGET ...]

Without a TARGET all of them, one after the other, each in `.local/mutants/TARGET`, where mutmut's own commands work, too. What was run is kept
and not run again until its function changes; `--again` runs survivors once more, after tests were added. Prints the survivors that
`explained.py` has no reason for, and ends with 1 when there are some. Needs `make mutants`' packages.
"""

import argparse
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.mutation import workspace
from tests.mutation.explained import reason_of
from tests.mutation.targets import TARGETS, Target

FOLDER = workspace.ROOT / ".local" / "mutants"
MUTMUT = (sys.executable, "-c", "from mutmut.__main__ import cli; cli()", "run")


def run(name: str, target: Target, *, most: int | None, seed: int, processes: int, again: bool) -> int:
    """Run a target and print what survived; how many survivors nothing explains."""
    folder = FOLDER / name
    workspace.prepare(folder, target)
    if most is not None:
        if not workspace.mutants(folder):
            _mutmut(folder, processes, only=_first_name(folder, target))
        workspace.choose(folder, most, seed)
    if again:
        workspace.forget(folder, keep=workspace.KILLED | {workspace.SKIPPED})
    _mutmut(folder, processes)
    return report(name, folder)


def report(name: str, folder: Path) -> int:
    """Print what became of a target's mutants, and the survivors; how many of them nothing explains."""
    listed = workspace.mutants(folder)
    unexplained = 0
    counts: Counter[str] = Counter()
    for mutant in listed:
        outcome = _outcome(mutant.code)
        if outcome in ("survived", "no test"):
            lines = tuple(workspace.change(mutant))
            reason = reason_of(mutant.name, lines)
            outcome = outcome if reason is None else "explained"
            unexplained += reason is None
            if reason is None:
                print(f"\n{mutant.name} ({outcome})", *lines, sep="\n  ")
        counts[outcome] += 1
    print(f"\n{name}: {len(listed)} mutants; " + ", ".join(f"{many} {what}" for what, many in sorted(counts.items())))
    return unexplained


def _outcome(code: int | None) -> str:
    if code in workspace.KILLED:
        return "killed"
    if code in workspace.NO_TEST:
        return "no test"
    names = {workspace.SURVIVED: "survived", workspace.SKIPPED: "not in the sample", None: "not run"}
    return names.get(code, "ended otherwise (out of time, or a crash)")


def _first_name(folder: Path, target: Target) -> str:
    """A pattern of few mutants, whose run makes all of them."""
    files = (path for pattern in target.mutated for path in sorted(folder.glob(pattern)))
    first = next(path for path in files if "\ndef " in path.read_text())
    return ".".join(first.relative_to(folder).with_suffix("").parts) + ".*__mutmut_1"


def _mutmut(folder: Path, processes: int, only: str | None = None) -> None:
    command = [*MUTMUT, "--max-children", str(processes), *([only] if only else [])]
    subprocess.run(command, cwd=folder, check=True, env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})


def main() -> int:
    """From the command line; 1 when a survivor has no explanation."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description="Mutation testing.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all unless named")
    parser.add_argument("--most", type=int, help="mutants of each target, chosen by the seed; all unless given")
    parser.add_argument("--seed", type=int, help="of the choice; made up and printed unless given")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--again", action="store_true", help="run survivors once more")
    chosen = parser.parse_args()
    if unknown := set(chosen.targets) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))} (there are {', '.join(TARGETS)})")
    seed = random.SystemRandom().randrange(2**32) if chosen.seed is None else chosen.seed
    print(f"seed {seed}", flush=True)
    left = 0
    for name in chosen.targets or TARGETS:
        left += run(name, TARGETS[name], most=chosen.most, seed=seed, processes=chosen.processes, again=chosen.again)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
