import subprocess
import sys
from importlib.metadata import version

import click
import pytest

from cli.main import VERBS as VERBS_OF_MAIN
from cli.main import main
from tests.cli.conftest import Run

VERBS = ("demo", "up", "migrate", "seed", "understand", "status", "doctor", "sandbox")
HEAVY = (
    "cli.status",
    "sqlalchemy",
    "pydantic",
    "structlog",
    "msgspec",
    "psycopg",
    "fastapi",
    "dagster",
    "google",
    "rich",
    "alembic",
    "pandas",
    "pyarrow",
    "xlsxwriter",
    "matplotlib",
    "fpdf",
    "fsspec",
)


def test_help_names_every_verb_and_teaches(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    for verb in VERBS:
        assert f"\n  {verb} " in result.output
    assert "First steps" in result.output


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_with_an_example(run: Run, verb: str) -> None:
    result = run(verb, "--help")
    assert result.exit_code == 0
    assert f"custom-events {verb}" in result.output.replace(f"Usage: custom-events {verb}", "") or verb == "sandbox"


def test_the_list_says_of_each_verb_what_the_verb_says_of_itself() -> None:
    context = click.Context(main)
    for name, (_, sentence) in VERBS_OF_MAIN.items():
        verb = main.get_command(context, name)
        assert verb is not None
        assert (verb.name, verb.short_help) == (name, sentence)


def test_the_version_is_the_projects(run: Run) -> None:
    assert run("--version").output == f"custom-events, version {version('custom-events')}\n"


def test_help_loads_nothing_heavy() -> None:
    script = f"import sys, cli.main; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_wrong_usage_is_told_apart_from_a_failure(run: Run) -> None:
    assert run("status", "--no-such-option").exit_code == 2
