"""`make fuzz`: every target, or those that are named, for some seconds each; what is found is a file, and the exit code 1.

Inputs that were of use are kept in .local/fuzz/<target>/corpus, so that the next run goes on from them.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from fuzzing.registry import TARGETS
from fuzzing.target import Target

DIRECTORY: Final = Path(".local/fuzz")
SECONDS: Final = 60  # for each target
INPUT_LIMIT_S: Final = (
    10  # for one input, before it counts as a finding: a thousand times what the slowest honest one takes
)
MEMORY_LIMIT_MB: Final = 2_048  # of the process
_NO_FINDING: Final = "slow-unit-"  # libFuzzer's notes of inputs that took long within the limit: the first one imports
_EXECUTED: Final = re.compile(r"stat::number_of_executed_units: (\d+)")
_COVERED: Final = re.compile(r"cov: (\d+)")


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What one target's run came to. `findings`: inputs that broke the law, as files; `words`: the end of what the fuzzer said then."""

    name: str
    executions: int
    branches: int
    findings: tuple[str, ...]
    words: str


def fuzz(target: Target, seconds: int) -> Run:
    """Run a target for some seconds, in a process of its own."""
    place = DIRECTORY / target.name
    corpus, findings, words = place / "corpus", place / "findings", place / "words"
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds():
        (corpus / sha256(seed).hexdigest()[:16]).write_bytes(seed)
    words.write_text("".join(f"{_quoted(word)}\n" for word in target.words), encoding="ascii")
    options = [
        f"-max_total_time={seconds}", f"-max_len={target.most_bytes}", f"-timeout={INPUT_LIMIT_S}", f"-rss_limit_mb={MEMORY_LIMIT_MB}",
        f"-artifact_prefix={findings}/", "-print_final_stats=1", "-use_value_profile=1", *([f"-dict={words}"] if target.words else []), str(corpus),
    ]  # fmt: skip
    ended = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "fuzzing.drive", target.name, *options], capture_output=True, text=True, check=False
    )
    executed, covered = _EXECUTED.findall(ended.stderr), _COVERED.findall(ended.stderr)
    found = tuple(sorted(str(path) for path in findings.iterdir() if not path.name.startswith(_NO_FINDING)))
    return Run(
        name=target.name,
        executions=int(executed[-1]) if executed else 0,
        branches=int(covered[-1]) if covered else 0,
        findings=found,
        words=(ended.stdout + ended.stderr)[-4_000:] if found or ended.returncode else "",
    )


def _quoted(word: str) -> str:
    """A word as libFuzzer's dictionaries have it: in quotes, what is not printable as \\xNN."""
    return '"' + "".join(chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else f"\\x{byte:02x}" for byte in word.encode()) + '"'  # noqa: PLR2004  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is named and print a line for each; 1 where a law was broken."""
    parser = argparse.ArgumentParser(prog="fuzzing", description="Targets with atheris; `make fuzz`.")
    parser.add_argument("names", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all, where none is named")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="for each target")
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.names if name not in TARGETS]:
        parser.error(f"no target is called {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    failed = False
    for name in asked.names or TARGETS:
        run = fuzz(TARGETS[name], asked.seconds)
        failed |= bool(run.words)
        sys.stdout.write(f"{run.name:24}{run.executions:>12,} inputs{run.branches:>8,} branches  {', '.join(run.findings) or 'nothing found'}\n")  # fmt: skip
        sys.stdout.write(run.words)
        sys.stdout.flush()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
