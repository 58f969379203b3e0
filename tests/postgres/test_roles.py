"""What the receiver's role can do, and what it cannot."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product

import psycopg
import pytest
import sqlalchemy as sa

from custom_events.errors import NeedsAction
from custom_events.postgres import connect, migrate, role_logins, roles
from custom_events.postgres.role_logins import Program
from custom_events.tables.registry import TABLES

LANDS = {"raw_events", "raw_queue", "duplicate_deliveries", "refused_events", "receipts"}
LAND = """
INSERT INTO landing.raw_events (landed_week, site_id, dedup_key, signature, headers, body, body_bytes)
VALUES (date_trunc('week', now() AT TIME ZONE 'UTC')::date, 1, 'key', 'verified', '{}', 'secret', 6)
ON CONFLICT (landed_week, site_id, dedup_key) DO NOTHING RETURNING landed_week, id
"""


@pytest.fixture
def receiver(database: str, engine: sa.Engine) -> Iterator[sa.Engine]:
    with engine.begin() as connection:
        assert roles.ensure(connection)  # rights on the database itself are not copied with it
    made = connect.engine(connect.receiver_url(database))
    yield made
    made.dispose()


def test_lands_deduplicates_and_queues(receiver: sa.Engine) -> None:
    with receiver.begin() as connection:
        week, raw_id = connection.execute(sa.text(LAND)).one()
        assert connection.execute(sa.text(LAND)).all() == []
        connection.execute(
            sa.text("INSERT INTO landing.raw_queue VALUES (:raw_id, :week, 1)"), {"raw_id": raw_id, "week": week}
        )
        connection.execute(
            sa.text("INSERT INTO landing.receipts VALUES (:now, 2, 1, 1, 0)"), {"now": datetime.now(UTC)}
        )
        connection.execute(sa.text("INSERT INTO landing.duplicate_deliveries VALUES (now(), 1, 'orders/paid', 'key')"))
        connection.execute(
            sa.text("INSERT INTO landing.refused_events (received_at, reason) VALUES (now(), 'too_old')")
        )
        seen = sa.text("SELECT count(*) FROM landing.refused_events WHERE received_at > now() - interval '1 day'")
        assert connection.execute(seen).scalar_one() == 1
        known = "SELECT site_key, secret_encrypted FROM app.sites LEFT JOIN app.site_secrets ON site_id = sites.id"
        assert connection.execute(sa.text(known)).all() == []


FORBIDDEN = [
    "SELECT body FROM landing.raw_events",
    "SELECT headers FROM landing.raw_events",
    "SELECT * FROM landing.raw_events",
    "SELECT body FROM landing.refused_events",
    "SELECT * FROM landing.raw_queue",
    "DELETE FROM landing.raw_events",
    "DELETE FROM landing.raw_queue",
    "UPDATE landing.raw_events SET site_id = 2",
    "TRUNCATE landing.raw_events",
    "UPDATE app.sites SET name = 'mine'",
    "INSERT INTO app.site_secrets (site_id, secret_encrypted) VALUES (1, 'x')",
    "SELECT name FROM app.sites",
    "SELECT settings FROM app.sites",
    "SELECT login FROM app.people",
    "SELECT * FROM app.customers",
    "DROP TABLE landing.raw_queue",
    "CREATE TEMPORARY TABLE mine ()",
    "SELECT lo_create(0)",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT app.drop_partition('landing', 'raw_events', 'raw_events_default', false)",
    "CREATE TABLE landing.mine ()",
    "CREATE TABLE app.mine ()",
    "SELECT * FROM landing.raw_events_default",
]


def test_nothing_else(receiver: sa.Engine) -> None:
    with receiver.connect() as connection:
        for statement in FORBIDDEN:
            with (
                pytest.raises(sa.exc.ProgrammingError, match=r"permission denied|must be owner"),
                connection.begin_nested(),
            ):
                connection.execute(sa.text(statement))


def test_rights_on_every_table(engine: sa.Engine) -> None:
    """By the catalogue, so that a table made tomorrow is covered."""
    question = sa.text("SELECT has_table_privilege(:role, :table, :right)")
    with engine.connect() as connection:
        for table, right in product(
            TABLES, ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
        ):
            may = {"role": roles.RECEIVER, "table": table.fullname, "right": right}
            expected = right == "INSERT" and table.name in LANDS
            assert connection.execute(question, may).scalar_one() is expected, (table.name, right)


def test_again_changes_nothing(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        assert roles.ensure(connection)
        assert roles.ensure(connection)
        roles.drop(connection)  # it has rights here: stays
        assert roles.ensure(connection)


@pytest.mark.usefixtures("_template")  # its migration made the role that is renamed
def test_login_that_may_not_make_roles_migrates_all_the_same(plain: str, postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("ALTER ROLE custom_events_receiver RENAME TO away")
        try:
            migrate.upgrade(plain)
            problem = migrate.receiver_problem(plain) or ""
            assert "the login plain may not make roles" in problem
            assert "CREATE ROLE custom_events_receiver NOLOGIN; GRANT custom_events_receiver TO plain;" in problem
        finally:
            connection.execute("ALTER ROLE away RENAME TO custom_events_receiver")
        assert "plain is no member" in (migrate.receiver_problem(plain) or "")
        connection.execute("GRANT custom_events_receiver TO plain")
        assert "may not write landing.raw_events" in (migrate.receiver_problem(plain) or "")
    migrate.upgrade(plain)
    assert migrate.receiver_problem(plain) is None
    engine = connect.engine(connect.receiver_url(plain))
    with engine.begin() as connection:
        assert connection.execute(sa.text(LAND)).one()
    engine.dispose()
    migrate.downgrade(plain, "base")


@pytest.mark.usefixtures("_template")  # its migration made the roles
def test_whoever_makes_roles_and_is_no_superuser_gives_programs_their_logins(plain: str, postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as superuser:
        superuser.execute("ALTER ROLE plain CREATEROLE")
        # As if they had made them: from PostgreSQL 16 on they may give a role to others, and are not it.
        beside = ", INHERIT FALSE, SET FALSE" if superuser.info.server_version >= 160_000 else ""
        for role in roles.ROLES:
            superuser.execute(f"GRANT {role} TO plain WITH ADMIN OPTION{beside}")
        migrate.upgrade(plain)
        assert migrate.receiver_problem(plain) is None
        engine = connect.engine(plain, name="tests")
        with engine.begin() as connection:
            assert role_logins.make(connection, list(Program)).keys() == set(Program)
        superuser.execute("ALTER ROLE custom_events_reporting CREATEDB")
        try:
            with engine.begin() as connection, pytest.raises(NeedsAction, match="may more than a program needs"):
                role_logins.make(connection, [Program.REPORTING])
        finally:
            superuser.execute("ALTER ROLE custom_events_reporting NOCREATEDB")
        engine.dispose()
    with psycopg.connect(
        sa.make_url(postgres_url).set(database=sa.make_url(plain).database).render_as_string(hide_password=False),
        autocommit=True,
    ) as connection:
        connection.execute("DROP SCHEMA dagster, reporting CASCADE")  # what programs own
        connection.execute(f"DROP OWNED BY {', '.join(roles.ROLES)}")
