"""The console's server as a process: uvicorn, one worker. People are few; the receiver is another process."""

import os
import signal
import socket
import sys
from types import FrameType

import structlog
import uvicorn
from sqlalchemy.exc import OperationalError, ProgrammingError

from console.api.app import create_app
from console.protocol import ConsoleProtocol
from custom_events import logs
from custom_events.access import exposure
from custom_events.catalog import key_ring
from custom_events.errors import CustomEventsError, NeedsAction
from custom_events.postgres import address, connect
from custom_events.settings import Settings, variable_of
from custom_events.settings import settings as read_settings

GRACE_S = 5  # for requests under way when told to stop

_LOG = structlog.get_logger(__name__)


def main(settings: Settings | None = None) -> None:
    """Serve until SIGTERM or SIGINT. Raises NeedsAction when the port is taken or the database cannot be had."""
    settings = settings or read_settings()
    logs.configure("console", level=settings.log_level, json_lines=settings.log_json)
    signal.signal(
        signal.SIGTERM, _end
    )  # uvicorn hands the signal on when it has stopped: leave through the blocks below
    with bound(settings) as listening, address.database(settings) as url:
        check_exposure(url, settings)
        check_keys(url, settings)
        config = uvicorn.Config(
            create_app(url, settings),
            loop="uvloop",
            http=ConsoleProtocol,
            ws="none",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
        _LOG.info("console_serves", host=settings.console_host, port=settings.console_port)
        uvicorn.Server(config).run([listening])


def bound(settings: Settings) -> socket.socket:
    """The listening socket. Raises NeedsAction that names the port and its setting."""
    host, port = settings.console_host, settings.console_port
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise NeedsAction(
            f"The console cannot listen on {host} port {port} ({os.strerror(error.errno or 0)}). End what uses it, or choose "
            f"another with {variable_of('console_port')} (and {variable_of('console_host')})."
        ) from error


def check_exposure(url: str, settings: Settings) -> None:
    """Raise NeedsAction where others reach the console and something must be done before they may."""
    if not exposure.is_public(settings):
        return
    engine = connect.engine(url, name="custom-events console")
    try:
        with engine.connect() as connection:
            if problem := exposure.problem(connection, settings):
                raise NeedsAction(problem)
    finally:
        engine.dispose()


def check_keys(url: str, settings: Settings) -> None:
    """Raise NeedsAction where the keys are not those that encrypted what is stored: nothing is to be encrypted by others. A database that does
    not answer, or has no tables yet, is waited for as ever."""
    engine = connect.engine(url, name="custom-events console")
    try:
        with engine.begin() as connection:
            key_ring.verify(connection, settings)
    except (OperationalError, ProgrammingError) as error:
        _LOG.warning("keys_not_checked", cause=type(error.orig).__name__)
    finally:
        engine.dispose()


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    try:
        main()
    except CustomEventsError as error:
        sys.exit(f"Error: {error}")
