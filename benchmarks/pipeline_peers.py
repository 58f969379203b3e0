"""The peers: dlt and pandas loading the same stored bodies in the same server, as their tutorials do it.

What they do: read what has landed, decompress and decode it, and bring it into typed columns, every field of the order in one
table and its lines in another, one transaction, with the tools' own default way of writing. Reading is in the clock, as it is in
ours: from JSON in memory they would start where half of the understanding is over. What they are spared, all in their favour:
they leave the queue as it is, their tables have no key and no index, and there is no normalising or hashing, no state by the
store's clock, no deduplication against what was there, no matching, no ledger and no record of each body's fate.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import sqlalchemy as sa
import zstandard

from custom_events.postgres import connect

_BODIES = "SELECT body FROM landing.raw_events ORDER BY id LIMIT {count}"
PAGE_ROWS = 1_000  # that dlt's resource yields at once: pages are what its guide to speed asks for

# In a process of its own: dlt keeps global state and settings. The clock runs inside, without the imports.
_DLT = """
import json, sys, time
import dlt, psycopg, zstandard
target, source, query, page, place = sys.argv[1:]
decompress = zstandard.ZstdDecompressor().decompress

@dlt.resource(name="orders", write_disposition="append")
def orders():
    with psycopg.connect(source) as connection, connection.cursor(name="bodies", binary=True) as cursor:
        cursor.execute(query)
        while rows := cursor.fetchmany(int(page)):
            yield [json.loads(decompress(body)) for (body,) in rows]

pipeline = dlt.pipeline("bench", destination=dlt.destinations.postgres(target), dataset_name="dlt_orders", pipelines_dir=place)
began = time.perf_counter()
pipeline.run(orders())
print(time.perf_counter() - began)
"""


def with_dlt(url: str, count: int, place: Path) -> float:
    """Seconds that dlt (defaults: extract, normalize with child tables, load) takes for the first `count` bodies."""
    environment = os.environ | {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
    arguments = [
        _with_host(url),
        url,
        _BODIES.format(count=count),
        str(PAGE_ROWS),
        str(place / f"dlt-{time.time_ns()}"),
    ]
    answer = subprocess.run(
        [sys.executable, "-c", _DLT, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if answer.returncode:
        raise RuntimeError(f"dlt failed: {answer.stderr[-2_000:]}")
    return float(answer.stdout.split()[-1])


def with_pandas(url: str, count: int, _place: Path) -> float:
    """Seconds that pandas takes: read_sql, json_normalize of orders and of their lines, to_sql of both."""
    import pandas as pd

    decompress = zstandard.ZstdDecompressor().decompress
    engine = connect.engine(url)
    began = time.perf_counter()
    with engine.connect() as connection:
        landed = pd.read_sql(sa.text(_BODIES.format(count=count)), connection)
    decoded = [json.loads(decompress(body)) for body in landed["body"]]
    orders = pd.json_normalize(decoded, sep="_")
    nested = [name for name in orders.columns if any(isinstance(value, list) for value in orders[name])]
    orders[nested] = orders[nested].map(json.dumps)
    lines = pd.json_normalize(decoded, record_path="line_items", meta=["id"], meta_prefix="order_", sep="_")
    listed = [name for name in lines.columns if any(isinstance(value, list) for value in lines[name])]
    lines[listed] = lines[listed].map(json.dumps)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE SCHEMA pandas_orders"))
        orders.to_sql("orders", connection, schema="pandas_orders", index=False)
        lines.to_sql("lines", connection, schema="pandas_orders", index=False)
    seconds = time.perf_counter() - began
    engine.dispose()
    return seconds


def _with_host(url: str) -> str:
    """dlt wants the host before the path; libpq and psycopg2 take a socket directory there in its escaped form."""
    made = sa.make_url(url)
    host = made.query.get("host")
    if not isinstance(host, str):
        return url
    escaped = host.replace("/", "%2F")
    return f"postgresql://{made.username or 'custom_events'}:none@{escaped}/{made.database}"
