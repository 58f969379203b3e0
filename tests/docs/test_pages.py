"""What the pages tell people to do and to look at is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "CONTRIBUTING.md")
WRITTEN = (
    "architecture",
    "glossary",
    "reference/google-ads",
    "reference/performance",
    "reference/platforms",
    "reference/rules",
)
LINKING = [
    *PAGES,
    *(f"docs/{name}.md" for name in WRITTEN),
    *(f"docs/decisions/{file.name}" for file in ROOT.glob("docs/decisions/*.md")),
]
README_LIMIT_LINES = 150
TOP = {path.name for path in ROOT.iterdir()}
MADE_BY_USE = (".local", ".venv")


def _text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*## ", _text("Makefile"), re.MULTILINE))


def test_the_readme_is_short_enough_to_be_read() -> None:
    assert len(_text("README.md").splitlines()) < README_LIMIT_LINES


@pytest.mark.parametrize("page", PAGES)
def test_every_make_verb_that_a_page_names_exists(page: str) -> None:
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", _text(page), re.MULTILINE))
    assert named
    assert named <= _targets() | {"test-machine"}


def test_the_readme_has_the_two_commands() -> None:
    assert {"make demo", "make test"} <= set(re.findall(r"^make [a-z]+", _text("README.md"), re.MULTILINE))


@pytest.mark.parametrize("page", LINKING)
def test_every_link_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", _text(page)):
        if "://" not in target:
            assert ((ROOT / page).parent / target).exists(), target


@pytest.mark.parametrize("page", LINKING)
def test_every_anchor_of_a_link_is_a_heading(page: str) -> None:
    for target, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", _text(page)):
        linked = (ROOT / page).parent / target if target else ROOT / page
        headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
        assert anchor in {_anchor(heading) for heading in headings}, f"{target}#{anchor}"


def _anchor(heading: str) -> str:
    """What GitHub makes of a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", [*PAGES, "docs/architecture.md"])
def test_every_path_that_a_page_names_exists(page: str) -> None:
    named = [
        word
        for word in re.findall(r"`([\w.-]+(?:/[\w.-]+)+/?)`", _text(page))
        if word.split("/")[0] in TOP and not word.startswith(MADE_BY_USE)
    ]
    for word in named:
        assert (ROOT / word).exists(), word


def test_every_verb_of_the_command_that_a_page_names_exists() -> None:
    from cli.main import VERBS

    named = {verb for page in PAGES for verb in re.findall(r"custom-events ([a-z]+(?:-[a-z]+)*)", _text(page))}
    assert named <= VERBS.keys()


def test_every_verb_of_make_explains_itself() -> None:
    phony = set(re.findall(r"^\.PHONY: (.+)$", _text("Makefile"), re.MULTILINE))
    parts_of_test = {"dbt-parse", "test-machine"}
    assert phony - parts_of_test == _targets()
    assert {
        "setup",
        "demo",
        "test",
        "lint",
        "types",
        "contracts",
        "bench",
        "lock",
        "docs",
        "clean",
        "help",
    } <= _targets()


def test_ci_runs_what_the_readme_says() -> None:
    assert re.search(r"^exec make test$", _text(".ci/run"), re.MULTILINE)


def test_the_changelog_keeps_its_format() -> None:
    changelog = _text("CHANGELOG.md")
    assert changelog.startswith("# Changelog\n")
    assert "\n## [Unreleased]\n" in changelog
    kinds = set(re.findall(r"^### (.+)$", changelog, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_licence_is_the_one_declared() -> None:
    assert 'license = "Apache-2.0"' in _text("pyproject.toml")
    assert "Apache License\n                           Version 2.0, January 2004" in _text("LICENSE")


def test_decisions_are_numbered_once_and_have_their_parts() -> None:
    files = sorted(path for path in ROOT.glob("docs/decisions/*.md") if path.name[0].isdigit())
    numbers = [path.name[:4] for path in files]
    assert len(set(numbers)) == len(numbers)
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert re.match(rf"# {int(path.name[:4])}\. \S", text), path.name
        assert {"## Context", "## Decision"} <= set(text.splitlines()), path.name
