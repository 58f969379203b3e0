"""Waiting for news from other transactions (LISTEN and NOTIFY), without asking again and again."""

import select
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from custom_events.postgres import connect

if TYPE_CHECKING:
    import psycopg

RECONNECT_S: Final = (
    5.0  # after a connection was lost, or could not be had: a server that restarts is not asked in a hurry
)


class Listener:
    """Listens to a channel of the database (libpq URL) in a thread of its maker's. `on_news` is called with the payload of each NOTIFY that was committed,
    and with an empty one when listening begins, also anew: what was told before was not heard. `on_absence` is told why there is no connection."""

    def __init__(
        self,
        url: str,
        channel: str,
        *,
        name: str,
        on_news: Callable[[str], None],
        on_absence: Callable[[Exception], None],
    ) -> None:
        self._url, self._channel, self._name = url, channel, name
        self._on_news, self._on_absence = on_news, on_absence
        self._stopping, self._stop = socket.socketpair()

    def run(self) -> None:
        """Listen until `stop`; a connection that is lost is made again. Once only."""
        import psycopg

        with self._stopping:
            while not self._is_stopped(0):
                try:
                    with connect.listening(self._url, self._channel, name=self._name) as connection:
                        self._on_news("")
                        self._hear(connection)
                except psycopg.Error as error:
                    self._on_absence(error)
                    if self._is_stopped(RECONNECT_S):
                        return

    def stop(self) -> None:
        """Let `run` return at once."""
        self._stop.close()

    def _hear(self, connection: "psycopg.Connection[Any]") -> None:
        while not _readable(connection.fileno(), self._stopping.fileno(), limit_ms=None)[1]:
            for news in connection.notifies(timeout=0):
                self._on_news(news.payload)

    def _is_stopped(self, limit_s: float) -> bool:
        """Whether it is stopped, or is within so many seconds."""
        return _readable(self._stopping.fileno(), limit_ms=1_000 * limit_s)[0]


def _readable(*numbers: int, limit_ms: float | None) -> list[bool]:
    """Which of these file descriptors there is something to read of, once there is, or when so many milliseconds have passed (None: never).
    `select` knows no descriptors from 1,024 on, and a console that many follow has them."""
    waiting = select.poll()
    for number in numbers:
        waiting.register(number, select.POLLIN)
    readable = dict(waiting.poll(limit_ms))
    return [number in readable for number in numbers]
