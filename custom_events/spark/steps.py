"""What executors do, Arrow batch by Arrow batch (mapInArrow): understand raw events, and merge what several bodies say of one event.

Each function has the columns that it takes and gives beside it; Spark hands them over by position, so names are checked.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from custom_events.pipeline.events import Known, is_revised
from custom_events.pipeline.kept_fields import KeptFields
from custom_events.pipeline.understanding import BatchState, CandidateEvent, Delivered, Raw
from custom_events.platforms.registry import PLATFORMS
from custom_events.values import events
from custom_events.values.deliveries import SiteContext, Understood, ignored

RAW_COLUMNS: Final = (
    *("landed_week", "id", "received_at", "site_id", "topic", "triggered_at", "headers", "body", "body_bytes"),
    *("outcome", "reason"),
)
# One row for each raw event (without a key), one for each event that it tells of. `change`: "parked to understood"; `waits`: nothing says what
# became of it.
UNDERSTOOD: Final = (
    "site_id bigint, key string, facts string, landed_week date, raw_id bigint, change string, waits boolean"
)
STORED_COLUMNS: Final = (
    *("site_id", "key", "facts", "landed_week", "raw_id", "waits"),
    *("stored_occurred_at", "stored_evidence_at", "stored_parts", "stored_facts", "stored_raw_id", "stored_week"),
    "stored_undone",
)
# One row for each event: what all its bodies say together. `verdict`: new, revised or same; `weeks` and `raw_ids`: the bodies that do not wait.
MERGED: Final = (
    "site_id bigint, key string, type string, facts string, verdict string, weeks array<date>, raw_ids array<bigint>"
)
_BEGINNING: Final = datetime(1, 1, 1, tzinfo=UTC)  # when a body came: asked of nobody here
_NOTHING: Final[Understood] = ignored("replayed")  # what was understood is in the event

Batch = Any  # pyarrow.RecordBatch, which has no types
Batches = Iterable[Batch]
Step = Callable[[Batches], Iterator[Batch]]
Row = dict[str, Any]


def understand(sites: Mapping[int, SiteContext], kept: KeptFields) -> Step:
    """The step that understands raw events as the drain does; each by itself, so that any partitioning gives the same rows."""

    def step(batches: Batches) -> Iterator[Batch]:
        for batch in batches:
            rows: list[Row] = []
            for row in _rows(batch, RAW_COLUMNS):
                raw = Raw(*(row[name] for name in RAW_COLUMNS[:9]))
                rows += _understood(raw, row["outcome"], row["reason"], sites, kept)
            yield _batch(rows, UNDERSTOOD)

    return step


def _understood(
    raw: Raw, outcome: str | None, reason: str | None, sites: Mapping[int, SiteContext], kept: KeptFields
) -> Iterator[Row]:
    state = BatchState(sites, PLATFORMS, kept)
    understood = state.take(raw).understood
    is_changed = outcome is not None and (outcome, reason) != (understood.outcome, understood.reason)
    common = {"site_id": raw.site_id, "landed_week": raw.landed_week, "raw_id": raw.raw_id, "waits": outcome is None}
    change = f"{outcome} to {understood.outcome}" if is_changed else None
    yield common | {"key": None, "facts": None, "change": change}
    for candidate in state.events.values():
        facts = events.to_json(candidate.event).decode()
        yield common | {"key": candidate.key, "facts": facts, "change": None}


def merge() -> Step:
    """The step that merges the bodies of each event, and lays that beside what is stored. Takes rows sorted by site and key; the bodies of
    one event are all in one partition."""

    def step(batches: Batches) -> Iterator[Batch]:
        bodies: list[Row] = []
        for batch in batches:
            rows: list[Row] = []
            for row in _rows(batch, STORED_COLUMNS):
                if bodies and (bodies[0]["site_id"], bodies[0]["key"]) != (row["site_id"], row["key"]):
                    rows.append(_merged(bodies))
                    bodies = []
                bodies.append(row)
            yield _batch(rows, MERGED)
        if bodies:
            yield _batch([_merged(bodies)], MERGED)

    return step


def _merged(bodies: list[Row]) -> Row:
    candidate = _candidate(bodies[0])
    for body in bodies[1:]:
        candidate = candidate.merged(_candidate(body))
    together = events.to_json(candidate.event).decode()
    verdict = _verdict(candidate, bodies[0])
    sources = candidate.bodies
    waiting = {body["raw_id"] for body in bodies if body["waits"]}
    counting = [raw for raw in sources if raw.raw_id not in waiting]
    return {
        "site_id": candidate.site_id,
        "key": candidate.key,
        "type": candidate.event.type.value,
        "facts": together,
        "verdict": verdict,
        "weeks": [raw.landed_week for raw in counting],
        "raw_ids": [raw.raw_id for raw in counting],
    }


def _candidate(body: Row) -> CandidateEvent:
    delivered = Delivered(body["landed_week"], body["raw_id"], _BEGINNING, body["site_id"], _NOTHING)
    return CandidateEvent(body["site_id"], events.from_json(body["facts"]), delivered)


def _verdict(candidate: CandidateEvent, stored: Row) -> str:
    """As the drain decides it: new by its key, revised by what is stored of it."""
    if stored["stored_occurred_at"] is None:
        return "new"
    if stored["stored_facts"] is None:  # its partition was dropped; the key alone stays
        return "same"
    known = Known(stored["stored_occurred_at"], stored["stored_evidence_at"], stored["stored_parts"])
    week: date | None = stored["stored_week"]
    is_other = is_revised(
        candidate, known, stored["stored_facts"], stored["stored_raw_id"], week, was_undone=stored["stored_undone"]
    )
    return "revised" if is_other else "same"


def _rows(batch: Batch, columns: tuple[str, ...]) -> Iterator[Row]:
    """The rows of a batch. Spark hands columns over by position: another order would be another meaning."""
    if tuple(batch.schema.names) != columns:
        raise ValueError(f"columns {batch.schema.names} came where {list(columns)} are taken")
    yield from batch.to_pylist()


def _batch(rows: list[Row], columns: str) -> Batch:
    """Rows as Spark takes them back: exactly these columns, in this order."""
    import pyarrow as pa

    fields = [field.split(" ") for field in columns.split(", ")]
    schema = pa.schema([(name, _arrow_type(kind)) for name, kind in fields])
    return pa.RecordBatch.from_pylist(rows, schema=schema)


def _arrow_type(kind: str) -> Any:
    import pyarrow as pa

    if kind.startswith("array<"):
        return pa.list_(_arrow_type(kind.removeprefix("array<").removesuffix(">")))
    return {"bigint": pa.int64(), "string": pa.string(), "date": pa.date32(), "boolean": pa.bool_()}[kind]
