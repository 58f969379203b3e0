from custom_events.postgres import migrate
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


def test_nothing_is_lost_without_a_yes(run: Run, database: str) -> None:
    result = run("migrate", "downgrade", "base", DATABASE_URL=database, given="n\n")
    assert result.exit_code == 1
    assert "will be lost" in result.output
    assert migrate.current(database) == migrate.head()
    assert run("migrate", "downgrade", "base", DATABASE_URL=database, given="y\n").exit_code == 0
    assert migrate.current(database) is None
