"""Names that were given up do not come back: each had two meanings or none outside this tree. docs/glossary.md has the words in use."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import CodeType

import pytest

from tests.docs.tree import ROOT, tracked

# As whole names in code. What they became stands in the glossary.
GIVEN_UP = [
    "keep_house",
    "keep_house_and_look_again",
    "heed",
    "unheeded",
    "let_go",
    "LET_UPLOAD_GO",
    "Teller",
    "told_rows",
    "Telling",
    "heirs",
    "heir",
    "newcomers",
    "trusting",
    "wholes",
    "whole_problems",
    "Making",
    "Happened",
    "Proposal",
    "proposal",
    "Surrounded",
    "surroundings",
    "Gathered",
    "is_nearer_than",
    "nearer_events",
    "contested",
    "contention",
    "has_room",
    "unmade",
    "UNMADE_BY_LATE_EVENT",
    "UNMADE_BY_CORRECTION",
    "UNMADE_BY_REPLAY",
    "own_findings",
    "said_too_much",
    "speaks_of_more",
    "hindsight",
    "Trial",
    "TIME_HAS_COME",
    "INTEND",
    "standing_changes",
    "RuleBook",
    "catalogue",
    "MatchPlan",
    "SitePlan",
    "BulkPlan",
    "PlannedRow",
]
# Migrations name what was; so do the tests of them, the change log and the glossary's column of words not to use.
EXEMPT = ("migrations/", "tests/migrations/", "CHANGELOG.md", "docs/glossary.md", "tests/docs/test_old_words.py")
# Words of the field where they stand.
ELSEWHERE = {
    "tests/postgres/test_roles.py": {"catalogue"},  # PostgreSQL's
    "tests/tables/test_constraints.py": {"catalogue"},
    "docs/reference/google-ads.md": {"newcomers"},  # Google's
    "custom_events/postgres/upkeep.py": {"wholes"},
}
# Names of local variables, parameters, and what comprehensions, `except` and `match` bind: they say nothing of the thing that they hold.
UNTELLING = frozenset({"one", "found", "told", "given", "thing", "res", "tmp"})
PRODUCT = (
    "assets/",
    "benchmarks/",
    "cli/",
    "console/",
    "custom_events/",
    "dbt_staging/",
    "ingest_api/",
    "orchestration/",
    "sandbox/",
    "supervisor/",
)
FOLDERS_GIVEN_UP = ("custom_events/hindsight", "custom_events/pipeline/standing.py", "custom_events/pipeline/sums.py")


@pytest.mark.parametrize("word", GIVEN_UP)
def test_no_name_that_was_given_up(word: str) -> None:
    pattern = re.compile(rf"(?<![A-Za-z0-9])_?{word}(?![A-Za-z0-9_])")
    found = [name for name, text in _files() if pattern.search(text) and word not in ELSEWHERE.get(name, ())]
    assert not found


def test_the_words_elsewhere_are_there() -> None:
    """An exemption that nothing needs is one too many."""
    texts = dict(_files())
    for name, words in ELSEWHERE.items():
        assert all(word in texts[name] for word in words), name


def test_no_room_that_was_given_up() -> None:
    assert [name for name in FOLDERS_GIVEN_UP if (ROOT / name).exists()] == []


def test_local_variables_name_what_they_hold() -> None:
    texts = [(name, text) for name, text in _files() if name.endswith(".py") and name.startswith(PRODUCT)]
    assert {name.partition("/")[0] + "/" for name, _ in texts} == set(PRODUCT)
    wrong = [f"{name}:{line} {word}" for name, text in texts for word, line in _locals(text) if word in UNTELLING]
    assert not wrong


@pytest.mark.parametrize(
    "source",
    [
        "def f(found): ...",
        "def f(*found): ...",
        "def f():\n    found = 1",
        "def f():\n    for _, found in (): ...",
        "def f():\n    with f() as found: ...",
        "def f():\n    if (found := 1): ...",
        "def f():\n    try: ...\n    except ValueError as found: ...",
        "def f(row):\n    match row:\n        case [found]: ...",
        "def f(row):\n    match row:\n        case {**found}: ...",
        "def f():\n    found = 1\n    return lambda: found",
        "class C:\n    async def f(self):\n        found = 1",
        "ROWS = [found for found in ()]",
        "KEY = lambda found: 1",
    ],
)
def test_every_binding_of_a_local_variable_is_seen(source: str) -> None:
    assert "found" in [word for word, _ in _locals(source)]


@pytest.mark.parametrize(
    "source", ["class C:\n    found: int = 1", "f(found=1)", "row.found = 1", "def f():\n    found()"]
)
def test_fields_and_names_of_modules_are_no_local_variables(source: str) -> None:
    assert "found" not in [word for word, _ in _locals(source)]


def _locals(source: str) -> Iterator[tuple[str, int]]:
    """What functions, lambdas and comprehensions bind, each with the line at which that begins: as Python's compiler sees it."""
    waiting = [compile(source, "", "exec", dont_inherit=True)]
    while waiting:
        code = waiting.pop()
        yield from ((word, code.co_firstlineno) for word in (*code.co_varnames, *code.co_cellvars))
        waiting += [part for part in code.co_consts if isinstance(part, CodeType)]


@cache
def _files() -> list[tuple[str, str]]:
    return [
        (name, path.read_text(encoding="utf-8"))
        for path in tracked()
        if path.suffix in {".py", ".md", ".sql", ".yml"}
        if not (name := Path(path).relative_to(ROOT).as_posix()).startswith(EXEMPT)
    ]
