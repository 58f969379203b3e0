"""The peers: dlt and pandas loading the same bodies into the same server, as their tutorials do it.

What they do: from JSON to typed columns, every field of the order in one table and its lines in another, one transaction,
with the tools' own default way of writing. What they are spared, all in their favour: the bodies lie uncompressed in memory
(dlt's are decoded before the clock starts), their tables have no key and no index, and there is no normalising or hashing, no
state by the store's clock, no deduplication against what was there, no matching, no ledger and no record of each body's fate.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import sqlalchemy as sa

from custom_events.postgres import connect

# In a process of its own: dlt keeps global state and settings. The clock runs inside, without the imports.
_DLT = """
import json, sys, time
import dlt
url, source, place = sys.argv[1:]
bodies = [json.loads(line) for line in open(source, "rb")]
pipeline = dlt.pipeline("bench", destination=dlt.destinations.postgres(url), dataset_name="dlt_orders", pipelines_dir=place)
began = time.perf_counter()
pipeline.run(bodies, table_name="orders", write_disposition="append")
print(time.perf_counter() - began)
"""


def with_dlt(url: str, bodies: list[bytes], place: Path) -> float:
    """Seconds that dlt (defaults: extract, normalize with child tables, load) takes for the bodies, decoded before."""
    source = place / "bodies.jsonl"
    source.write_bytes(b"\n".join(bodies))
    environment = os.environ | {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
    command = [sys.executable, "-c", _DLT, _with_host(url), str(source), str(place / f"dlt-{time.time_ns()}")]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    if answer.returncode:
        raise RuntimeError(f"dlt failed: {answer.stderr[-2_000:]}")
    return float(answer.stdout.split()[-1])


def with_pandas(url: str, bodies: list[bytes], _place: Path) -> float:
    """Seconds that pandas takes: json_normalize of orders and of their lines, to_sql of both."""
    import pandas as pd

    engine = connect.engine(url)
    began = time.perf_counter()
    decoded = [json.loads(body) for body in bodies]
    orders = pd.json_normalize(decoded, sep="_")
    nested = [name for name in orders.columns if orders[name].map(lambda value: isinstance(value, list)).any()]
    orders[nested] = orders[nested].map(json.dumps)
    lines = pd.json_normalize(decoded, record_path="line_items", meta=["id"], meta_prefix="order_", sep="_")
    listed = [name for name in lines.columns if lines[name].map(lambda value: isinstance(value, list)).any()]
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
