"""`custom-events roles`: logins are made with their settings shown, or their SQL is printed."""

import psycopg
import sqlalchemy as sa

from tests.cli.conftest import Run


def test_logins_are_made_and_shown_once(run: Run, database: str, engine: sa.Engine) -> None:
    done = run("roles", "receiver", "console", DATABASE_URL=database)
    assert done.exit_code == 0, done.output
    settings = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert settings.keys() == {"CUSTOM_EVENTS_RECEIVER_DATABASE_URL", "CUSTOM_EVENTS_CONSOLE_DATABASE_URL"}
    with psycopg.connect(settings["CUSTOM_EVENTS_RECEIVER_DATABASE_URL"]) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("custom_events_receiver",)
    with engine.connect() as connection:
        entry = connection.execute(sa.text("SELECT detail FROM app.audit_entries WHERE action = 'roles.make'"))
        assert entry.scalar_one() == {"roles": ["receiver", "console"]}


def test_sql_is_printed_and_nothing_changed(run: Run, database: str, engine: sa.Engine) -> None:
    done = run("roles", "reporting", "--sql", DATABASE_URL=database)
    assert done.exit_code == 0, done.output
    assert "ALTER ROLE custom_events_reporting LOGIN" in done.stdout
    assert "CUSTOM_EVENTS_REPORTING_DATABASE_URL=postgresql://custom_events_reporting:" in done.stderr
    with engine.connect() as connection:
        owner = sa.text("SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'reporting'")
        assert connection.execute(owner).scalar_one() == "custom_events"
