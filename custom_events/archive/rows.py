"""Raw events as rows of Parquet files: the columns of landing.raw_events, bodies compressed as the receiver had compressed them."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import zstandard

from custom_events.archive.manifest import ArchivedFile
from custom_events.values.forgotten import BLANK_HEADERS

GROUP_ROWS: Final = 5_000  # of a row group, which is held in memory
GROUP_BYTES: Final = 8 * 1024 * 1024  # of its bodies and headers; a body has up to 2 MiB
BLANK_BODY: Final = zstandard.ZstdCompressor().compress(b"")


class ArchivedRow(NamedTuple):
    """A raw event, by the columns of the file; `headers` is JSON text, `body` compressed."""

    landed_week: date
    id: int
    received_at: datetime
    site_id: int
    topic: str | None
    dedup_key: bytes
    delivery_id: str | None
    event_id: str | None
    triggered_at: datetime | None
    api_version: str | None
    signature: str
    headers: str
    body: bytes
    body_bytes: int

    def blanked(self) -> "ArchivedRow":
        """The row without what tells of somebody, as redaction leaves it in the database."""
        return self._replace(delivery_id=None, event_id=None, headers=BLANK_HEADERS, body=BLANK_BODY, body_bytes=0)


def schema() -> Any:
    """The files' Arrow schema (version 1): times are timestamp[us, UTC], ids int64."""
    import pyarrow as pa

    moment = pa.timestamp("us", tz="UTC")
    types = {
        "landed_week": pa.date32(),
        "id": pa.int64(),
        "received_at": moment,
        "site_id": pa.int64(),
        "topic": pa.string(),
        "dedup_key": pa.binary(),
        "delivery_id": pa.string(),
        "event_id": pa.string(),
        "triggered_at": moment,
        "api_version": pa.string(),
        "signature": pa.string(),
        "headers": pa.string(),
        "body": pa.binary(),
        "body_bytes": pa.int32(),
    }
    may_be_null = {"topic", "delivery_id", "event_id", "triggered_at", "api_version"}
    return pa.schema([pa.field(name, kind, nullable=name in may_be_null) for name, kind in types.items()])


class FileWriter:
    """Writes one file of a week, row group by row group. `bytes` is what has been written of it."""

    def __init__(self, path: Path) -> None:
        import pyarrow.parquet as pq

        self._path, self._schema = path, schema()
        self._handle = path.open("wb")
        compression = {name: "NONE" if name == "body" else "ZSTD" for name in self._schema.names}
        dictionaries = ["site_id", "topic", "api_version", "signature", "landed_week"]
        by_column: dict[str, Any] = {  # its stubs know one value for all columns only
            "compression": compression,
            "use_dictionary": dictionaries,
            "write_statistics": ["id", "site_id", "received_at"],
        }
        self._writer = pq.ParquetWriter(self._handle, self._schema, **by_column)
        self._waiting: list[ArchivedRow] = []
        self._waiting_bytes = 0
        self._ids: list[int] = []  # the first and the last
        self.rows = 0

    def add(self, row: ArchivedRow) -> None:
        """Add the row whose id comes next."""
        self._ids = [self._ids[0] if self._ids else row.id, row.id]
        self._waiting.append(row)
        self._waiting_bytes += len(row.body) + len(row.headers)
        self.rows += 1
        if len(self._waiting) >= GROUP_ROWS or self._waiting_bytes >= GROUP_BYTES:
            self._write_group()

    @property
    def bytes(self) -> int:
        """What stands in the file; the row group in memory is not counted."""
        return self._handle.tell()

    def finish(self) -> ArchivedFile:
        """End the file, which has rows. What stands in the manifest of it; its name holds its digest, so that a rewritten file has another."""
        if self._waiting:
            self._write_group()
        self.close()
        sha256 = digest(self._path)
        return ArchivedFile(
            name=f"{self._ids[0]:019}-{sha256[:16]}.parquet",
            rows=self.rows,
            bytes=self._path.stat().st_size,
            sha256=sha256,
            first_id=self._ids[0],
            last_id=self._ids[1],
        )

    def close(self) -> None:
        """Close the file, whole or not."""
        self._writer.close()
        self._handle.close()

    def _write_group(self) -> None:
        import pyarrow as pa

        columns = [
            pa.array(values, type=field.type)
            for field, values in zip(self._schema, zip(*self._waiting, strict=True), strict=True)
        ]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema), row_group_size=GROUP_ROWS)
        self._waiting, self._waiting_bytes = [], 0


def archived_row(row: Any) -> ArchivedRow:
    """A row of the database as it is archived; times are in UTC."""
    triggered_at = row.triggered_at
    return ArchivedRow(
        landed_week=row.landed_week,
        id=row.id,
        received_at=row.received_at.astimezone(UTC),
        site_id=row.site_id,
        topic=row.topic,
        dedup_key=bytes(row.dedup_key),
        delivery_id=row.delivery_id,
        event_id=row.event_id,
        triggered_at=None if triggered_at is None else triggered_at.astimezone(UTC),
        api_version=row.api_version,
        signature=row.signature,
        headers=row.headers,
        body=bytes(row.body),
        body_bytes=row.body_bytes,
    )


def rows_of(path: Path, sites: Iterable[int] | None = None) -> Iterator[list[ArchivedRow]]:
    """The rows of a file, row group by row group; of these `sites` only, where they are named: of a group without them nothing else is
    read."""
    import pyarrow.parquet as pq

    named_sites = None if sites is None else set(sites)
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            if named_sites is not None:
                there = set(file.read_row_group(group, columns=["site_id"]).column(0).to_pylist())
                if there.isdisjoint(named_sites):
                    continue
            table = file.read_row_group(group)
            names = [table.column(name).to_pylist() for name in ArchivedRow._fields]
            rows = [ArchivedRow(*values) for values in zip(*names, strict=True)]
            yield rows if named_sites is None else [row for row in rows if row.site_id in named_sites]


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
