"""The embedded PostgreSQL under `custom-events up`: started again when it dies."""

import threading
from collections.abc import Sequence

from custom_events.errors import NeedsAction
from custom_events.postgres.embedded import Embedded


class EmbeddedWatch:
    """Looks after a server that somebody holds. A start after a crash may take a minute, so it happens in a thread."""

    def __init__(self, server: Embedded) -> None:
        self._server = server
        self._start: threading.Thread | None = None
        self._problem: NeedsAction | None = None

    def tend(self) -> Sequence[str]:
        """Start it again if it has died. Sentences of what happened. Raises NeedsAction when it does not come up."""
        if self._start is None:
            if self._server.is_running():
                return ()
            self._start = threading.Thread(target=self._revive, name="embedded-postgres", daemon=True)
            self._start.start()
            return ("The embedded PostgreSQL has died, and is started again.",)
        if self._start.is_alive():
            return ()
        self._start = None
        if self._problem is not None:
            raise self._problem
        return ("The embedded PostgreSQL runs again.",)

    def _revive(self) -> None:
        try:
            self._server.revive()
        except NeedsAction as error:
            self._problem = error

    def stop(self) -> None:
        """Wait for a start under way; the server itself is its holder's."""
        if self._start is not None:
            self._start.join()
