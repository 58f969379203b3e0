import re
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from custom_events.postgres import major_version, migrate, pooling
from custom_events.postgres.major_version import Moved
from tests.cli.conftest import Run


def test_a_database_is_brought_up_looked_at_and_taken_down(run: Run, empty_database: str) -> None:
    head = migrate.head()
    assert run("migrate", "current", DATABASE_URL=empty_database).output == (
        f"database empty, this version {head}: run: custom-events migrate\n"
    )
    first = run("migrate", DATABASE_URL=empty_database)
    assert first.exit_code == 0
    assert f"The database is at revision {head} (was empty)." in first.output
    assert "purchase, first_purchase" in first.output
    assert run("migrate", DATABASE_URL=empty_database).output == f"The database is at revision {head}.\n"
    assert "up to date" in run("migrate", "current", DATABASE_URL=empty_database).output

    back = run("migrate", "downgrade", "0002", "--yes", DATABASE_URL=empty_database)
    assert back.output == "The database is at revision 0002.\n"
    assert run("migrate", "downgrade", "0001", "--yes", DATABASE_URL=empty_database).exit_code == 0
    part = run("migrate", "upgrade", "0002", DATABASE_URL=empty_database)
    assert part.output == "The database is at revision 0002 (was 0001).\n"


def test_the_embedded_servers_files_are_moved_where_they_are_of_another_version(
    run: Run, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    afar = run("migrate", "server", DATABASE_URL=database)
    assert afar.exit_code == 1
    assert "is upgraded by its own means" in afar.stderr
    assert "nothing to do" in run("migrate", "server", DATABASE_URL="").output
    moved = Moved(before="18", after="19", tables=3, rows=4_000, left=Path("data.before-18"))
    monkeypatch.setattr(major_version, "move", lambda *_, **__: moved)
    told = run("migrate", "server", DATABASE_URL="").output
    assert "Moved 3 tables with 4,000 rows from PostgreSQL 18 to 19." in told
    assert "The old files are in data.before-18" in told


def test_a_verb_beside_a_newer_database_says_so(run: Run, engine: sa.Engine, database: str) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE public.alembic_version SET version_num = '9999'"))
    result = run("status", DATABASE_URL=database)
    assert result.exit_code == 1
    assert "The database is at revision 9999, and this program was written for" in result.stderr


def test_nothing_is_lost_without_a_yes(run: Run, database: str) -> None:
    result = run("migrate", "downgrade", "base", DATABASE_URL=database, given="n\n")
    assert result.exit_code == 1
    assert "will be lost" in result.output
    assert migrate.current(database) == migrate.head()
    assert run("migrate", "downgrade", "base", DATABASE_URL=database, given="y\n").exit_code == 0
    assert migrate.current(database) is None


@pytest.mark.usefixtures("_template")  # its migration made the role
def test_a_login_that_may_not_become_the_receiver_is_told_what_to_run(run: Run, plain: str, postgres_url: str) -> None:
    result = run("migrate", DATABASE_URL=plain)
    assert result.exit_code == 1
    assert f"The database is at revision {migrate.head()}" in result.output
    assert "GRANT custom_events_receiver TO plain;" in result.output
    assert "CUSTOM_EVENTS_RECEIVER_ROLE=false" in result.output
    doctor = run("doctor", DATABASE_URL=plain)
    assert doctor.exit_code == 1
    assert "FAILED   receiver's role: The receiver cannot land anything: the login plain is no member" in doctor.output
    assert run("migrate", DATABASE_URL=plain, CUSTOM_EVENTS_RECEIVER_ROLE="false").exit_code == 0
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("GRANT custom_events_receiver TO plain")
    assert run("migrate", DATABASE_URL=plain).exit_code == 0


def test_a_login_that_may_not_make_tables_is_told_what_its_owner_must_run(
    run: Run, plain: str, empty_database: str
) -> None:
    name = sa.make_url(empty_database).database
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} OWNER TO custom_events")
        result = run("migrate", DATABASE_URL=plain)
        assert result.exit_code == 1
        assert f"The login plain may not make what we keep in the database {name} (permission denied" in result.stderr
        (grants,) = re.findall(r"or: (.*;)$", result.stderr, re.MULTILINE)
        connection.execute(grants)
    assert run("migrate", DATABASE_URL=plain, CUSTOM_EVENTS_RECEIVER_ROLE="false").exit_code == 0


@pytest.mark.parametrize("verb", ["migrate", "up", "doctor"])
def test_behind_a_pooler_that_breaks_sessions_it_is_refused(
    run: Run, empty_database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, verb: str
) -> None:
    monkeypatch.setattr(pooling, "problem", lambda _: "A pooler is in the way. Use another address.")
    monkeypatch.setattr("supervisor.programs.product", lambda _: [])
    result = run(verb, DATABASE_URL=empty_database, CUSTOM_EVENTS_LOCAL_DIRECTORY=str(tmp_path))
    assert result.exit_code == 1
    assert "A pooler is in the way." in result.output
    assert "Use another address." in result.output
    assert "migrations" not in result.output
    assert migrate.current(empty_database) is None


@pytest.mark.parametrize("verb", ["upgrade", "downgrade"])
@pytest.mark.parametrize("revision", ["nothing", "9999", "", "+1"])
def test_a_revision_that_there_is_not_is_named(run: Run, database: str, verb: str, revision: str) -> None:
    yes = ("--yes",) if verb == "downgrade" else ()
    result = run("migrate", verb, revision, *yes, DATABASE_URL=database)
    assert result.exit_code == 1
    assert f'"{revision}" is no revision to go to from {migrate.head()}: there are base, 0001 to' in result.stderr


def test_a_database_of_a_newer_version_is_told_apart(run: Run, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    result = run("migrate", DATABASE_URL=database)
    assert result.exit_code == 1
    assert "The database is at revision 9999, which this version does not know" in result.stderr
