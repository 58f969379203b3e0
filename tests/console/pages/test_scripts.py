"""Our scripts by themselves, in node: their types, and that the builder writes conditions as it read them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.pages import script_types
from console.pages.node import NODE
from console.pages.rendering import STATIC
from tests.conditions.strategies import trees

WRITTEN: list[Any] = [
    None,
    {"field": "order.total", "op": ">=", "value": "200.00", "currency": None},
    {"not": {"any": [{"field": "order.id", "op": "missing"}]}},
    {"not": {"not": {"all": []}}},
    {"any": [{"all": [{"any_item": {"all": [{"field": "item.sku", "op": "=", "value": "a"}]}}]}]},
    {"measure": "count", "items": None, "op": ">", "value": 1},
    {"measure": "total", "items": {"any": [{"field": "item.sku", "op": "exists"}]}, "op": "between", "value": [1, 2.5]},
    {"no_item": {"field": "item.sku", "op": "in", "value": ["a"], "ignore_case": False}},
]
UNKNOWN: list[Any] = [
    5,
    "always",
    [],
    {},
    {"all": 3},
    {"all": [7]},
    {"and": []},
    {"all": [], "any": []},
    {"any_item": 1},
]
PROGRAM = """
import { pathsOf, readTree, writeTree } from "{model}";
let text = "";
for await (const part of process.stdin) text += part;
const answers = JSON.parse(text).map((tree) => {
  const read = readTree(tree);
  return read === null ? null : { written: writeTree(read), paths: [...pathsOf(read, "conditions").values()] };
});
process.stdout.write(JSON.stringify(answers));
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that tells what the builder's model makes of each value it is given."""
    made = tmp_path_factory.mktemp("scripts") / "ask.mjs"
    made.write_text(PROGRAM.replace("{model}", (STATIC / "builder" / "model.js").as_uri()))
    return made


def ask(values: list[Any], program: Path) -> list[Any]:
    ran = subprocess.run(
        [*NODE, str(program)],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    answers: list[Any] = json.loads(ran.stdout)
    return answers


def check(values: list[Any], program: Path) -> None:
    for value, answer in zip(values, ask(values, program), strict=True):
        assert answer is not None, value
        assert answer["written"] == value
        assert all(path.startswith("conditions") for path in answer["paths"])


def test_the_builder_writes_what_it_read_and_knows_where_it_stands(program: Path) -> None:
    check(WRITTEN, program)
    assert ask([{"all": [{"not": {"field": "a", "op": "="}}]}], program)[0]["paths"] == [
        "conditions",
        "conditions.all[0]",
        "conditions.all[0].not",
    ]
    assert ask(UNKNOWN, program) == [None] * len(UNKNOWN)


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(trees, min_size=25, max_size=25))
def test_every_tree_is_written_as_it_was_read(program: Path, many: list[Any]) -> None:
    check(json.loads(json.dumps(many, default=str)), program)


@pytest.mark.skipif(not script_types.COMPILER.exists(), reason="TypeScript is not there: make setup brings it")
def test_the_types_of_all_our_scripts_are_right() -> None:
    assert script_types.check() == ""


def test_every_script_asks_to_be_checked() -> None:
    own = [path for path in STATIC.rglob("*.js") if "vendor" not in path.parts]
    assert len(own) > 5
    assert all(path.read_text().startswith("// @ts-check") for path in own)


def test_what_is_wrong_is_told_as_the_compiler_says_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = (sys.executable, "-c", "import sys; print('a.js(1,2): error TS1: no'); sys.exit(2)")
    assert script_types.check(failing) == "a.js(1,2): error TS1: no\n"
    silent = (sys.executable, "-c", "import sys; sys.exit(3)")
    assert "ended with 3" in script_types.check(silent)
    monkeypatch.setattr(script_types, "check", lambda: "wrong\n")
    monkeypatch.setattr(script_types, "COMPILER", tmp_path)
    assert script_types.main() == 1
    monkeypatch.setattr(script_types, "check", lambda: "")
    assert script_types.main() == 0
    monkeypatch.setattr(script_types, "COMPILER", tmp_path / "nothing")
    assert script_types.main() == 0
    assert "make setup" in capsys.readouterr().err
