"""The manual's pictures are there, are small, and show pages that there still are. What they look like is for people to see."""

import re
from pathlib import Path

from starlette.routing import compile_path

from console.pages.install import all_pages
from sandbox.demo.screenshots import DOCS, MOST_BYTES, PICTURES

ROOT = Path(__file__).parents[2]
DRAWN = (DOCS / "programs.svg", DOCS / "schema.svg")  # by hand, and by `make docs`
PROOF = ROOT / "docs/proof"  # plots, which benchmarks draw with their pages
PNG = b"\x89PNG\r\n\x1a\n"


def shown() -> set[Path]:
    """Every picture that a page of the manual, or README, shows."""
    return {
        (page.parent / target).resolve()
        for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
        for target in re.findall(r"!\[[^\]]+\]\(([^)]+\.(?:png|svg))\)", page.read_text(encoding="utf-8"))
    }


def test_pictures_that_are_shown_are_those_that_are_made() -> None:
    made = {DOCS / f"{picture.name}.png" for picture in PICTURES} | set(DRAWN)
    assert {file for file in shown() if file.parent != PROOF} == made == set(DOCS.glob("*"))


def test_pictures_of_measurements_are_there_and_shown() -> None:
    assert {file for file in shown() if file.parent == PROOF} == set(PROOF.glob("*.png"))


def test_each_is_a_small_picture() -> None:
    for file in DOCS.glob("*"):
        content = file.read_bytes()
        assert content.startswith(b"<svg " if file in DRAWN else PNG), file.name
        assert len(content) <= MOST_BYTES, file.name


def test_their_pages_are_still_there() -> None:
    patterns = [compile_path(page.path)[0] for page in all_pages() if page.operation.method == "GET"]
    for picture in PICTURES:
        path = f"/{picture.address.partition('?')[0]}"
        assert any(pattern.match(path) for pattern in patterns), picture.address
