"""The ceiling (a): copying the rows that the pipeline made into the same empty tables, with the same indexes.

Only COPY in Postgres' own binary format from files in memory, no look-ups, no Python per row: what storing alone costs.
"""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from custom_events.tables import registry
from custom_events.tables.base import written_columns

TABLES = (
    "app.commerce_events",
    "app.event_keys",
    "app.orders",
    "app.customers",
    "app.clicks",
    "app.custom_events",
    "app.custom_event_keys",
    "app.conversion_uploads",
    "app.upload_keys",
    "app.raw_outcomes",
)
BATCHES = 20  # transactions of each connection, as many as the pipeline's batches of 5,000 make of 100,000
PIECE_BYTES = 1 << 18

# Rows of a batch: by site, so that two connections never touch the same keys, as with our workers.
_OWNER = {
    "app.custom_event_keys": "assignment_id / 10",
    "app.upload_keys": "(SELECT a.ads_account_id FROM app.ads_actions a WHERE a.id = ads_action_id)",
}


def export(url: str, directory: Path) -> None:
    """Every finished table as one file for each batch."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for table in TABLES:
            owner = _OWNER.get(table, "site_id")
            for batch in range(BATCHES):
                rows = f"SELECT {_columns(table)} FROM {table} WHERE {owner} % {BATCHES} = {batch}"
                query = f"COPY ({rows}) TO STDOUT WITH (FORMAT binary)"
                with cursor.copy(query.encode()) as copy, (directory / f"{table}.{batch}").open("wb") as file:
                    for piece in copy:
                        file.write(piece)


def copy_back(url: str, directory: Path, connections: int) -> float:
    """Seconds to copy everything into the empty tables of `url`, the batches dealt out to `connections`."""
    files = {path.name: path.read_bytes() for path in directory.iterdir()}
    threads = [
        threading.Thread(target=_copy, args=(url, files, range(part, BATCHES, connections)))
        for part in range(connections)
    ]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def _copy(url: str, files: dict[str, bytes], batches: range) -> None:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for batch in batches:
            for table in TABLES:
                statement = f"COPY {table} ({_columns(table)}) FROM STDIN WITH (FORMAT binary)"
                with cursor.copy(statement.encode()) as copy:
                    for piece in _pieces(files[f"{table}.{batch}"]):
                        copy.write(piece)
            connection.commit()


def _columns(table: str) -> str:
    (described,) = (known for known in registry.TABLES if known.fullname == table)
    return written_columns(described)


def _pieces(content: bytes) -> Iterator[memoryview]:
    view = memoryview(content)
    for start in range(0, len(view), PIECE_BYTES):
        yield view[start : start + PIECE_BYTES]
