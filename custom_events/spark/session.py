"""Spark as it must be set for our types: times with microseconds and in UTC, nothing guessed from names of folders, no silent way around Arrow."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import custom_events
from custom_events.errors import NeedsAction

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# docs/decisions/0068: what Spark does without these.
_TYPES: Final = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.execution.arrow.pyspark.fallback.enabled": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "1000",
}
_LOCAL: Final = {"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
_ENVIRONMENT: Final = ("SPARK_HOME", "SPARK_LOCAL_IP", "PYSPARK_PYTHON")


@contextmanager
def spark_session(master: str, **conf: str) -> "Generator[SparkSession]":
    """A session at `master`, ended afterwards. On this machine it has executors of the same Python and code, and opens no port to others.

    Raises NeedsAction where pyspark is not installed.
    """
    try:
        import pyspark
        from pyspark.sql import SparkSession
    except ImportError:
        raise NeedsAction(
            "Spark is not installed: `pip install custom-events[spark]`, and Java 17 beside it (openjdk-17-jre-headless)."
        ) from None
    is_here = master.startswith("local")
    settings = {**_TYPES, **conf}
    before = {name: os.environ.get(name) for name in _ENVIRONMENT}
    if is_here:
        root = str(Path(custom_events.__file__).parents[1])
        settings = {**_LOCAL, "spark.executorEnv.PYTHONPATH": root, **settings}
        os.environ.setdefault("SPARK_HOME", str(Path(pyspark.__file__).parent))
        os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
        os.environ["PYSPARK_PYTHON"] = sys.executable
    builder: Any = SparkSession.builder
    for name, value in settings.items():
        builder = builder.config(name, value)
    session: SparkSession = builder.master(master).appName("custom-events replay").getOrCreate()
    try:
        session.sparkContext.setLogLevel("ERROR")
        yield session
    finally:
        session.stop()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
