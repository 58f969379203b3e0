"""Where the database is."""

from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from custom_events.errors import InvalidConfiguration
from custom_events.postgres import address
from custom_events.settings import Settings


def test_database_url_wins() -> None:
    settings = Settings(database_url=SecretStr("postgres://me:secret@example.org/shop?sslmode=require"))
    with address.database(settings) as url:
        assert url == "postgresql://me:secret@example.org/shop?sslmode=require"


def test_embedded_server_is_there_for_the_block_only(server_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    settings = Settings(local_directory=server_directory, database_url=None)
    with address.database(settings) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("custom_events",)
    assert (server_directory / "postgres" / "data").is_dir()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+asyncpg"])
def test_spellings(scheme: str) -> None:
    assert address.libpq(f"{scheme}://a@b/c?d=e") == "postgresql://a@b/c?d=e"


@pytest.mark.parametrize("url", ["mysql://a/b", "localhost:5432/x", ""])
def test_other_databases_are_refused_by_name(url: str) -> None:
    with pytest.raises(InvalidConfiguration, match="DATABASE_URL: must begin with postgresql://"):
        address.libpq(url)


@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        ("postgresql://ours@/db?host=/run/postgresql", True),
        ("postgresql://ours@localhost/db", True),
        ("postgresql://ours@127.0.0.1:5433/db?sslmode=disable", True),
        ("postgresql://ours@db.example/db", False),
        ("postgresql://ours@db.example/db?sslmode=require", False),
        ("postgresql://ours@db.example/db?sslmode=verify-ca", False),
        ("postgresql://ours@db.example/db?sslmode=verify-full&sslrootcert=system", True),
        ("postgresql://ours@/db?host=db.example", False),
    ],
)
def test_the_way_to_others_is_verified(url: str, is_safe: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGSSLMODE", raising=False)
    problem = address.transport_problem(url)
    assert (problem is None) is is_safe
    if problem is not None:
        assert "db.example is not verified" in problem
        assert "sslmode=verify-full" in problem
        monkeypatch.setenv("PGSSLMODE", "verify-full")
        assert (address.transport_problem(url) is None) is ("sslmode" not in url)
