"""Spark itself, with executors of its own: the same events as the workers', killed executors included; types cross unchanged; written once."""

import gc
import os
import shutil
import warnings
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from custom_events.archive.storage import opened
from custom_events.backtest.replay import Order, replay_sync
from custom_events.backtest.rereading import Reread
from custom_events.errors import InvalidConfiguration, NotFound
from custom_events.spark import exports
from custom_events.spark import replay as spark_replay
from custom_events.spark.session import spark_session
from tests.archive.conftest import nobody
from tests.spark.conftest import ArchivedPast
from tests.spark.test_steps import configured

pytest.importorskip("pyspark")
pytestmark = [
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java (openjdk-17-jre-headless)"),
    pytest.mark.long,
    pytest.mark.timeout(1_800),  # JVMs on a machine that is busy
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # sockets of py4j's gateway, closed when the process ends
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pyspark"),
    pytest.mark.filterwarnings("ignore::FutureWarning:pyspark"),
]
MASTER = "local-cluster[2,1,1024]"
SMALL = {
    "spark.driver.memory": "512m",
    "spark.executor.memory": "512m",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.adaptive.enabled": "false",
}
SINCE, UNTIL = datetime.now(UTC) - timedelta(days=20), datetime.now(UTC) + timedelta(days=20)
REPEATED_HOUR = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 in Berlin, for the first time
EDGES = [
    (2**63 - 1, "007", REPEATED_HOUR, b"\x00\xff", date(2026, 11, 30), True),
    (-(2**63), "1e3", REPEATED_HOUR + timedelta(hours=1, microseconds=1), b"", date(1970, 1, 1), False),
    (2**53 + 1, "é", None, None, None, None),
]
EDGE_SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("text", pa.string()),
        ("moment", pa.timestamp("us", tz="UTC")),
        ("bytes", pa.binary()),
        ("day", pa.date32()),
        ("flag", pa.bool_()),
    ]
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Spark with two executors, processes of their own."""
    with spark_session(MASTER, **SMALL) as session:
        yield session
    del session
    with (
        warnings.catch_warnings()
    ):  # sockets of py4j's are not closed: they go here, and not during somebody else's test
        warnings.simplefilter("ignore")
        gc.collect()


def killing(step: Any, mark: str) -> Any:
    """The step, whose first attempt anywhere ends with its executor, by kill -9."""

    def killed(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        try:
            os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            yield from step(batches)
            return
        executor = next(parent for parent in psutil.Process().parents() if parent.name() == "java")
        executor.kill()
        raise SystemExit

    return killed


def test_separate_executors_give_what_the_workers_stored(
    past: ArchivedPast, cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    past.land_told_again()
    past.archived()
    past.engine.dispose()
    sites, kept = configured(past.world.url)
    with past.engine.connect() as connection:
        exports.outcomes(connection, tmp_path / "outcomes.parquet", [past.week], past.sites)
        exports.stored_events(connection, tmp_path / "stored.parquet", past.sites)
    with opened(past.settings) as storage:
        manifest = storage.manifest(past.week)
    assert manifest is not None
    edges = pa.Table.from_arrays(
        [pa.array(column, type=kind) for column, kind in zip(zip(*EDGES, strict=True), EDGE_SCHEMA.types, strict=True)],
        schema=EDGE_SCHEMA,
    )
    pq.write_table(edges, tmp_path / "edges.parquet")
    understand = spark_replay.steps.understand
    mark = str(tmp_path / "killed")
    monkeypatch.setattr(spark_replay.steps, "understand", lambda *given: killing(understand(*given), mark))

    archived = spark_replay.raw_events(cluster, past.settings, [manifest], past.sites, SINCE, UNTIL)
    _, merged = spark_replay.compute(cluster, archived.repartition(3), tmp_path, sites, kept)
    rows = merged.select("site_id", "key", "facts", "verdict").collect()
    assert sorted(tuple(row)[:3] for row in rows) == past.stored()
    assert {row[3] for row in rows} == {"same"}
    assert Path(mark).exists(), "an executor was killed"

    frame = cluster.read.parquet(str(tmp_path / "edges.parquet"))
    crossed = frame.mapInArrow(lambda batches: batches, frame.schema)
    assert {tuple(row.values()) for row in crossed.toArrow().to_pylist()} == set(EDGES)
    crossed.write.parquet(str(tmp_path / "written"))
    back = pq.read_table(tmp_path / "written")
    assert {tuple(row.values()) for row in back.to_pylist()} == set(EDGES)
    assert back.schema.field("moment").type == pa.timestamp("us", tz="UTC")


def test_a_replay_says_what_the_workers_would_and_writes_it_once(past: ArchivedPast, cluster: Any) -> None:
    past.settings = past.settings.model_copy(update={"shards": 4})
    past.land_told_again(4)
    past.archived()
    before = past.stored()
    with past.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE app.raw_outcomes SET reason = 'older' WHERE outcome = 'parked' AND raw_id % 2 = 0")
        )
        ids = connection.execute(
            sa.text(
                "SELECT id FROM app.commerce_events WHERE type = 'order.paid' AND site_id = :site ORDER BY id LIMIT 2"
            ),
            {"site": past.sites[1]},
        ).scalars()
        for event_id in ids.all():
            connection.execute(sa.text("DELETE FROM app.event_keys WHERE event_id = :id"), {"id": event_id})
            connection.execute(
                sa.text(
                    "DELETE FROM app.custom_event_keys WHERE custom_event_id IN (SELECT id FROM app.custom_events WHERE commerce_event_id = :id)"
                ),
                {"id": event_id},
            )
            connection.execute(sa.text("DELETE FROM app.commerce_events WHERE id = :id"), {"id": event_id})
    by_workers = replay_sync(past.world.url, past.settings, since=SINCE, until=UNTIL).reread
    assert by_workers is not None
    assert by_workers.new_events == {"order.paid": 2}
    assert by_workers.outcomes
    past.drop()

    period = {"since": SINCE, "until": UNTIL, "session": cluster}
    dry = spark_replay.replay(past.engine, past.settings, nobody, **period)
    assert _sorted(dry.reread) == _sorted(by_workers)
    assert (dry.is_written, dry.queued, past.rows()) == (False, 0, [])

    order = Order(actor="ana", reason="a test")
    written = spark_replay.replay(past.engine, past.settings, nobody, order=order, **period)
    assert written.queued == dry.reread.would_change
    assert len(past.rows()) == dry.reread.would_change, "nothing else is brought back"
    assert past.stored() == before
    again = spark_replay.replay(past.engine, past.settings, nobody, order=order, **period)
    assert (again.reread.would_change, again.queued) == (0, 0)
    with past.engine.connect() as connection:
        entries = connection.execute(sa.text("SELECT count(*) FROM app.audit_entries WHERE action = 'replay.run'"))
        assert entries.scalar_one() == 2


def _sorted(reread: Reread) -> dict[str, Any]:
    return {name: sorted(value) if isinstance(value, tuple) else value for name, value in _fields(reread).items()}


def _fields(reread: Reread) -> dict[str, Any]:
    return {name: getattr(reread, name) for name in reread.__struct_fields__}


def test_what_spark_cannot_replay(past: ArchivedPast) -> None:
    ask = {"since": SINCE, "until": UNTIL}
    with pytest.raises(NotFound, match="No week of this period"):
        spark_replay.replay(past.engine, past.settings, nobody, **ask)
    in_storage = past.settings.model_copy(update={"archive_url": "s3://bucket"})
    with pytest.raises(InvalidConfiguration, match="in a folder"):
        spark_replay.replay(past.engine, in_storage, nobody, **ask)
    with pytest.raises(InvalidConfiguration, match="is not before"):
        spark_replay.replay(past.engine, past.settings, nobody, since=UNTIL, until=SINCE)
