"""The receiver as a process: uvicorn with uvloop and httptools, one worker or several on one socket."""

import asyncio
import gc
import multiprocessing
import os
import shutil
import signal
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import structlog
import uvicorn
from prometheus_client import start_http_server
from sqlalchemy.exc import SQLAlchemyError
from uvicorn.supervisors import Multiprocess

from custom_events import logs, secrets
from custom_events.errors import NeedsAction
from custom_events.postgres import address, connect
from custom_events.queries import stored_secrets
from custom_events.settings import Settings, as_variables
from custom_events.settings import settings as read_settings
from custom_events.values.hosts import is_local
from ingest_api.app import Receiver, create_app
from ingest_api.metrics import MULTIPROCESS_DIRECTORY, scraped
from ingest_api.protocol import DeliveryProtocol

BACKLOG = 2048  # connections that wait to be accepted
KEEP_ALIVE_S = 75  # stores keep connections; a new one costs them a TLS handshake
START_LIMIT_S = 60  # for a worker to import and answer; uvicorn kills one that takes longer, and its 5 s are short on a busy machine
# Objects made between two looks for cycles, of the youngest, and looks of one generation before one of the next; Python's are 700, 10, 10.
GC_THRESHOLDS = (50_000, 20, 50)
GRACE_S = 20  # for requests under way when told to stop; stores wait 5 s at most (docs/reference/platforms.md 1.5)

_LOG = structlog.get_logger(__name__)


def main(settings: Settings | None = None, factory: str = "ingest_api.serve:application") -> None:
    """Serve what `factory` names, until SIGTERM or SIGINT. Raises NeedsAction when the port is taken, the database cannot be had, or the key is another
    one's."""
    settings = settings or read_settings()
    logs.configure("receiver", level=settings.log_level, json_lines=settings.log_json)
    signal.signal(
        signal.SIGTERM, _end
    )  # uvicorn hands the signal on when it has stopped: leave through the blocks below
    check_exposure(settings)
    with bound(settings) as listening, address.database(settings) as url, _figures(settings), _scrapes(settings):
        check_key(settings, url)
        os.environ |= {**as_variables(settings), "DATABASE_URL": url}  # how workers learn of them
        read_settings.cache_clear()
        config = uvicorn.Config(
            factory,
            factory=True,
            workers=settings.receiver_workers,
            loop="uvloop",
            http=DeliveryProtocol,
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_worker_healthcheck=START_LIMIT_S,
            timeout_graceful_shutdown=GRACE_S,
        )
        _LOG.info(
            "receiver_serves", host=settings.receiver_host, port=listening.getsockname()[1], workers=config.workers
        )
        if settings.receiver_workers > 1:
            Multiprocess(config, [listening]).run()
        else:
            uvicorn.Server(config).run([listening])


def application(kind: type[Receiver] = Receiver) -> Receiver:
    """What each worker serves (uvicorn calls it by name). A worker ends when the process that started it is gone."""
    settings = read_settings()
    parent = multiprocessing.parent_process()
    if parent is not None:
        logs.configure("receiver", level=settings.log_level, json_lines=settings.log_json)
        asyncio.get_running_loop().add_reader(parent.sentinel, os.kill, os.getpid(), signal.SIGTERM)
    made = create_app(settings, kind=kind)
    gc.collect()
    gc.freeze()  # what is there now stays
    gc.set_threshold(*GC_THRESHOLDS)
    return made


def check_exposure(settings: Settings) -> None:
    """Raise NeedsAction where others reach the receiver, and the key of its stored secrets can be guessed."""
    local = is_local(settings.receiver_host) and is_local(
        urlsplit(settings.receiver_url or "//localhost").hostname or ""
    )
    if not local and (problem := secrets.public_problem(settings)):
        raise NeedsAction(problem)


def check_key(settings: Settings, url: str) -> None:
    """Raise NeedsAction where the key decrypts nothing of this database: each delivery would be answered 503, until its store gives up.

    Only here, when the receiver starts, and never of one that runs: a rotation stops none. Where the database is away, or does not let us
    read the check yet (`migrate` renews rights), the receiver starts all the same, and secrets that it cannot decrypt are logged one by one.
    """
    engine = connect.engine(connect.receiver_url(url) if settings.receiver_role else url, name="receiver-start", more=0)
    try:
        with engine.connect() as connection:
            stored = stored_secrets.for_receiver(connection)
    except SQLAlchemyError as fault:
        _LOG.warning("key_not_checked", cause=type(fault).__name__)
        return
    finally:
        engine.dispose()
    secrets.check_some(settings, stored)


@contextmanager
def bound(settings: Settings) -> Generator[socket.socket]:
    """The listening socket. Raises NeedsAction that names the port and its setting."""
    host, port = settings.receiver_host, settings.receiver_port
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as fault:
        raise NeedsAction(
            f"The receiver cannot listen on {host} port {port} ({os.strerror(fault.errno or 0)}). End what uses it, or choose another "
            "with CUSTOM_EVENTS_RECEIVER_PORT (and CUSTOM_EVENTS_RECEIVER_HOST)."
        ) from fault
    with listening:
        yield listening


@contextmanager
def _figures(settings: Settings) -> Generator[None]:
    """A fresh directory where several workers sum their figures; a single worker needs none."""
    if settings.receiver_workers == 1:
        yield
        return
    directory = settings.local_directory / f"receiver-figures-{os.getpid()}"
    shutil.rmtree(directory, ignore_errors=True)
    Path(directory).mkdir(parents=True)
    os.environ[MULTIPROCESS_DIRECTORY] = str(directory.resolve())
    try:
        yield
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _scrapes(settings: Settings) -> Generator[None]:
    """/metrics on a port of its own. Where that is taken the log says so: deliveries land without figures."""
    host, port = settings.receiver_figures_host, settings.receiver_figures_port
    try:
        served = None if port is None else start_http_server(port, host, scraped())
    except OSError as fault:
        _LOG.warning("figures_not_served", host=host, port=port, reason=os.strerror(fault.errno or 0))
        served = None
    try:
        yield
    finally:
        if served is not None:
            server, thread = served
            server.shutdown()
            server.server_close()
            thread.join()


def _end(_: int, __: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    try:
        main()
    except NeedsAction as fault:
        sys.exit(str(fault))
