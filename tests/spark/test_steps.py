"""What executors compute, without Spark: whatever the partitioning, the events that the workers stored."""

import asyncio
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custom_events.history.drafts import PUBLISHED
from custom_events.history.reading import reading
from custom_events.history.rules import load_rules
from custom_events.pipeline import kept_fields
from custom_events.spark import exports, steps
from tests.spark.conftest import ArchivedPast

NO_STORED = dict.fromkeys(steps.STORED_COLUMNS[6:])


def configured(url: str) -> tuple[Any, kept_fields.KeptFields]:
    async def read() -> tuple[Any, kept_fields.KeptFields]:
        async with reading(url) as connection:
            rules = await load_rules(connection, PUBLISHED, None)
            return dict(rules.sites), await kept_fields.load(connection)

    return asyncio.run(read())


def raw_rows(past: ArchivedPast, tmp_path: Path) -> list[dict[str, Any]]:
    """The rows of the archive, as Spark reads them, with their outcomes."""
    outcomes = tmp_path / "outcomes.parquet"
    with past.engine.connect() as connection:
        exports.outcomes(connection, outcomes, [past.week], past.sites)
    by_place = {(row["landed_week"], row["id"]): row for row in pq.read_table(outcomes).to_pylist()}
    rows = [
        row for path in sorted((tmp_path / "archive").rglob("*.parquet")) for row in pq.read_table(path).to_pylist()
    ]
    return [{**row, **by_place[row["landed_week"], row["id"]]} for row in rows]


def batches(rows: Sequence[dict[str, Any]], columns: Sequence[str], sizes: random.Random) -> list[pa.RecordBatch]:
    """Rows in batches of any size, some of them empty."""
    schema = pa.Table.from_pylist([{name: row[name] for name in columns} for row in rows]).schema
    result, first = [], 0
    while first < len(rows):
        size = sizes.randrange(0, 9)
        chosen = [{name: row[name] for name in columns} for row in rows[first : first + size]]
        result.append(pa.RecordBatch.from_pylist(chosen, schema=schema))
        first += size
    return result


@pytest.mark.parametrize("seed", range(4))
def test_any_partitioning_gives_what_the_workers_stored(past: ArchivedPast, tmp_path: Path, seed: int) -> None:
    """Byte for byte."""
    past.land_told_again()
    past.archived()
    rows, chance = raw_rows(past, tmp_path), random.Random(seed)
    chance.shuffle(rows)
    step = steps.understand(*configured(past.world.url))
    understood: list[dict[str, Any]] = []
    for part in range(3):
        for batch in step(batches(rows[part::3], steps.RAW_COLUMNS, chance)):
            understood += batch.to_pylist()
    assert sum(row["key"] is None for row in understood) == len(rows)
    assert {row["change"] for row in understood} == {None}, "the same outcomes as the workers"
    bodies = [{**row, **NO_STORED} for row in understood if row["key"] is not None]
    bodies.sort(key=lambda row: (row["site_id"], row["key"]))
    merged = [
        row for batch in steps.merge()(batches(bodies, steps.STORED_COLUMNS, chance)) for row in batch.to_pylist()
    ]
    assert [(row["site_id"], row["key"], row["facts"]) for row in merged] == past.stored()
    assert {row["verdict"] for row in merged} == {"new"}
    assert any(len(row["raw_ids"]) > 1 for row in merged), "events that several bodies tell of"


def test_columns_in_another_order_are_refused() -> None:
    batch = pa.RecordBatch.from_pylist([{"key": "x", "site_id": 1}])
    with pytest.raises(ValueError, match="came where"):
        list(steps.merge()([batch]))
    assert list(steps.merge()([])) == []


def test_a_key_whose_event_was_dropped_by_retention_is_not_new(past: ArchivedPast) -> None:
    past.land(1)
    site, key, facts = past.stored()[0]
    body = {"site_id": site, "key": key, "facts": facts, "landed_week": past.week, "raw_id": 1, "waits": True}
    moment = json.loads(facts)["occurred_at"]
    row = {**NO_STORED, **body, "stored_occurred_at": moment, "stored_evidence_at": moment}
    (batch,) = [
        batch for batch in steps.merge()(batches([row], steps.STORED_COLUMNS, random.Random(0))) if batch.num_rows
    ]
    (merged,) = batch.to_pylist()
    assert (merged["verdict"], merged["raw_ids"]) == ("same", [])
