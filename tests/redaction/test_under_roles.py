"""The programs' real work, each under its own login: what lands, is understood, sent, forgotten and kept needs no more rights than these."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from custom_events.archive.restoring import restore
from custom_events.archive.writing import write_due
from custom_events.errors import NeedsAction
from custom_events.ledger.reconcile import count_ours
from custom_events.postgres import connect, partitions, role_logins, role_rights, upkeep, zone_offsets
from custom_events.postgres.role_logins import Program
from custom_events.queries import receipts, reconciliation, tallies
from custom_events.redaction.archives import forgotten_check
from custom_events.redaction.carry_out import carry_out_all, sweep_quarantine
from custom_events.redaction.retention import expire
from custom_events.watching import scheduled, sums
from custom_events.watching.watch import look
from dbt_staging.models import model_name, render_sql
from dbt_staging.sources import source_tables, visible_columns
from tests.redaction.bodies import everywhere, redact_customer
from tests.redaction.conftest import ANN, BEN, Planted

# Of each program, what it must not do.
REFUSED = {
    Program.PIPELINE: [
        "UPDATE landing.receipts SET landed = 0",
        "SELECT secret_encrypted FROM app.site_secrets",
        "SELECT password_hash FROM app.people",
        "SELECT * FROM app.sessions",
        "UPDATE app.sites SET settings = '{}'",
        "INSERT INTO app.definition_revisions DEFAULT VALUES",
        "CREATE TABLE app.mine ()",
        "SELECT app.drop_partition('app', 'conversion_uploads', 'conversion_uploads_2026_11', false)",
        "SELECT app.drop_partition('landing', 'raw_events', 'raw_events_default', false)",
        "SELECT app.drop_partition('app', 'sites', 'sites_x', false)",
    ],
    Program.CONSOLE: [
        "INSERT INTO landing.receipts VALUES (now(), 1, 1, 1, 1)",
        "DELETE FROM landing.raw_events",
        "UPDATE landing.raw_events SET body = ''",
        "DROP TABLE app.sites",
        "SELECT app.make_partition('app', 'clicks', 'clicks_2031_01', '2031-01-01', '2031-02-01', NULL, NULL)",
        "SELECT app.opens_dagster(1)",
    ],
    Program.REPORTING: [
        "SELECT body FROM landing.raw_events",
        "SELECT headers FROM landing.raw_events",
        "SELECT * FROM app.people",
        "SELECT secret_encrypted FROM app.site_secrets",
        "UPDATE app.orders SET total = 0",
        "DELETE FROM app.commerce_events",
        "SELECT app.opens_dagster(1)",
    ],
}
# Of whoever: tables of our own making, large objects, the owner's rights, and the audit trail.
REFUSED_TO_ALL = [
    "SELECT lo_create(0)",
    "SET ROLE custom_events",
    "CREATE ROLE mine",
    "CREATE TABLE public.mine ()",
    "UPDATE app.audit_entries SET actor = 'nobody'",
    "DELETE FROM app.audit_entries",
    "TRUNCATE app.audit_entries",
    "ALTER TABLE app.audit_entries DISABLE TRIGGER ALL",
]


@pytest.fixture
def logins(planted: Planted) -> dict[Program, str]:
    """The address of each program's login on the test's database."""
    with planted.engine.begin() as connection:
        return role_logins.make(connection, list(Program))


@contextmanager
def engine_of(url: str) -> Iterator[sa.Engine]:
    engine = connect.engine(url, name="tests")
    try:
        yield engine
    finally:
        engine.dispose()


def keep(engine: sa.Engine, planted: Planted) -> None:
    """What `keep_partitions` does, and what the watcher looks at."""
    now = datetime.now(UTC)
    later = now + timedelta(days=8)
    expired = now + timedelta(days=120)
    (archived,) = write_due(engine, planted.settings, expired, forgotten_check(engine, planted.settings))
    assert archived.manifest is not None
    with engine.begin() as connection:
        assert partitions.ensure(connection, later, ahead_days=45).names
        assert partitions.drop_expired(connection, planted.settings, expired).names
        zone_offsets.ensure(connection)
        tallies.fold(connection)
        receipts.by_hour(connection, now)
        reconciliation.forget(connection, now - timedelta(days=760))
        scheduled.ended(connection, "keep_partitions", now)
        sums.check(connection, now)
    is_forgotten = forgotten_check(engine, planted.settings)
    restored = restore(engine, planted.settings, archived.week, expired, is_forgotten, days=1)
    assert (restored.landed, restored.blanked) == (archived.manifest.rows, 0)
    expire(engine, planted.settings, now + timedelta(days=800))
    upkeep.analyze(engine)
    assert upkeep.rest(engine, now + timedelta(days=400)) == []  # the owner's
    look(engine, (), planted.settings, now, with_sums=True)


def test_the_whole_way_with_the_rights_of_each_program(planted: Planted, logins: dict[Program, str]) -> None:
    archive = planted.settings.local_directory / "archive"
    planted.settings = owner = planted.settings.model_copy(update={"archive_url": str(archive)})
    planted.settings = owner.model_copy(update={"database_url": SecretStr(logins[Program.RECEIVER])})
    assert set(planted.post(everywhere(planted, ANN) + everywhere(planted, BEN))) == {200}
    assert set(planted.post(everywhere(planted, BEN)[:2], secret=b"another")) == {401}
    with engine_of(logins[Program.PIPELINE]) as pipeline:
        planted.url, planted.ledger.engine, planted.settings = logins[Program.PIPELINE], pipeline, owner
        planted.drain()
        planted.send()
        with pipeline.begin() as connection:
            count_ours(connection, datetime.now(UTC))
        assert {"app.clicks", "app.conversion_uploads", "app.order_refunds"} <= planted.found(ANN).keys()
        planted.settings = owner.model_copy(update={"database_url": SecretStr(logins[Program.RECEIVER])})
        assert planted.post(redact_customer(ANN)) == [200]
        planted.settings = owner
        planted.drain()
        assert [request.is_done for request in carry_out_all(pipeline, owner, actor="test")] == [True]
        sweep_quarantine(pipeline, owner, datetime.now(UTC) - timedelta(days=1))
        assert planted.gaps() == []
        keep(pipeline, planted)


def test_what_each_must_not_do_is_refused(planted: Planted, logins: dict[Program, str]) -> None:
    for program, url in logins.items():
        with engine_of(url) as engine, engine.connect() as connection:
            for statement in (*REFUSED.get(program, ()), *REFUSED_TO_ALL):
                with (
                    pytest.raises(
                        sa.exc.DBAPIError, match=r"denied|must be owner|only added to|not to be|no partition"
                    ),
                    connection.begin_nested(),
                ):
                    connection.execute(sa.text(statement))
    with planted.engine.connect() as connection:  # the owner's own login, too
        for statement in REFUSED_TO_ALL[4:7]:
            with pytest.raises(sa.exc.DBAPIError, match="only added to"), connection.begin_nested():
                connection.execute(sa.text(statement))


def test_reports_are_built_from_what_reporting_may_read_and_read_by_the_console(
    planted: Planted, logins: dict[Program, str]
) -> None:
    """Each staging model as dbt makes it: a view of its owner."""
    with engine_of(logins[Program.REPORTING]) as engine, engine.begin() as connection:
        for table in source_tables():
            source = f"{{{{ source('{table.schema}', '{table.name}') }}}}"
            sql = render_sql(table).replace(source, table.fullname)
            connection.execute(sa.text(f"CREATE VIEW reporting.{model_name(table)} AS {sql}"))
            assert {column.name for column in visible_columns(table)} <= set(role_rights.readable(table))
        connection.execute(sa.text("CREATE TEMPORARY TABLE building AS SELECT 1"))  # as dbt does
    for program in (Program.CONSOLE, Program.PIPELINE):
        with engine_of(logins[program]) as engine, engine.connect() as connection:
            rows = connection.execute(sa.text("SELECT count(*) FROM reporting.stg_landing__raw_events"))
            assert rows.scalar_one() == 0
            with pytest.raises(sa.exc.ProgrammingError, match=r"denied|must be owner"):
                connection.execute(sa.text("DROP VIEW reporting.stg_landing__raw_events"))


def test_a_login_that_exists_gets_a_new_password_and_schemas_there_are_change_hands(planted: Planted) -> None:
    with planted.engine.begin() as connection:
        connection.execute(sa.text("CREATE SCHEMA dagster; CREATE TABLE dagster.runs (id bigserial PRIMARY KEY)"))
        first = role_logins.make(connection, [Program.PIPELINE])
        second = role_logins.make(connection, [Program.PIPELINE])
    assert sa.make_url(first[Program.PIPELINE]).password != sa.make_url(second[Program.PIPELINE]).password
    with engine_of(second[Program.PIPELINE]) as engine, engine.begin() as connection:
        connection.execute(
            sa.text("ALTER TABLE dagster.runs ADD COLUMN name TEXT; INSERT INTO dagster.runs (name) VALUES ('x')")
        )


def test_the_sql_for_somebody_else_does_the_same(planted: Planted) -> None:
    with planted.engine.begin() as connection:
        for program in Program:
            script = role_logins.script(connection, program, "a-password")
            assert "a-password" not in str(script)
            for statement in script:
                connection.execution_options(no_parameters=True).exec_driver_sql(statement)
    url = role_logins.address(planted.engine.url, Program.CONSOLE, "a-password")
    assert url.startswith("postgresql://custom_events_console:a-password@")
    with engine_of(url) as engine, engine.connect() as connection:
        assert connection.execute(sa.text("SELECT current_user")).scalar_one() == "custom_events_console"


def test_who_may_not_make_roles_is_told_what_to_do(planted: Planted, logins: dict[Program, str]) -> None:
    with (
        engine_of(logins[Program.CONSOLE]) as engine,
        engine.connect() as connection,
        pytest.raises(NeedsAction, match="roles --sql"),
    ):
        role_logins.make(connection, [Program.RECEIVER])
