import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from cli.faults import sentence_of
from custom_events.errors import Permanent
from tests.cli.conftest import Run


@pytest.fixture
def nobody() -> str:
    """A database address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"postgresql://user:hush@127.0.0.1:{server.getsockname()[1]}/nothing"


def test_a_database_that_does_not_answer_is_one_line(run: Run, nobody: str) -> None:
    result = run("status", DATABASE_URL=nobody)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The database does not answer: ")
    assert "custom-events doctor" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "hush" not in result.output


def test_a_database_without_our_tables_says_to_migrate(run: Run, empty_database: str) -> None:
    result = run("status", DATABASE_URL=empty_database)
    assert result.exit_code == 1
    assert "Run: custom-events migrate" in result.stderr


def test_verbose_shows_where(run: Run, nobody: str) -> None:
    result = run("--verbose", "status", DATABASE_URL=nobody)
    assert isinstance(result.exception, sa.exc.OperationalError)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("CUSTOM_EVENTS_RECEIVER_PORT", "eighty", "CUSTOM_EVENTS_RECEIVER_PORT: input should be a valid integer"),
        ("CUSTOM_EVENTS_RECEIVER_PORT", "eighty", "(it is 'eighty')"),
        ("CUSTOM_EVENTS_GROUP_LIMIT", "0", "CUSTOM_EVENTS_GROUP_LIMIT: input should be greater than or equal to 1"),
        ("CUSTOM_EVENTS_LOG_LEVEL", "LOUD", "CUSTOM_EVENTS_LOG_LEVEL: log level 'LOUD' is not known"),
        ("DATABASE_URL", "mysql://host/db", "DATABASE_URL: must begin with postgresql://"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_its_value(run: Run, variable: str, value: str, words: str) -> None:
    result = run("status", **{variable: value})
    assert result.exit_code == 1
    assert words in result.stderr


def test_a_reader_that_has_seen_enough_hears_no_complaint(tmp_path: Path) -> None:
    """As with `custom-events understand ... | head`."""
    body = tmp_path / "order.json"
    body.write_text("{}")
    command = [sys.executable, "-m", "cli.main", "understand", "--platform", "shopify", "--topic", "orders/paid"]
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer) as closed:
        done = subprocess.run([*command, str(body)], stdout=closed, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")


def test_other_errors_name_their_kind_and_how_to_see_more() -> None:
    assert sentence_of(Permanent("gone", "It is gone.")) == "It is gone."
    assert sentence_of(ZeroDivisionError()) == (
        "ZeroDivisionError: ZeroDivisionError (`custom-events --verbose ...` shows where)"
    )
    assert sentence_of(OSError("disk full\nmore")).startswith("OSError: disk full (")


def test_other_database_errors_are_told_as_they_are(engine: sa.Engine) -> None:
    with engine.connect() as connection, pytest.raises(sa.exc.DataError) as caught:
        connection.execute(sa.text("SELECT 1/0"))
    assert sentence_of(caught.value).startswith("DivisionByZero: division by zero (")


def test_an_unreadable_env_file_setting_counts_too(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CUSTOM_EVENTS_SHARDS=none\n")
    assert "CUSTOM_EVENTS_SHARDS" in run("status").stderr
