"""Partitions in a real database: made ahead, filled from DEFAULT, dropped by retention."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from custom_events.postgres import connect, migrate, partitions, spans
from custom_events.settings import Settings
from custom_events.tables.landing import raw_events, raw_queue
from custom_events.tables.registry import PARTITIONED, Span
from custom_events.tables.uploads import conversion_uploads

NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=4_000)
EVENT = """
INSERT INTO app.commerce_events (occurred_at, site_id, type, key, evidence_at, is_test, facts)
VALUES (:at, 1, 'order.paid', :key, :at, false, '{}')
"""
RAW = """
INSERT INTO landing.raw_events (landed_week, site_id, dedup_key, signature, headers, body, body_bytes)
VALUES (:week, 1, :key, 'verified', '{}', 'x', 1) RETURNING id
"""
WHERE = "SELECT CAST(tableoid AS regclass)::text FROM app.commerce_events ORDER BY key"


def names(connection: sa.Connection, table: str) -> set[str]:
    return partitions.existing(connection, next(kind for kind in PARTITIONED if kind.table.name == table))


def test_migrated_database_has_them_and_a_second_call_does_nothing(empty_database: str) -> None:
    migrate.upgrade(empty_database)
    engine = connect.engine(empty_database)
    with engine.begin() as connection:
        assert partitions.ensure(connection, NOW) == partitions.Made(names=(), moved={})
        for kind in PARTITIONED:
            there = partitions.existing(connection, kind)
            assert there >= {one.name for one in spans.wanted(kind, NOW.date(), 45)}
            assert f"{kind.table.name}_default" in there
    engine.dispose()


def test_made_ahead_as_far_as_asked(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        partitions.ensure(connection, NOW)
        before = names(connection, "raw_events")
        made = partitions.ensure(connection, NOW, ahead_days=80)
        assert len(names(connection, "raw_events") - before) == 5
        assert all(name.split(".")[0] in {"app", "landing"} for name in made.names)
        assert partitions.ensure(connection, NOW, ahead_days=80).names == ()


def test_rows_move_out_of_default_into_the_partition_made_for_them(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        for key, days in {"a": 0, "b": 4_000, "c": 4_001, "d": 9_000}.items():
            connection.execute(sa.text(EVENT), {"at": NOW + timedelta(days=days), "key": key})
    with engine.begin() as connection:
        before = connection.execute(sa.text(WHERE)).scalars().all()
        assert [name.endswith("_default") for name in before] == [False, True, True, True]
        made = partitions.ensure(connection, LATER)
        after = connection.execute(sa.text(WHERE)).scalars().all()
    assert sum(made.moved.values()) == 2
    assert set(made.moved) == {f"app.commerce_events_{LATER + timedelta(days=days):%Ym%m}" for days in (0, 1)}
    assert [name.endswith("_default") for name in after] == [False, False, False, True]


def test_partitions_have_what_their_parent_has(engine: sa.Engine) -> None:
    """Indexes, checks, storage and identity, in those made later as in DEFAULT."""
    with engine.begin() as connection:
        partitions.ensure(connection, LATER)
        inspector = sa.inspect(connection)
        for kind in PARTITIONED:
            parent = inspector.get_indexes(kind.table.name, kind.table.schema)
            for name in partitions.existing(connection, kind):
                assert len(inspector.get_indexes(name, kind.table.schema)) == len(parent)
        storage = sa.text(
            "SELECT DISTINCT attstorage FROM pg_attribute WHERE attname = 'body' AND attrelid IN "
            "(SELECT inhrelid FROM pg_inherits WHERE inhparent IN ('landing.raw_events'::regclass, 'landing.refused_events'::regclass))"
        )
        assert connection.execute(storage).scalars().all() == ["e"]
        week = LATER.date() - timedelta(days=LATER.weekday())
        ids = [connection.execute(sa.text(RAW), {"week": week, "key": key}).scalar_one() for key in (b"1", b"2")]
        assert ids == [1, 2]
        with pytest.raises(sa.exc.IntegrityError, match="landed_week_monday"), connection.begin_nested():
            connection.execute(sa.text(RAW), {"week": week + timedelta(days=1), "key": b"3"})


def test_expired_are_dropped_but_never_the_ledger(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        ledger = partitions.existing(connection, next(k for k in PARTITIONED if k.table is conversion_uploads))
        connection.execute(sa.text(EVENT), {"at": NOW - timedelta(days=3_000), "key": "ancient"})
        dropped = partitions.drop_expired(connection, Settings(), LATER)
        assert len([name for name in dropped.names if name.startswith("landing.raw_events_")]) >= 3
        assert dropped.deleted == {"app.commerce_events_default": 1}
        assert dropped.kept == {}
        assert names(connection, "raw_events") == {"raw_events_default"}
        assert partitions.existing(connection, next(k for k in PARTITIONED if k.table is conversion_uploads)) == ledger
        assert partitions.drop_expired(connection, Settings(), NOW).names == ()


def test_retention_decides(engine: sa.Engine) -> None:
    """Thirty days on, with bodies kept for 20 days: the weeks that ended more than 20 days before go."""
    with engine.begin() as connection:
        at = NOW + timedelta(days=30)
        kept_for = Settings(raw_retention_days=20, quarantine_retention_days=20)
        gone = partitions.drop_expired(connection, kept_for, at).names
        cutoff = (at - timedelta(days=20)).date()
    assert {name.split("_20")[0] for name in gone} == {
        "landing.raw_events",
        "landing.duplicate_deliveries",
        "landing.refused_events",
    }
    for name in gone:
        begin = spans.begin_of(name.rsplit("_", 1)[1])
        assert begin is not None
        assert begin + timedelta(days=7) <= cutoff


def test_a_row_that_nobody_could_take_keeps_no_week(engine: sa.Engine) -> None:
    week = NOW.date() - timedelta(days=NOW.weekday())
    with engine.begin() as connection:
        raw_id = connection.execute(sa.text(RAW), {"week": week, "key": b"1"}).scalar_one()
        connection.execute(raw_queue.insert().values(raw_id=raw_id, landed_week=week, site_id=1))
        connection.execute(raw_queue.insert().values(raw_id=raw_id + 1, landed_week=week, site_id=1))  # of no body
        dropped = partitions.drop_expired(connection, Settings(), NOW + timedelta(days=105))
        assert dropped.kept == {}
        assert f"landing.raw_events_{spans.suffix(Span.WEEK, week)}" in dropped.names
        assert connection.execute(sa.select(sa.func.count()).select_from(raw_queue)).scalar_one() == 0
        outcomes = connection.execute(sa.text("SELECT raw_id, outcome, reason FROM app.raw_outcomes ORDER BY 1")).all()
    assert outcomes == [(raw_id, "parked", "body_gone"), (raw_id + 1, "parked", "body_gone")]


def test_raw_events_that_wait_are_kept(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many of them: nothing is drained."""
    monkeypatch.setattr(partitions, "STUCK_ROWS", 0)
    this_week = NOW.date() - timedelta(days=NOW.weekday())
    ancient = this_week - timedelta(days=7_000)
    with engine.begin() as connection:
        for week in (this_week, ancient):
            raw_id = connection.execute(sa.text(RAW), {"week": week, "key": b"1"}).scalar_one()
            connection.execute(raw_queue.insert().values(raw_id=raw_id, landed_week=week, site_id=1))
        dropped = partitions.drop_expired(connection, Settings(), LATER)
        assert list(dropped.kept.values()) == ["1 rows wait in landing.raw_queue"]
        assert next(iter(dropped.kept)).startswith("landing.raw_events_")
        assert connection.execute(sa.select(sa.func.count()).select_from(raw_events)).scalar_one() == 2
        connection.execute(raw_queue.delete())
        again = partitions.drop_expired(connection, Settings(), LATER)
        assert again.deleted == {"landing.raw_events_default": 1}
        assert connection.execute(sa.select(sa.func.count()).select_from(raw_events)).scalar_one() == 0


def test_one_in_use_is_left_for_next_time(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "LOCK_LIMIT_MS", 50)
    with engine.connect() as reader, engine.begin() as connection:
        busy = min(names(connection, "receipts"))
        reader.execute(sa.text(f"SELECT FROM landing.{busy}"))
        dropped = partitions.drop_expired(connection, Settings(), LATER)
        assert dropped.kept == {f"landing.{busy}": "in use; tried again next time"}
        assert "landing.raw_events_default" not in dropped.names


def test_one_maker_at_a_time(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "LOCK_LIMIT_MS", 50)
    with engine.begin() as first, engine.connect() as second:
        partitions.ensure(first, NOW)
        with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
            partitions.ensure(second, NOW)


def test_other_faults_are_not_hidden(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        busy = min(names(connection, "receipts"))
        connection.execute(sa.text(f"CREATE VIEW app.depends AS SELECT * FROM landing.{busy}"))
        with pytest.raises(sa.exc.DBAPIError, match="other objects depend on it"):
            partitions.drop_expired(connection, Settings(), LATER)
