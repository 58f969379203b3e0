"""A file brought to a folder of this machine, below the one that the settings allow."""

import errno
import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import Final

from custom_events import private_files
from custom_events.errors import Fault, NeedsAction, Transient
from custom_events.report_delivery.naming import file_name
from custom_events.report_delivery.targets import DeliveryMessage, DeliveryReceipt, FolderTarget
from custom_events.report_files.table import WrittenFile
from custom_events.settings import Settings

DEFAULT: Final = "delivered-reports"  # in the local directory
_PART: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,99}\Z")
_OF_A_PERSON: Final = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR)


def root(settings: Settings) -> Path:
    """The folder below which files may be delivered."""
    return settings.report_folder or settings.local_directory / DEFAULT


def faults(target: FolderTarget, settings: Settings) -> list[Fault]:
    """What is wrong with the target."""
    if not target.folder:
        return []
    right = "folders below the setting report_folder, such as sales/daily: letters, digits, dots, dashes, underscores and blanks"
    if not all(_PART.match(part) for part in target.folder.split("/")):
        return [Fault("folder", f"'{target.folder[:100]}' is no such path", right)]
    if not _is_below(root(settings), target.folder):
        return [Fault("folder", "a link leads out of the folder that is allowed", right)]
    return []


def deliver_to_folder(
    target: FolderTarget, file: WrittenFile, message: DeliveryMessage, settings: Settings
) -> DeliveryReceipt:
    """Copy the file beside its place, and put it there at once: whoever looks sees all of it or nothing. The same key replaces it.

    Raises NeedsAction where the folder cannot be written, Transient for other faults of it.
    """
    folder = root(settings) / target.folder
    path = folder / file_name(file, message)
    part = path.with_name(f".{path.name}.part")
    try:
        private_files.make_directory(folder)
        part.unlink(missing_ok=True)  # of an attempt that was killed
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, private_files.FILE_MODE)
        try:
            with os.fdopen(descriptor, "wb") as copy, file.path.open("rb") as source:
                shutil.copyfileobj(source, copy)
                copy.flush()
                os.fsync(copy.fileno())
            with part.open("rb") as copied:
                if hashlib.file_digest(copied, "sha256").hexdigest() != file.sha256:
                    raise Transient("The file is not the one that was written: it is written anew.")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        _sync(folder)
    except OSError as error:
        sentence = f"The folder {folder} cannot be written ({error.strerror})."
        if error.errno in _OF_A_PERSON:
            raise NeedsAction(f"{sentence} Mend its permissions or its space, or choose another.") from error
        raise Transient(sentence) from error
    return DeliveryReceipt(where=str(path), digest=file.sha256)


def _is_below(top: Path, folder: str) -> bool:
    return (top / folder).resolve().is_relative_to(top.resolve())


def _sync(folder: Path) -> None:
    """Let the new name outlive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
