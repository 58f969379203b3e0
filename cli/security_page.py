"""docs/security.md, made of docs/security/asvs.yaml: each requirement of OWASP ASVS 5, levels 1 and 2, with what meets it and the test."""

from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec
import yaml

ROOT: Final = Path(__file__).parents[1]
SOURCE: Final = ROOT / "docs" / "security" / "asvs.yaml"
PAGE: Final = ROOT / "docs" / "security.md"
VERSION: Final = "5.0.0"
REQUIREMENTS: Final = 253  # of levels 1 and 2 in that version
_HEAD: Final = """\
# Security

What OWASP's Application Security Verification Standard {version} asks on levels 1 and 2 ({count} requirements, here in our own words; their text:
[owasp.org](https://owasp.org/www-project-application-security-verification-standard/)), how it is met, where, and the test that would fail without.
What could go wrong, and what whoever runs it must do: [threat model](security/threat-model.md). [Keys and algorithms](security/cryptography.md).
[What is known of people](reference/personal-data.md). How to tell us of a weakness: [SECURITY.md](../SECURITY.md).

| state | requirements | |
|---|---|---|
"""
_MEANINGS: Final = {
    "met": "by us",
    "partly": "the rest is named",
    "operator": "whoever runs it does it, and the threat model says what",
    "none": "nothing of the kind is here",
}


class State(StrEnum):
    """How far requirements are met."""

    MET = "met"
    PARTLY = "partly"
    OPERATOR = "operator"
    NONE = "none"


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requirements that one thing meets. `where`, `tests`: paths from the root of the repository."""

    ids: tuple[str, ...]
    asks: str
    state: State
    how: str
    where: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()


class Chapter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A chapter of the standard."""

    chapter: str
    rows: tuple[Row, ...]


def read(source: Path = SOURCE) -> tuple[Chapter, ...]:
    """The chapters of the file. Raises msgspec.ValidationError for another form."""
    return msgspec.convert(yaml.safe_load(source.read_text(encoding="utf-8")), tuple[Chapter, ...])


def render(chapters: tuple[Chapter, ...]) -> str:
    """The page, whole."""
    counts: Counter[str] = Counter()
    for chapter in chapters:
        for row in chapter.rows:
            counts[row.state] += len(row.ids)
    states = "".join(f"| {state} | {counts[state]} | {meaning} |\n" for state, meaning in _MEANINGS.items())
    head = _HEAD.format(version=VERSION, count=REQUIREMENTS) + states
    return head + "".join(_chapter(chapter) for chapter in chapters)


def write(file: Path = PAGE) -> None:
    """Write the page."""
    file.write_text(render(read()), encoding="utf-8")


def _chapter(chapter: Chapter) -> str:
    head = f"\n## {chapter.chapter}\n\n| requirement | asks | state | how | where | test |\n|---|---|---|---|---|---|\n"
    return head + "".join(_row(row) for row in chapter.rows)


def _row(row: Row) -> str:
    cells = (", ".join(row.ids), row.asks, row.state, row.how, _links(row.where), _links(row.tests))
    return f"| {' | '.join(cells)} |\n"


def _links(paths: tuple[str, ...]) -> str:
    return ", ".join(f"[{path.rpartition('/')[2]}](../{path})" for path in paths)
