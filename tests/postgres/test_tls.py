"""A server that lets nobody in without TLS, and what the URL says of it: kept on every way to the database."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from custom_events.postgres import connect, pooling
from orchestration import instance
from sandbox.google_ads.certificates import ensure
from tests import machine_postgres
from tests.flow.stack import free_ports

IS_ENCRYPTED = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Address without a word of TLS, and the file of the authority that signed the server's certificate."""
    (port,) = free_ports(1)
    files = ensure(tmp_path_factory.mktemp("certificates"))
    with (
        machine_postgres.private_directory() as home,
        machine_postgres.running(
            home, host="127.0.0.1", port=port, certificate=(files.certificate_file, files.key_file)
        ) as superuser,
    ):
        with psycopg.connect(superuser, autocommit=True) as connection:
            connection.execute("CREATE ROLE shop LOGIN PASSWORD 'hush'")
        yield f"postgresql://shop:hush@localhost:{port}/postgres", files.ca_file


@pytest.fixture(params=["require", "verify-full"])
def address(server: tuple[str, Path], request: pytest.FixtureRequest) -> str:
    url, authority = server
    return f"{url}?sslmode={request.param}&sslrootcert={authority}&options=-c%20work_mem%3D7MB"


def test_sqlalchemy(address: str) -> None:
    engine = connect.engine(address)
    with engine.connect() as connection:
        assert connection.execute(sa.text(IS_ENCRYPTED)).scalar_one() is True
        assert connection.execute(sa.text("SHOW work_mem")).scalar_one() == "7MB"
    engine.dispose()
    assert pooling.problem(address) is None


def test_asyncpg(address: str) -> None:
    async def ask() -> tuple[object, object]:
        connection = await connect.asyncpg_connect(address)
        try:
            return await connection.fetchval(IS_ENCRYPTED), await connection.fetchval("SHOW work_mem")
        finally:
            await connection.close()

    assert asyncio.run(ask()) == (True, "7MB")


def test_dagster(address: str) -> None:
    engine = sa.create_engine(instance.storage_url(address))
    with engine.connect() as connection:
        assert connection.execute(sa.text(IS_ENCRYPTED)).scalar_one() is True
        assert connection.execute(sa.text("SHOW work_mem")).scalar_one() == "7MB"
    engine.dispose()


def test_without_tls_nobody_is_let_in(server: tuple[str, Path]) -> None:
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        pooling.problem(f"{server[0]}?sslmode=disable")
