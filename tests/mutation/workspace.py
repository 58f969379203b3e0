"""A target's own folder, in which mutmut works: links to the checkout, a copy of pyproject.toml with mutmut's table, and its results.

mutmut 3 copies what it mutates and the tests into `mutants/` of its working directory and runs pytest there. What is only read beside them
(docs, the sandbox, migrations) is linked, and nothing of the checkout is written to.
"""

import difflib
import json
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.mutation.targets import Target

ROOT: Final = Path(__file__).parents[2]
MUTATED_PACKAGES: Final = ("custom_events", "ingest_api")
COPIED: Final = {*MUTATED_PACKAGES, "tests", "pyproject.toml"}
# Sentences for people: a string of three words or more. A test of their wording would only say them again.
SENTENCES: Final = r'"[^"]*\w [^"]*\w [^"]*\w'
# Without what costs more than the tests do: a collection of garbage at the end, plugins that no judge uses, a cache. Laws with few examples.
PYTEST: Final = (
    *("-p", "pytest_timeout", "-p", "_hypothesis_pytestplugin", "--hypothesis-profile=few"),
    *("-p", "no:unraisableexception", "-p", "no:threadexception", "-p", "no:cacheprovider", "-m", "not database"),
)
TABLE: Final = "[tool.mutmut]"
SKIPPED: Final = 34  # as mutmut writes it: not in the sample
SURVIVED: Final = 0
KILLED: Final = frozenset({1, 3})
NO_TEST: Final = frozenset({5, 33})


class Mutant(NamedTuple):
    """One change of a function: mutmut's name and the code it ended with (None: not run yet)."""

    file: Path
    name: str
    code: int | None


def prepare(folder: Path, target: Target) -> None:
    """The folder with links, and the settings of this target."""
    (folder / "mutants").mkdir(parents=True, exist_ok=True)
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in {line.partition("/")[0] for line in tracked.splitlines()}:
        for place in (folder, folder / "mutants"):
            link = place / name
            if not link.exists() and (name not in COPIED or (place == folder and name != "pyproject.toml")):
                link.symlink_to(ROOT / name)
    options = [*PYTEST, *(f"--deselect={name}" for name in target.slow)]
    table = {
        "source_paths": list(MUTATED_PACKAGES),
        "only_mutate": list(target.mutated),
        "do_not_mutate_patterns": [SENTENCES],
        "process_isolation": "forkserver",  # a mutant begins with empty caches, not with those of the run before
        "timeout_multiplier": 60.0,  # of what the tests took: only a change that never ends is out of time, also on a busy machine
        "pytest_add_cli_args": options,
        "pytest_add_cli_args_test_selection": list(target.judges),
        "use_git_change_detection": False,
        "on_dependency_change": "ignore",
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    settings, table_lines = folder / "pyproject.toml", "\n".join([TABLE, *lines, ""])
    if not settings.exists() or not settings.read_text().endswith(table_lines):
        forget(folder, frozenset())
    settings.write_text(f"{(ROOT / 'pyproject.toml').read_text()}\n{table_lines}")


def mutants(folder: Path) -> list[Mutant]:
    """All that mutmut has made here, in the order of its names."""
    return sorted(
        Mutant(meta, name, code)
        for meta in (folder / "mutants").rglob("*.meta")
        for name, code in _results(meta)["exit_code_by_key"].items()
    )


def choose(folder: Path, most: int, seed: int) -> None:
    """Leave `most` mutants to run, chosen by the seed from all; others are skipped."""
    listed = mutants(folder)
    chosen = {mutant.name for mutant in random.Random(seed).sample(listed, min(most, len(listed)))}
    for mutant in listed:
        if (mutant.name in chosen) == (mutant.code == SKIPPED):
            write(mutant, None if mutant.name in chosen else SKIPPED)


def forget(folder: Path, keep: frozenset[int]) -> None:
    """Let all run again that did not end so, and find out anew which test reaches which function: tests may have changed."""
    (folder / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)
    for mutant in mutants(folder):
        if mutant.code is not None and mutant.code not in keep:
            write(mutant, None)


def write(mutant: Mutant, code: int | None) -> None:
    """What is known of a mutant; None: mutmut runs it."""
    results = _results(mutant.file)
    results["exit_code_by_key"][mutant.name] = code
    mutant.file.write_text(json.dumps(results))


def change(mutant: Mutant) -> Iterator[str]:
    """The lines that it takes away and puts there."""
    spans = json.loads(mutant.file.with_suffix(".spans").read_text())["spans"]
    lines = mutant.file.with_suffix("").read_text().splitlines()
    name = mutant.name.rpartition(".")[2]
    function = name.partition("__mutmut_")[0]
    before, after = (
        [line.replace(of, function) for line in lines[spans[of][0] - 1 : spans[of][1]]]
        for of in (f"{function}__mutmut_orig", name)
    )
    for line in difflib.unified_diff(before, after, n=0, lineterm=""):
        if not line.startswith(("---", "+++", "@@")):
            yield f"{line[0]} {line[1:].strip()}"


def _results(meta: Path) -> dict[str, Any]:
    return json.loads(meta.read_text())
