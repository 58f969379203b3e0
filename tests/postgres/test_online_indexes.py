"""Indexes that migrations need are built beside running programs; a build that was ended is begun anew; what was unique stays so."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

import pytest
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import OperationalError, ProgrammingError

from custom_events.errors import Transient
from custom_events.pipeline.drain import drain_sync
from custom_events.postgres import connect, migrate, online_indexes
from custom_events.settings import Settings
from custom_events.tables import key_places
from tests.flow import stack
from tests.world import World, paid_order

pytestmark = pytest.mark.database
PLACES: Final = "0066"  # the revision that gives keys their places
BEFORE: Final = "0065"
LIMIT_S: Final = 60.0
INVALID = sa.text("SELECT CAST(indexrelid AS regclass)::text FROM pg_index WHERE NOT indisvalid")
UNIQUE = sa.text("""
SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indisunique AND i.indisvalid AND i.indrelid IN ('app.event_keys'::regclass, 'app.custom_event_keys'::regclass, 'app.upload_keys'::regclass) ORDER BY 1
""")
TABLES = ("event_keys", "custom_event_keys", "upload_keys")
OLD, NEW = (sorted(f"{kind}_{table}" for table in TABLES) for kind in ("pk", "uq"))
COUNTED = sa.text("""
SELECT (SELECT count(*) FROM app.custom_event_keys), (SELECT count(*) FROM app.upload_keys), (SELECT count(*) FROM app.custom_events)
""")


@contextmanager
def old_transaction(url: str) -> Generator[None]:
    """Somebody has a transaction open that has read something: a build waits for its end."""
    engine = connect.engine(url)
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        connection.execute(sa.text("SELECT FROM app.sites"))
        yield
    engine.dispose()


def carried(work: Callable[[], None]) -> tuple[list[BaseException], Callable[[], None]]:
    """What went wrong in another thread, and the work for it."""
    faults: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  (carried to the test's own thread)
            faults.append(error)

    return faults, run


def unique_indexes(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        assert connection.execute(INVALID).all() == []
        return list(connection.execute(UNIQUE).scalars())


def filled_world(database: str, engine: sa.Engine, orders: int) -> tuple[World, int]:
    world = World(database, engine)
    site = world.site()
    world.rule(site, ads_action=world.action())
    for number in range(orders):
        world.land(site, "orders/paid", paid_order(5_400_000_000_000 + number, customer_id=number))
    assert drain_sync(database, Settings.model_validate({}), until_idle_s=0.0, limit_s=LIMIT_S).raw == orders
    return world, site


def test_a_drain_works_while_they_are_built(database: str, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online_indexes, "PROGRESS_S", 0.02)
    world, site = filled_world(database, engine, 20)
    faults, go_back = carried(lambda: migrate.downgrade(database, BEFORE))
    thread = threading.Thread(target=go_back)
    with structlog.testing.capture_logs() as logs:
        with old_transaction(database):
            thread.start()
            stack.until(lambda: [log for log in logs if log["event"] == "index_build_progress"], "a build", LIMIT_S)
            for number in range(20, 30):
                world.land(site, "orders/paid", paid_order(5_400_000_000_000 + number, customer_id=number))
            assert drain_sync(database, Settings.model_validate({}), until_idle_s=0.0, limit_s=LIMIT_S).raw == 10
        thread.join()
    assert faults == []
    began = [(log["index"], log["table"]) for log in logs if log["event"] == "index_build_began"]
    assert began == [(f"uq_{table}_before", table) for table in TABLES]
    assert unique_indexes(engine) == OLD
    migrate.upgrade(database)
    assert unique_indexes(engine) == NEW
    with engine.connect() as connection:
        assert tuple(connection.execute(COUNTED).one()) == (30, 30, 30)


def go_back_a_step(url: str) -> None:
    """Of relative steps nobody knows beforehand what they need: the index is built within the migration."""
    migrate.downgrade(url, PLACES)
    migrate.downgrade(url, "-1")


@pytest.mark.parametrize(
    "finish", [lambda url: migrate.downgrade(url, BEFORE), go_back_a_step], ids=["beside", "within"]
)
def test_a_build_that_was_ended_is_begun_anew(
    database: str, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, finish: Callable[[str], None]
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(online_indexes, "LOCK_LIMIT_MS", 100)
        with (
            old_transaction(database),
            pytest.raises(Transient, match="uq_event_keys_before could not be built"),
        ):
            migrate.downgrade(database, BEFORE)
    with engine.connect() as connection:
        assert list(connection.execute(INVALID).scalars()) == ["app.uq_event_keys_before"]
    assert migrate.current(database) == migrate.head()
    finish(database)
    assert unique_indexes(engine) == OLD
    migrate.upgrade(database)
    assert unique_indexes(engine) == NEW
    migrate.check(database)


def test_a_build_whose_connection_is_gone_is_begun_anew(database: str, engine: sa.Engine) -> None:
    building = sa.text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting%'"
    )

    def ended() -> bool:
        with engine.connect() as connection:
            return connection.execute(building).first() is not None

    faults, go_back = carried(lambda: migrate.downgrade(database, BEFORE))
    thread = threading.Thread(target=go_back)
    with old_transaction(database):
        thread.start()
        stack.until(ended, "a build", LIMIT_S)
        thread.join()
    assert [type(fault) for fault in faults] == [OperationalError]
    assert migrate.current(database) == migrate.head()
    migrate.downgrade(database, BEFORE)
    assert unique_indexes(engine) == OLD


def test_two_at_once_take_turns(database: str, engine: sa.Engine) -> None:
    migrate.downgrade(database, BEFORE)
    faults, run = carried(lambda: migrate.upgrade(database))
    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert unique_indexes(engine) == NEW


def test_another_builder_is_waited_for_only_so_long(
    database: str, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(online_indexes, "TURN_LIMIT_S", 0.1)
    monkeypatch.setattr(online_indexes, "ASK_EVERY_S", 0.02)
    with engine.connect() as other:
        other.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": online_indexes.BUILDERS})
        with pytest.raises(Transient, match="another one builds indexes"):
            migrate.downgrade(database, BEFORE)
    assert unique_indexes(engine) == NEW


def test_other_faults_of_a_build_are_not_hidden(database: str, engine: sa.Engine) -> None:
    absent = online_indexes.UniqueIndex("uq_absent", "upload_keys", "absent")
    with (
        pytest.raises(ProgrammingError, match="does not exist"),
        online_indexes.built(database, lambda: [absent]),
    ):
        pass
    assert unique_indexes(engine) == NEW


@pytest.mark.parametrize(
    ("place", "column", "places"),
    [
        (
            key_places.of_event_key,
            "key",
            {
                "order.paid:5400000000001": "5400000000001",
                "order.refunded:5400000000001:77": "5400000000001",
                "order.paid:1234": "7",
            },
        ),
        (
            key_places.of_dedup_key,
            "dedup_key",
            {
                "o:5400000000002": "5400000000002",
                "o:1234": "7",
                "o:0f8fad5b-d9cb-469f-a165-70867728950e": "7",
                "c:c:5400000000001": "7",
            },
        ),
        (
            key_places.of_transaction,
            "transaction_id",
            {"12-5400000000001": "5400000000001", "12-1234": "", "5400000000001": "", "ce-0123456789abcdef0123": ""},
        ),
    ],
)
def test_keys_lie_by_ids_that_rise_over_all_shops(
    engine: sa.Engine, place: Callable[[str], str], column: str, places: dict[str, str]
) -> None:
    statement = f"""
        SELECT k.{column}, {place("k")} FROM (
          SELECT {column}, CAST(7 AS bigint) AS site_id, CAST(7 AS bigint) AS assignment_id FROM unnest(CAST(:keys AS text[])) g({column})) k"""
    with engine.connect() as connection:
        rows = connection.execute(sa.text(statement), {"keys": list(places)})
        assert dict(map(tuple, rows)) == places
