"""Every place of the documentation that code, tests, SQL or a page names is there.

A citation is the path of a page and, where it names a part, the numbers of headings or of items in bold: `docs/reference/google-ads.md 2.7`,
`docs/reference/google-ads.md 5.3, 5.4`, `docs/reference/google-ads.md S16`. A promise is named by its number, a decision likewise.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest

from tests.docs.tree import ROOT, tracked

NUMBER = r"(?:S\d+|\d+(?:\.\d+)*)"
# A number ends where no further digit follows, and is no length of time or the like ("2 MiB").
CITED = re.compile(rf"(?<![\w/])(docs/[\w/-]+\.md)(?: ({NUMBER}(?:(?:, | and ){NUMBER})*)(?![\w.]*\w))?")
PROMISES = re.compile(r"\b[Pp]romises? (\d+)(?: to (\d+))?")
DECISION = re.compile(r"\b[Dd]ecision (\d+)\b")
# Names of checks in the sandbox's Google, whose page says so once.
CHECK = re.compile(r"\bS(\d+)(?:-S(\d+))?\b")
CHECKED = ("sandbox/google_ads/", "tests/sandbox/google_ads/")
# What a citation looked like before there was one form for it.
FORMLESS = re.compile(
    r"\breference:? (?:\()?(?:google-ads|platforms|performance|codebases|peers-and-users)\b"
    r"|\bdesign(?:\.md|,? section)|\bsection \d|news-\d{4}"
    r"|(?<![\w/.-])(?:google-ads|platforms|performance),? \d+\.\d+\)"
)
TEXTS = {".py", ".sql", ".md", ".toml", ".yml", ".yaml", ".json", ".svg", ".mako", ".service", ""}
HERE = "tests/docs/test_citations.py"


class Citation(NamedTuple):
    """Where a page is named, and what of it."""

    place: str
    page: str
    numbers: tuple[str, ...]


@cache
def numbers_of(page: str) -> frozenset[str]:
    """Numbers of a page's headings (`### 1.5 Delivery`) and of its items in bold (`- **S16** ...`)."""
    text = (ROOT / page).read_text(encoding="utf-8")
    headings = re.findall(rf"^#+ ({NUMBER})\.? ", text, re.MULTILINE)
    return frozenset({*headings, *re.findall(rf"^- \*\*({NUMBER})\*\*", text, re.MULTILINE)})


@cache
def texts() -> tuple[tuple[str, str], ...]:
    """Path and text of every file that may cite; a citation may be broken by the end of a line of a comment."""
    return tuple(_texts())


def _texts() -> Iterator[tuple[str, str]]:
    for path in tracked():
        name = str(path.relative_to(ROOT))
        if path.suffix in TEXTS and name != HERE and not (path.suffix == ".json" and name.startswith("tests/")):
            try:
                text = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            yield name, re.sub(r"\s*\n\s*(?:#|--|\|)?\s*", " ", text)


def citations(name: str, text: str) -> list[Citation]:
    """The citations of a text."""
    return [Citation(name, page, tuple(re.findall(NUMBER, numbers or ""))) for page, numbers in CITED.findall(text)]


def dead(citation: Citation) -> list[str]:
    """What of it is not there: the page, or numbers."""
    if not (ROOT / citation.page).is_file():
        return [citation.page]
    return [f"{citation.page} {number}" for number in citation.numbers if number not in numbers_of(citation.page)]


def test_every_citation_leads_somewhere() -> None:
    found = [one for name, text in texts() for one in citations(name, text)]
    assert {(one.place, place) for one in found for place in dead(one)} == set()
    assert len([one for one in found if one.numbers]) > 80


def test_promises_and_decisions_that_are_named_are_there() -> None:
    promises = re.findall(
        r"^### Promise (\d+): ", (ROOT / "docs/architecture.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    decisions = {int(path.name[:4]) for path in ROOT.glob("docs/decisions/[0-9]*.md")}
    unknown = [
        (name, number)
        for name, text in texts()
        for pattern, known in ((PROMISES, set(map(int, promises))), (DECISION, decisions))
        for match in pattern.finditer(text)
        for number in filter(None, match.groups())
        if int(number) not in known
    ]
    assert unknown == []


def test_checks_of_the_sandbox_are_on_the_page() -> None:
    known = numbers_of("docs/reference/google-ads.md")
    named = {
        (name, f"S{number}")
        for name, text in texts()
        if name.startswith(CHECKED)
        for match in CHECK.finditer(text)
        for number in filter(None, match.groups())
    }
    assert {number for _, number in named} > {"S1", "S31"}
    assert {one for one in named if one[1] not in known} == set()


def test_there_is_one_form_of_citation() -> None:
    assert [(name, match[0]) for name, text in texts() for match in FORMLESS.finditer(text)] == []


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("(docs/reference/platforms.md 1.5)", []),
        ("docs/reference/platforms.md 1.5, 2.1 and 4.", []),
        ("docs/reference/google-ads.md S16", []),
        ("docs/reference/google-ads.md explains", []),
        ("docs/reference/platforms.md 1.99", ["docs/reference/platforms.md 1.99"]),
        ("docs/reference/platforms.md 1.5 and 9.", ["docs/reference/platforms.md 9"]),
        ("docs/reference/google-ads.md S99", ["docs/reference/google-ads.md S99"]),
        ("docs/no-such-page.md", ["docs/no-such-page.md"]),
    ],
)
def test_a_dead_citation_is_found(text: str, places: list[str]) -> None:
    (citation,) = citations("here", text)
    assert dead(citation) == places


@pytest.mark.parametrize("old", ["(reference: platforms 1.5)", "design section 4", "(google-ads 2.2)", "see section 5"])
def test_an_old_form_is_found(old: str) -> None:
    assert FORMLESS.search(old)
