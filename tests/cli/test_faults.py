import os
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from cli.faults import WHERE, sentence_of
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
        (
            "CUSTOM_EVENTS_RECEIVER_PORT",
            "65536",
            "CUSTOM_EVENTS_RECEIVER_PORT: input should be less than or equal to 65535",
        ),
        ("DATABASE_URL", "postgresql://u@h:99999/db", "DATABASE_URL: its port is no number from 1 to 65535"),
        ("DATABASE_URL", "postgresql://u@h:five/db", "DATABASE_URL: its port is no number from 1 to 65535"),
        ("DATABASE_URL", "postgresql://u:hu/sh@h/db", "write / as %2F"),
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


def test_other_errors_say_how_to_see_more() -> None:
    assert sentence_of(Permanent("gone", "It is gone.")) == "It is gone."
    assert sentence_of(ZeroDivisionError()) == f"An error of our own: no reason given. {WHERE}"
    assert sentence_of(OSError("disk full\nmore")) == f"This machine refused: disk full. {WHERE}"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            PermissionError(13, "Permission denied", "/rules"),
            "/rules cannot be read or written (Permission denied): choose",
        ),
        (ConnectionRefusedError(111, "Connect call failed"), "The database does not answer: "),
        (TimeoutError(), "The database does not answer: no reason given. Check DATABASE_URL"),
        (psycopg.errors.InvalidPassword("no"), "The database refused: no. Check user and password of DATABASE_URL."),
        (psycopg.errors.InsufficientPrivilege("no"), "The login lacks a right"),
        (psycopg.errors.AdminShutdown("no"), "try again in a minute"),
    ],
)
def test_errors_of_the_system_and_of_the_database_have_a_remedy(error: Exception, words: str) -> None:
    assert words in sentence_of(error)


def test_other_database_errors_are_told_as_they_are(engine: sa.Engine) -> None:
    with engine.connect() as connection, pytest.raises(sa.exc.DataError) as caught:
        connection.execute(sa.text("SELECT 1/0"))
    assert sentence_of(caught.value) == f"An error of our own, the database says: division by zero. {WHERE}"


def test_an_unreadable_env_file_setting_counts_too(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CUSTOM_EVENTS_SHARDS=none\n")
    assert "CUSTOM_EVENTS_SHARDS" in run("status").stderr
