"""Rules of the house that no linter knows."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.docs.tree import ROOT, tracked

LIMIT_LINES = 400
CODE = (".py", ".sql")  # dbt's YAML of sources is generated
# Each with the extras that it brings besides what those before it have.
LOCKS = {
    "requirements.txt": ("receiver", "console", "pipeline", "destinations", "reports", "sandbox"),
    "requirements-setup.txt": ("setup",),
    "requirements-dev.txt": ("kubernetes", "spark", "dev"),
    "requirements-bench.txt": ("bench",),
    "requirements-fuzz.txt": ("fuzz",),
    "requirements-mutants.txt": ("mutants",),
}
FEWEST = {"requirements.txt": 50, "requirements-dev.txt": 50}  # packages; the others have one at least
NO_FOLDERS = {"utils", "common", "core", "shared", "helpers", "manager", "managers", "util", "helper"}
# Written in pieces, so that this file does not find itself.
ADDRESSES = "|".join(
    [
        "index-url" + r"[ =]+http",
        r"pypi\." + "org",
        r"pythonhosted\." + "org",
        r"registry\." + "npmjs",
        "/opt/" + "(pypi|wheels)",
    ]
)
LEFT_UNDONE = r"\b(" + "TO" + "DO|FIX" + r"ME)\b"


@pytest.fixture(scope="module")
def files() -> list[Path]:
    """Everything that belongs to the project."""
    return list(tracked())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_no_file_of_code_is_too_long(files: list[Path]) -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in files
        if path.suffix in CODE and (lines := _text(path).count("\n")) > LIMIT_LINES
    }
    assert long == {}


def test_nothing_is_left_undone_and_no_registry_is_named(files: list[Path]) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in files
        for number, line in enumerate(_text(path).splitlines(), 1)
        if re.search(ADDRESSES, line) or (path.suffix in CODE and re.search(LEFT_UNDONE, line))
    ]
    assert found == []


def test_packages_are_named_after_what_they_hold_and_say_what_it_is(files: list[Path]) -> None:
    for path in files:
        inside = path.relative_to(ROOT)
        assert NO_FOLDERS.isdisjoint(inside.parts), inside
        assert inside.stem not in NO_FOLDERS or path.suffix != ".py", inside
        if path.name == "__init__.py":
            assert inside.parts[0] not in ("tests", "dbt"), f"{inside}: folders there are no packages"
            (docstring,) = ast.parse(_text(path)).body  # and nothing else: importing a package does nothing
            assert isinstance(docstring, ast.Expr), inside
            assert re.fullmatch(r"\S[^\n]+\.", ast.literal_eval(docstring.value)), f"{inside}: a sentence on one line"


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_pins_everything_with_hashes_and_names_no_place(lock: str) -> None:
    text = _text(ROOT / lock)
    assert "://" not in text
    blocks = re.split(r"\n(?=[a-zA-Z0-9])", text.split("\n", 2)[2])
    assert len(blocks) >= FEWEST.get(lock, 1)
    for block in blocks:
        assert re.match(r"[\w.-]+(\[[\w, -]+\])?==\S+", block), block
        assert "--hash=sha256:" in block, block


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads(_text(ROOT / "pyproject.toml"))["project"]
    extras = project["optional-dependencies"]
    assert extras.keys() == {name for names in LOCKS.values() for name in names}
    pinned: dict[str, set[str]] = {}
    for lock, names in LOCKS.items():
        for name, version in re.findall(r"^([\w.-]+)(?:\[[^\]]+\])?==([^\s;]+)", _text(ROOT / lock), re.MULTILINE):
            pinned.setdefault(canonicalize_name(name), set()).add(version)
        asked = [line for name in names for line in extras[name]]
        for line in (*project["dependencies"], *asked):
            requirement = Requirement(line)
            versions = pinned.get(canonicalize_name(requirement.name), set())
            assert any(requirement.specifier.contains(version) for version in versions), (
                f"{lock}: {line}: run `make lock`"
            )


def test_each_package_stands_in_one_lock() -> None:
    names = [set(re.findall(r"^([\w.-]+)(?=\[|==)", _text(ROOT / lock), re.MULTILINE)) for lock in LOCKS]
    assert len(set().union(*names)) == sum(map(len, names))
