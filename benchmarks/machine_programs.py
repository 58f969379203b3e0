"""What a machine of benchmarks/machines.py runs beside its receiver: a drain or a sender, again and again, as Dagster's runs do it.

python -m benchmarks.machine_programs drain|send [GOOGLE]

The product's own functions, without Dagster. GOOGLE is the address of the machine on which the sandbox is: its ports are led there from this
machine's own localhost, where Google's clients may speak without encryption.
"""

import asyncio
import logging
import os
import sys
import threading
import time
from typing import Final
from urllib.parse import urlsplit

import structlog
from sqlalchemy.exc import SQLAlchemyError

from benchmarks.relay import relay
from custom_events.errors import Transient
from custom_events.ledger import send
from custom_events.pipeline.drain import drain_sync
from custom_events.postgres import connect
from custom_events.settings import settings

FOR_EVER_S: Final = 86_400.0
AGAIN_S: Final = 1.0  # after the database was lost


def main(work: str, google: str | None) -> None:
    """Works until it is ended; a database that is lost is looked for again."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    if google is not None:
        _lead_to(google)
    url = os.environ["DATABASE_URL"]
    print(f"ready to {work}", flush=True)
    while True:
        try:
            if work == "drain":
                drain_sync(url, settings(), until_idle_s=FOR_EVER_S, limit_s=FOR_EVER_S)
            else:
                _send(url)
        except (Transient, SQLAlchemyError, OSError) as error:
            print(f"{work}: {type(error).__name__}", file=sys.stderr, flush=True)
            time.sleep(AGAIN_S)


def _send(url: str) -> None:
    engine = connect.engine(url, name="machine sender")
    try:
        send.drain(engine, settings(), until_idle_s=FOR_EVER_S, limit_s=FOR_EVER_S)
    finally:
        engine.dispose()


def _lead_to(google: str) -> None:
    ports = [
        int(os.environ["GOOGLE_ADS_ENDPOINT"].rpartition(":")[2]),
        urlsplit(os.environ["CUSTOM_EVENTS_DATA_MANAGER_ENDPOINT"]).port or 0,
    ]

    def lead() -> None:
        asyncio.run(relay([("127.0.0.1", port, google, port) for port in ports]))

    threading.Thread(target=lead, name="relay", daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
