"""docs/security.md is what its source says, whole, and what it points to is there."""

from pathlib import Path

import pytest

from cli import security_page
from cli.security_page import Row, State

ROOT = Path(__file__).parents[2]
CHAPTERS = security_page.read()
ROWS = [row for chapter in CHAPTERS for row in chapter.rows]


def test_the_page_is_made_of_its_source(tmp_path: Path) -> None:
    security_page.write(tmp_path / "security.md")
    assert security_page.PAGE.read_text() == (tmp_path / "security.md").read_text(), "run `make docs`"


def test_every_requirement_stands_there_once() -> None:
    ids = [requirement for row in ROWS for requirement in row.ids]
    assert len(ids) == len(set(ids)) == security_page.REQUIREMENTS
    for chapter in CHAPTERS:
        number = chapter.chapter.partition(" ")[0].removeprefix("V")
        assert all(requirement.split(".")[0] == number for row in chapter.rows for requirement in row.ids)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.ids[0])
def test_what_a_row_points_to_is_there(row: Row) -> None:
    for path in (*row.where, *row.tests):
        assert (ROOT / path).exists(), path
    for path in row.tests:
        assert path == "pyproject.toml" or _has_tests(ROOT / path), f"{path} holds no test"
    if row.state is State.MET:
        assert row.where
        assert row.tests, "what is met has a test that would fail without"
    if row.state is not State.NONE:
        assert row.where or row.tests


def _has_tests(place: Path) -> bool:
    """Whether a file, or one of a folder, has a function that pytest runs."""
    files = [place] if place.is_file() else place.rglob("test_*.py")
    return any("\ndef test_" in file.read_text(encoding="utf-8") for file in files)


@pytest.mark.parametrize(
    "page",
    ["SECURITY.md", "docs/security.md", *(f"docs/security/{name}.md" for name in ("threat-model", "cryptography"))],
)
def test_the_pages_are_there_and_say_nothing_twice(page: str) -> None:
    headings = [line for line in (ROOT / page).read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    assert headings
    assert len(headings) == len(set(headings))
