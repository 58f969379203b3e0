"""Programs beside a schema of another version: this one beside a later revision that nobody knows, and beside an older one; those from before the guard
beside this one."""

import psycopg
import pytest
import sqlalchemy as sa

from custom_events.errors import NeedsAction
from custom_events.operations.kinds import KINDS
from custom_events.operations.runner import Runner
from custom_events.pipeline.drain import drain_sync
from custom_events.postgres import migrate, schema_guard
from custom_events.settings import Settings
from tests.world import World, paid_order

LATER = "9999"
MOVED = "UPDATE public.alembic_version SET version_num = '{}'"
WAITING = "SELECT count(*) FROM landing.raw_queue"
pytestmark = pytest.mark.database


def at(engine: sa.Engine, revision: str) -> None:
    """Let the database say that it is at this revision."""
    with engine.begin() as connection:
        connection.execute(sa.text(MOVED.format(revision)))


def drained(database: str) -> int:
    return drain_sync(database, Settings(), until_idle_s=0.0, limit_s=60.0).raw


@pytest.fixture
def world(database: str, engine: sa.Engine) -> World:
    """A site with a rule and a delivery that waits."""
    made = World(database, engine)
    made.rule(made.site(), ads_action=made.action())
    made.land(1, "orders/paid", paid_order())
    return made


def waiting(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(sa.text(WAITING)).scalar_one()


def test_nothing_is_understood_beside_a_later_revision_and_nothing_is_lost(
    world: World, database: str, engine: sa.Engine
) -> None:
    at(engine, LATER)
    with pytest.raises(
        NeedsAction, match=f"revision {LATER}, and this program was written for {migrate.head()}: it is older"
    ):
        drained(database)
    world.land(1, "orders/paid", paid_order(2))
    assert waiting(engine) == 2
    at(engine, migrate.head())
    assert drained(database) == 2
    assert waiting(engine) == 0


def test_nor_beside_an_older_one(world: World, database: str, engine: sa.Engine) -> None:
    migrate.downgrade(database, "0056")
    with pytest.raises(NeedsAction, match=r"revision 0056, and this program needs .* Run: custom-events migrate"):
        drained(database)
    migrate.upgrade(database)
    assert drained(database) == 1


def test_a_migration_and_what_is_guarded_wait_for_one_another(database: str, engine: sa.Engine) -> None:
    guarded = schema_guard.engine(database, lock_limit_ms=50)
    try:
        with engine.connect() as migrator:
            migrator.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": migrate.MIGRATORS})
            with guarded.connect() as connection, pytest.raises(sa.exc.OperationalError, match="lock timeout"):
                connection.exec_driver_sql("SELECT 1")
            migrator.rollback()
        with guarded.begin() as connection:
            connection.execute(sa.text("SELECT FROM app.sites"))
            with engine.connect() as migrator:
                taken = migrator.execute(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": migrate.MIGRATORS})
                assert taken.scalar_one() is False
    finally:
        guarded.dispose()


def test_transactions_of_a_guarded_engine_say_what_is_wrong(database: str, engine: sa.Engine) -> None:
    guarded = schema_guard.engine(database)
    at(engine, LATER)
    try:
        with pytest.raises(NeedsAction, match="it is older"), guarded.begin() as connection:
            connection.execute(sa.text("DELETE FROM app.sites"))
        at(engine, migrate.head())
        with guarded.begin() as connection:
            assert (
                connection.execute(sa.text("SELECT current_setting('custom_events.revision')")).scalar_one()
                == migrate.head()
            )
    finally:
        guarded.dispose()


def test_an_empty_database_is_to_be_migrated_first(empty_database: str) -> None:
    guarded = schema_guard.engine(empty_database)
    try:
        with pytest.raises(NeedsAction, match="has no tables of Custom Events"), guarded.begin():
            pass
    finally:
        guarded.dispose()


def test_the_runner_of_operations_takes_nothing_up(database: str, engine: sa.Engine) -> None:
    runner = Runner(database, Settings(), KINDS)
    at(engine, LATER)
    try:
        with pytest.raises(NeedsAction, match="it is older"):
            runner.run_next()
    finally:
        runner.stop()


def test_a_drain_from_before_the_guard_is_refused(world: World, database: str, engine: sa.Engine) -> None:
    """What a drain of an older version does first, under its own name: it says of no revision that it knows it."""
    with (
        psycopg.connect(database, application_name="custom-events-drain") as older,
        pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="older than the database"),
    ):
        older.execute("DELETE FROM landing.raw_queue")
    assert waiting(engine) == 1
    assert drained(database) == 1
