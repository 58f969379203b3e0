"""Where archives are: a folder of this machine, or S3-compatible storage, by fsspec. Files appear whole or not at all."""

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from custom_events import private_files
from custom_events.archive.manifest import MANIFEST, Manifest, from_json, to_json
from custom_events.errors import CustomEventsError, InvalidConfiguration, NeedsAction, Transient
from custom_events.settings import Settings, variable_of

FOLDER: Final = "raw_events"  # below the address; weeks are folders in it, named by their Monday
UNSET: Final = (
    "no archive is set: CUSTOM_EVENTS_ARCHIVE_URL names a folder (/srv/archive) or storage (s3://bucket/prefix)"
)
_CONNECT_S: Final = 10.0
_READ_S: Final = 60.0
_S3: Final = "s3://"


class ArchiveStorage:
    """The archive's files, by week and name. Faults of folder or storage are raised as Transient or NeedsAction."""

    def __init__(self, filesystem: Any, root: str, *, is_local: bool) -> None:
        self._filesystem, self._root, self._is_local = filesystem, root.rstrip("/"), is_local

    def weeks(self) -> list[date]:
        """The weeks that are archived whole, oldest first."""
        with _faults(self._root):
            self._filesystem.invalidate_cache()
            pattern = f"{self._root}/{FOLDER}/*/{MANIFEST}"
            names = [str(path).split("/")[-2] for path in self._filesystem.glob(pattern)]
        return sorted(date.fromisoformat(name) for name in names)

    def folders(self) -> list[date]:
        """The weeks of which there is anything, also what a writing that was interrupted has left."""
        with _faults(self._root):
            self._filesystem.invalidate_cache()
            names = {str(path).split("/")[-2] for path in self._filesystem.glob(f"{self._root}/{FOLDER}/*/*")}
        return sorted(date.fromisoformat(name) for name in names)

    def manifest(self, week: date) -> Manifest | None:
        """What is archived of a week; None: nothing, or not all of it."""
        path = self._path(week, MANIFEST)
        with _faults(self._root):
            self._filesystem.invalidate_cache()
            if not self._filesystem.exists(path):
                return None
            text = self._filesystem.cat_file(path)
        return from_json(text, path)

    def names(self, week: date) -> set[str]:
        """Names of all files of a week, whoever wrote them."""
        with _faults(self._root):
            self._filesystem.invalidate_cache()
            folder = self._path(week)
            if not self._filesystem.exists(folder):
                return set()
            return {str(path).rsplit("/", 1)[1] for path in self._filesystem.ls(folder, detail=False)}

    def put(self, week: date, name: str, source: Path) -> None:
        """Store a file of this machine under a name; one of that name is replaced."""
        path = self._path(week, name)
        with _faults(self._root):
            if self._is_local:
                _put_locally(source, Path(path))
            else:
                self._filesystem.put_file(str(source), path)

    def put_manifest(self, manifest: Manifest, folder: Path) -> None:
        """Store what is archived of a week, by way of a file in `folder`: from now on it is whole."""
        written = folder / MANIFEST
        written.write_bytes(to_json(manifest))
        self.put(manifest.landed_week, MANIFEST, written)

    def get(self, week: date, name: str, target: Path) -> None:
        """Bring a file to this machine. Raises NeedsAction where it is missing."""
        with _faults(self._root):
            self._filesystem.get_file(self._path(week, name), str(target))

    def remove(self, week: date, names: set[str]) -> None:
        """Remove files."""
        with _faults(self._root):
            for name in sorted(names):
                self._filesystem.rm_file(self._path(week, name))

    def remove_unlisted(self, week: date) -> None:
        """Remove what no manifest names: it is of a writing that was interrupted, and may tell of somebody who was forgotten since."""
        manifest = self.manifest(week)
        listed = set() if manifest is None else {MANIFEST, *(file.name for file in manifest.files)}
        self.remove(week, self.names(week) - listed)

    def _path(self, week: date, *names: str) -> str:
        return "/".join((self._root, FOLDER, str(week), *names))


@contextmanager
def opened(settings: Settings) -> Generator[ArchiveStorage]:
    """The archive that the settings name. Raises InvalidConfiguration where they name none, or one that cannot be."""
    url = settings.archive_url
    if url is None:
        raise InvalidConfiguration(UNSET, path=variable_of("archive_url"))
    if any(find_spec(name) is None for name in ("fsspec", "pyarrow", "s3fs")):
        raise NeedsAction("The archive needs pyarrow, fsspec and s3fs: `pip install custom-events[reports]`.")
    if url.startswith(_S3):
        storage = _s3(settings)
        try:
            yield ArchiveStorage(storage, url.removeprefix(_S3), is_local=False)
        finally:
            if (client := getattr(storage, "_s3", None)) is not None:
                storage.close_session(storage.loop, client)
        return
    from fsspec.implementations.local import LocalFileSystem

    yield ArchiveStorage(LocalFileSystem(), url, is_local=True)


def _s3(settings: Settings) -> Any:
    """A client of its own: nothing of it is shared, and it is closed."""
    from s3fs import S3FileSystem

    config: dict[str, Any] = {"connect_timeout": _CONNECT_S, "read_timeout": _READ_S}
    if settings.archive_endpoint is not None:
        # Storage of others knows buckets by path, and not every checksum.
        config |= {"s3": {"addressing_style": "path"}, "request_checksum_calculation": "when_required"}
    secret = settings.archive_secret_access_key
    return S3FileSystem(
        key=settings.archive_access_key_id,
        secret=None if secret is None else secret.get_secret_value(),
        endpoint_url=settings.archive_endpoint,
        client_kwargs={"region_name": settings.archive_region} if settings.archive_region else {},
        config_kwargs=config,
        skip_instance_cache=True,
        use_listings_cache=False,
    )


def _put_locally(source: Path, target: Path) -> None:
    """Copy beside its place, sync, and rename: the file and its name outlive a loss of power."""
    private_files.make_directory(target.parent)
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)  # of a writing that was killed
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, private_files.FILE_MODE)
    with os.fdopen(descriptor, "wb") as copy, source.open("rb") as original:
        shutil.copyfileobj(original, copy)
        copy.flush()
        os.fsync(copy.fileno())
    part.replace(target)
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _faults(root: str) -> Generator[None]:
    """Whatever clients raise, as what follows from it; what they say themselves is not passed on, since it may hold the key."""
    try:
        yield
    except CustomEventsError:
        raise
    except (PermissionError, FileNotFoundError, NotADirectoryError) as error:
        raise NeedsAction(
            f"The archive {root} does not give or take a file ({type(error).__name__}): see that the folder or bucket is there, and what we may do in it."
        ) from error
    except Exception as error:
        raise Transient(f"The archive {root} did not answer as it should ({type(error).__name__}).") from error
