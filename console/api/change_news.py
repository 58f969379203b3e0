"""Who has changed something, told among the console's processes: each is to read from the primary for them until the replica has it.

The news goes through the primary (NOTIFY), after the change is committed and before its caller has an answer. What was told while a process did not
listen it has missed: it hears of no change until it listens again, and then takes it that everybody has changed something.
"""

import secrets
from collections.abc import Callable
from threading import Thread
from typing import Final

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from custom_events.postgres.listening import Listener

# Who changed something: the kind and id of a caller; of an operation the name of who had asked for it, which several keys of one person have.
Whose = tuple[str, int] | str

EVERYBODY: Final = ""  # no caller's name: somebody has changed something, and nobody heard who

CHANNEL: Final = "custom_events_changes"
_TELL: Final = sa.text("SELECT pg_notify(:channel, :news)")
_LOG = structlog.get_logger(__name__)


class _News(msgspec.Struct, frozen=True, array_like=True):
    sender: str
    whose: Whose


class ChangeNews:
    """Hears of changes from one database (libpq URL) and tells of them. `on_change`: what others have changed; `on_begin`, `on_absence`: it listens from now on, and
    does not."""

    def __init__(
        self,
        url: str,
        primary: sa.Engine,
        *,
        on_change: Callable[[Whose], None],
        on_begin: Callable[[], None],
        on_absence: Callable[[], None],
    ) -> None:
        self._primary = primary
        self._on_change, self._on_begin, self._on_absence = on_change, on_begin, on_absence
        self._name = secrets.token_hex(8)  # by which this process knows its own
        self._listener = Listener(
            url, CHANNEL, name="custom-events console changes", on_news=self._hear, on_absence=self._miss
        )
        self._thread = Thread(target=self._listener.run, name="changes", daemon=True)

    def start(self) -> None:
        """Listen from now on."""
        self._thread.start()

    def stop(self, limit_s: float) -> None:
        """End; at most so many seconds are waited for it."""
        self._listener.stop()
        if self._thread.ident is not None:
            self._thread.join(limit_s)

    def tell(self, whose: Whose) -> None:
        """Tell the others who has changed something. Where that fails, they show it when the replica has it."""
        news = msgspec.json.encode(_News(self._name, whose)).decode()
        try:
            with self._primary.begin() as connection:
                connection.execute(_TELL, {"channel": CHANNEL, "news": news})
        except SQLAlchemyError as error:  # the change is done, and whoever made it is to have their answer
            _LOG.warning("change_not_told", error=type(error).__name__)

    def _hear(self, payload: str) -> None:
        if not payload:
            self._on_begin()
            return
        try:
            news = msgspec.json.decode(payload, type=_News)
        except msgspec.MsgspecError:  # of another version of the console, while it is rolled out
            self._on_change(EVERYBODY)
            return
        if news.sender != self._name:
            self._on_change(news.whose)

    def _miss(self, error: Exception) -> None:
        _LOG.warning("changes_not_heard", error=type(error).__name__)
        self._on_absence()
