"""Targets name what is there; a sample is that of its seed; survivors run again; a reason fits its change alone. mutmut itself: `make mutants`."""

import json
from pathlib import Path

import pytest

from tests.mutation import workspace
from tests.mutation.explained import CALLED_AT_IMPORT, CODEC, EXPLAINED, reason_of
from tests.mutation.targets import TARGETS, Target

MUTATED = """\
def x_add__mutmut_orig(first, second):
    return first + second
def x_add__mutmut_1(first, second):
    return first - second
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A target's folder as mutmut leaves it: one of ten changes was killed, one survived, others were not run."""
    package = tmp_path / "mutants" / "custom_events"
    package.mkdir(parents=True)
    (package / "sums.py").write_text(MUTATED)
    codes = {f"custom_events.sums.x_add__mutmut_{number}": None for number in range(1, 11)}
    codes |= {"custom_events.sums.x_add__mutmut_1": 0, "custom_events.sums.x_add__mutmut_2": 1}
    (package / "sums.py.meta").write_text(json.dumps({"exit_code_by_key": codes}))
    spans = {"x_add__mutmut_orig": [1, 2], "x_add__mutmut_1": [3, 4]}
    (package / "sums.py.spans").write_text(json.dumps({"spans": spans}))
    return tmp_path


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_a_target_names_files_and_tests_that_are_there(target: Target) -> None:
    for pattern in target.mutated:
        assert list(workspace.ROOT.glob(pattern)), pattern
    for judge in (*target.judges, *(law.partition("::")[0] for law in target.slow)):
        assert (workspace.ROOT / judge).exists(), judge
    for law in target.slow:
        file, _, function = law.partition("::")
        assert f"\ndef {function}(" in (workspace.ROOT / file).read_text(), law


@pytest.mark.parametrize("function", sorted({*CALLED_AT_IMPORT, *(function for function, _ in EXPLAINED)}))
def test_an_explained_function_is_there(function: str) -> None:
    module, _, mangled = function.rpartition(".")
    root = workspace.ROOT if module.startswith("ingest_api") else workspace.ROOT / "custom_events"
    name = mangled.removeprefix("x_").rpartition("ǁ")[2]
    assert f"def {name}(" in (root / f"{module.replace('.', '/')}.py").read_text(), function


def test_a_seed_chooses_the_same_mutants_again_and_others_are_left_out(folder: Path) -> None:
    workspace.choose(folder, 4, seed=7)
    chosen = [mutant.name for mutant in workspace.mutants(folder) if mutant.code != workspace.SKIPPED]
    assert len(chosen) == 4
    workspace.choose(folder, 10, seed=8)
    assert all(mutant.code != workspace.SKIPPED for mutant in workspace.mutants(folder))
    workspace.choose(folder, 4, seed=7)
    assert [mutant.name for mutant in workspace.mutants(folder) if mutant.code != workspace.SKIPPED] == chosen


def test_survivors_run_again_and_what_was_killed_does_not(folder: Path) -> None:
    workspace.forget(folder, keep=workspace.KILLED)
    codes = {mutant.name.rpartition("_")[2]: mutant.code for mutant in workspace.mutants(folder)}
    assert (codes["1"], codes["2"]) == (None, 1)


def test_a_change_is_told_by_its_lines(folder: Path) -> None:
    survivor = next(mutant for mutant in workspace.mutants(folder) if mutant.code == workspace.SURVIVED)
    assert list(workspace.change(survivor)) == ["- return first + second", "+ return first - second"]


def test_a_reason_fits_its_function_and_its_change_alone() -> None:
    (function, line), reason = next(iter(EXPLAINED.items()))
    name = f"custom_events.{function}__mutmut_3"
    assert reason_of(name, ("- before", f"+ {line}")) == reason
    assert reason_of(name, ("- before", "+ another")) is None
    assert reason_of("custom_events.other.x_read__mutmut_3", ("- before", f"+ {line}")) is None
    assert reason_of(name, ('- hmac.digest(key, body, "sha256")', '+ hmac.digest(key, body, "SHA256")')) == CODEC
    assert reason_of(name, ('- hmac.digest(key, body, "sha256")', '+ hmac.digest(key, body, "sha1")')) is None
