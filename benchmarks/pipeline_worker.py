"""One worker process of the pipeline's benchmark: gets ready, waits for a line, drains, and prints what it did as JSON.

python -m benchmarks.pipeline_worker URL BATCH_SIZE
"""

import json
import logging
import re
import sys
import time
from pathlib import Path

import structlog

from custom_events.pipeline.drain import drain_sync
from custom_events.platforms.registry import PLATFORMS
from custom_events.settings import Settings


def main(url: str, batch_size: int) -> None:
    """Ready when the first line is out; starts when a line comes in."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    settings = Settings.model_validate({"batch_size": batch_size})
    print(f"ready {len(PLATFORMS)}", flush=True)
    sys.stdin.readline()
    began = time.process_time()
    figures = drain_sync(url, settings, until_idle_s=0.0, limit_s=600.0)
    cpu_s = time.process_time() - began
    done = {"raw": figures.raw, "queued": figures.queued, "withheld": figures.withheld, "parked": figures.parked}
    print(json.dumps({**done, "cpu_s": cpu_s, "ended": time.time(), "peak_mib": round(_peak_mib(), 1)}), flush=True)


def _peak_mib() -> float:
    """The most memory that this program has held (Linux). Not getrusage's: that counts what its starter held before exec, too,
    which here has the finished rows in memory."""
    match = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(match[1]) / 1024 if match else 0.0


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
