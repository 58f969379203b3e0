"""A primary with a streaming standby that is read from, on the machine's own PostgreSQL; what the standby has replayed is for a test to say."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from custom_events.postgres import migrate, replica
from tests.flow import stack
from tests.flow.server_machine import START, ServerMachine

PORTS: Final = (5432, 5433)  # of sockets in a directory of the test's own
WAIT_LIMIT_S: Final = 60.0


class Replicated:
    """Both servers."""

    def __init__(self, primary: ServerMachine, standby: ServerMachine) -> None:
        self.primary, self.standby = primary, standby
        self.url, self.replica_url = primary.url, standby.url.replace("postgresql://custom_events@", "postgresql://")

    def pause(self) -> None:
        """Let the standby stand still where it is: it has all that is committed until now, and nothing of what follows."""
        self.catch_up()
        self.standby.query("SELECT pg_wal_replay_pause()")
        stack.until(lambda: self._says("SELECT pg_get_wal_replay_pause_state() = 'paused'"), "the pause", WAIT_LIMIT_S)

    def resume(self) -> None:
        """Let it go on."""
        self.standby.query("SELECT pg_wal_replay_resume()")

    def catch_up(self) -> None:
        """Wait until it has all that is written now: also what is committed and not flushed yet, as a transaction that does nothing but NOTIFY."""
        ((position,),) = self.primary.query(f"SELECT position FROM ({replica._WRITTEN.text}) written")
        has_it = f"SELECT pg_last_wal_replay_lsn() - '0/0' >= {position}"
        stack.until(lambda: self._says(has_it), "the standby", WAIT_LIMIT_S)

    def _says(self, statement: str) -> bool:
        ((answer,),) = self.standby.query(statement)
        return bool(answer)


@contextmanager
def replicated(place: Path) -> Generator[Replicated]:
    """A migrated database on a primary, and its standby."""
    with ServerMachine(place, "primary", PORTS[0]) as primary:
        primary.initialise()
        primary.shell.run("createdb")
        migrate.upgrade(primary.url)
        with ServerMachine(place, "standby", PORTS[1]) as standby:
            copy = f'pg_basebackup --host "{place}" --port {PORTS[0]} --pgdata "$PGDATA" --checkpoint fast --write-recovery-conf'
            standby.shell.run(copy)
            standby.shell.run(START)
            yield Replicated(primary, standby)
