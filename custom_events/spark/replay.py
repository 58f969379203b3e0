"""A replay of archived raw events on Spark: which of them would say something else today, and, written, those through the drain.

A dry run reads the archive, a snapshot of what is stored, and nothing else. A written one brings the raw events that would say something else
back from the archive and queues them; the drain understands and matches them as it does whatever lands. So keys and transactions are the
drain's, and a second run finds nothing left. Executors change nothing: one that is killed is computed again.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.archive import files, restoring
from custom_events.archive.manifest import Manifest
from custom_events.archive.storage import FOLDER, opened
from custom_events.archive.writing import IsForgotten
from custom_events.backtest.replay import ACTION, Order
from custom_events.backtest.rereading import MAX_NAMED, Place, Reread
from custom_events.catalog import audit
from custom_events.errors import InvalidConfiguration, NotFound
from custom_events.history.drafts import PUBLISHED
from custom_events.history.reading import reading
from custom_events.history.rules import load_rules
from custom_events.pipeline import kept_fields
from custom_events.pipeline.drain import drain
from custom_events.pipeline.kept_fields import KeptFields
from custom_events.postgres import connect
from custom_events.queries import spark_replay as sql
from custom_events.settings import Settings, variable_of
from custom_events.spark import exports, steps
from custom_events.spark.session import spark_session
from custom_events.values.deliveries import SiteContext
from custom_events.values.forgotten import BLANK_HEADERS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

KEPT_DAYS: Final = 14  # that raw events which were brought back stay: time to look at them


class SparkReplay(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay on Spark changes, or (`is_written`) has changed. `weeks` of the archive were read; `queued` raw events went through the
    drain."""

    since: datetime
    until: datetime
    sites: tuple[int, ...]
    weeks: tuple[date, ...]
    is_written: bool
    reread: Reread
    queued: int
    seconds: float


def replay(
    engine: sa.Engine,
    settings: Settings,
    is_forgotten: IsForgotten,
    *,
    since: datetime,
    until: datetime,
    sites: Sequence[int] | None = None,
    order: Order | None = None,
    session: "SparkSession | None" = None,
) -> SparkReplay:
    """Replay archived raw events received from `since` to before `until`, of all sites or these. `order`: write it; without, nothing is written.
    `session`: one of `spark_session` that is open already; without, one is made.

    Raises InvalidConfiguration for a period that is none and for an archive that Spark does not read, NotFound where no week of the period is in
    the archive, NeedsAction where Spark is not installed.
    """
    if since >= until:
        raise InvalidConfiguration(f"{since:%Y-%m-%d %H:%M} is not before {until:%Y-%m-%d %H:%M}", path="since")
    if settings.archive_url is not None and not settings.archive_url.startswith("/"):
        raise InvalidConfiguration(
            "Spark reads an archive in a folder that all its executors see: mount or copy the storage",
            path=variable_of("archive_url"),
        )
    began, url = time.monotonic(), connect.libpq_url(engine)
    manifests = _manifests(settings, since, until)
    contexts, kept = asyncio.run(_configured(url, sites))
    with files.work_folder(settings) as folder:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            weeks = [manifest.landed_week for manifest in manifests]
            exports.outcomes(connection, folder / "outcomes.parquet", weeks, list(contexts))
            exports.stored_events(connection, folder / "stored.parquet", list(contexts))
        with spark_session(settings.spark_master) if session is None else nullcontext(session) as spark:
            raw = raw_events(spark, settings, manifests, list(contexts), since, until)
            reread, places = _answer(*compute(spark, raw, folder, contexts, kept))
    queued = 0
    if order is not None:
        queued = _write(engine, url, settings, places, is_forgotten, order, since, until)
    return SparkReplay(
        since=since,
        until=until,
        sites=tuple(contexts),
        weeks=tuple(weeks),
        is_written=order is not None,
        reread=reread,
        queued=queued,
        seconds=round(time.monotonic() - began, 3),
    )


def raw_events(
    session: "SparkSession",
    settings: Settings,
    manifests: Sequence[Manifest],
    sites: Sequence[int],
    since: datetime,
    until: datetime,
) -> "DataFrame":
    """The archived raw events of these sites and this period that say something. Files are read that the manifests name, no others."""
    from pyspark.sql import functions as f

    root = f"file://{(settings.archive_url or '').rstrip('/')}/{FOLDER}"
    paths = [f"{root}/{manifest.landed_week}/{file.name}" for manifest in manifests for file in manifest.files]
    return session.read.parquet(*paths).where(
        f.col("site_id").isin(list(sites))
        & (f.col("received_at") >= f.lit(since))
        & (f.col("received_at") < f.lit(until))
        & ~((f.col("body_bytes") == 0) & (f.col("headers") == BLANK_HEADERS))
    )


def compute(
    session: "SparkSession", raw: "DataFrame", folder: Path, sites: dict[int, SiteContext], kept: KeptFields
) -> "tuple[DataFrame, DataFrame]":
    """What raw events say (`steps.UNDERSTOOD`), and what they say together of each event (`steps.MERGED`)."""
    outcomes = session.read.parquet(f"file://{folder}/outcomes.parquet")
    stored = session.read.parquet(f"file://{folder}/stored.parquet")
    with_outcome = raw.join(outcomes, ["landed_week", "id"], "left").select(*steps.RAW_COLUMNS)
    understood = with_outcome.mapInArrow(steps.understand(sites, kept), steps.UNDERSTOOD).cache()
    bodies = understood.where("key IS NOT NULL").drop("change").join(stored, ["site_id", "key"], "left")
    in_order = bodies.repartition("site_id", "key").sortWithinPartitions("site_id", "key", "landed_week", "raw_id")
    merged = in_order.select(*steps.STORED_COLUMNS).mapInArrow(steps.merge(), steps.MERGED).cache()
    return understood, merged


def _answer(understood: "DataFrame", merged: "DataFrame") -> tuple[Reread, list[Place]]:
    """The figures, and the raw events that would say something else."""
    from pyspark.sql import functions as f

    raw = understood.where("key IS NULL")
    verdicts = {(row[0], row[1]): row[2] for row in merged.groupBy("verdict", "type").count().collect()}
    outcomes = {row[0]: row[1] for row in raw.where("change IS NOT NULL").groupBy("change").count().collect()}
    changed = raw.where("change IS NOT NULL AND NOT waits").select("landed_week", "raw_id")
    pairs = merged.where("verdict <> 'same'").select(f.explode(f.arrays_zip("weeks", "raw_ids")).alias("place"))
    by_event = pairs.select(f.col("place.weeks").alias("landed_week"), f.col("place.raw_ids").alias("raw_id"))
    rows = changed.union(by_event).distinct().toLocalIterator()
    places = sorted((row[0], row[1]) for row in rows)
    return (
        Reread(
            raw_events=raw.count(),
            would_change=len(places),
            new_events={kind: count for (verdict, kind), count in sorted(verdicts.items()) if verdict == "new"},
            revised_events={kind: count for (verdict, kind), count in sorted(verdicts.items()) if verdict == "revised"},
            outcomes=dict(sorted(outcomes.items())),
            raw_ids=tuple(raw_id for _, raw_id in places[:MAX_NAMED]),
        ),
        places,
    )


def _manifests(settings: Settings, since: datetime, until: datetime) -> list[Manifest]:
    with opened(settings) as storage:
        manifests = [manifest for week in storage.weeks() if (manifest := storage.manifest(week)) is not None]
    concerned = [entry for entry in manifests if entry.last_received_at >= since and entry.first_received_at < until]
    if not concerned:
        raise NotFound(
            "No week of this period is in the archive: `custom-events archive list` shows what is, `archive write --until ...` adds to it.",
            what="week",
        )
    return concerned


async def _configured(url: str, sites: Sequence[int] | None) -> tuple[dict[int, SiteContext], KeptFields]:
    """The sites as understanding knows them, and what of events is kept."""
    async with reading(url) as connection:
        rules = await load_rules(connection, PUBLISHED, sites)
        return dict(rules.sites), await kept_fields.load(connection)


def _write(
    engine: sa.Engine,
    url: str,
    settings: Settings,
    places: Sequence[Place],
    is_forgotten: IsForgotten,
    order: Order,
    since: datetime,
    until: datetime,
) -> int:
    """Bring them back, queue and drain them, and note who wanted it. How many went through the drain."""
    ids: defaultdict[date, set[int]] = defaultdict(set)
    for week, raw_id in places:
        ids[week].add(raw_id)
    queued = 0
    for week, chosen in sorted(ids.items()):
        restoring.restore(engine, settings, week, datetime.now(UTC), is_forgotten, days=KEPT_DAYS, only=chosen)
        with engine.begin() as connection:
            queued += connection.execute(sql.REQUEUE, {"week": week, "ids": sorted(chosen)}).scalar_one()
    if places:
        asyncio.run(drain(url, settings, until_idle_s=0.0, limit_s=settings.drain_limit_s))
    detail: dict[str, Any] = {
        "engine": "spark",
        "reason": order.reason,
        "since": since.isoformat(),
        "until": until.isoformat(),
        "queued": len(places),
    }
    with engine.begin() as connection:
        name = f"replay:{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
        audit.record(connection, actor=order.actor, action=ACTION, subject=name, detail=detail)
    return queued
