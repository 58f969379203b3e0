"""What writing, rewriting and reading archives have in common: one at a time, a private folder for files on their way, checked copies."""

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from custom_events import private_files
from custom_events.archive.manifest import ArchivedFile, Manifest
from custom_events.archive.rows import digest
from custom_events.archive.storage import ArchiveStorage
from custom_events.errors import NeedsAction, Transient
from custom_events.postgres.partitions import LOCK_NOT_AVAILABLE
from custom_events.queries import archives as sql
from custom_events.settings import Settings

WAIT_MS: Final = 600_000  # for whoever writes or rewrites the archive: a large week takes minutes


@contextmanager
def holding(engine: sa.Engine) -> Generator[None]:
    """Nobody else changes the archive meanwhile. Raises Transient where somebody does for longer than WAIT_MS."""
    with engine.begin() as connection:
        try:
            connection.execute(sql.LOCK, {"key": sql.LOCK_KEY, "limit": str(WAIT_MS)})
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
            raise Transient("The archive is being written by somebody else: try again when that has ended.") from None
        yield


@contextmanager
def work_folder(settings: Settings) -> Generator[Path]:
    """A folder for files on their way, which nobody else may read; it is removed afterwards."""
    private_files.make_directory(settings.local_directory)
    with tempfile.TemporaryDirectory(prefix="archive-", dir=settings.local_directory) as folder:
        yield Path(folder)


@contextmanager
def fetched(storage: ArchiveStorage, manifest: Manifest, file: ArchivedFile, folder: Path) -> Generator[Path]:
    """A file of the archive on this machine, checked; it is removed afterwards. Raises NeedsAction for one that has changed."""
    path = folder / file.name
    try:
        storage.get(manifest.landed_week, file.name, path)
        if digest(path) != file.sha256:
            raise NeedsAction(
                f"{file.name} of the week {manifest.landed_week} is not the file that was archived: restore it from a copy, "
                "then `custom-events archive verify`."
            )
        yield path
    finally:
        path.unlink(missing_ok=True)


def put_checked(storage: ArchiveStorage, manifest: Manifest, file: ArchivedFile, path: Path) -> None:
    """Store a file, and read it back: what is in the archive is what was written. Raises NeedsAction where it is not."""
    storage.put(manifest.landed_week, file.name, path)
    back = path.parent / "back"
    back.mkdir(exist_ok=True)
    with fetched(storage, manifest, file, back):
        pass
