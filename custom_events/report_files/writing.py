"""A table written as a file of a format: whole under its name, or not at all."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from custom_events import private_files
from custom_events.errors import InvalidConfiguration, NeedsAction
from custom_events.report_files.csv_file import write_csv
from custom_events.report_files.html_file import write_html
from custom_events.report_files.limits import Counted
from custom_events.report_files.parquet_file import write_parquet
from custom_events.report_files.pdf_file import write_pdf
from custom_events.report_files.table import FORMATS, MEDIA_TYPES, FileFormat, FileLimits, ReportTable, WrittenFile
from custom_events.report_files.xlsx_file import write_xlsx


def write(table: ReportTable, file_format: FileFormat, path: Path, limits: FileLimits | None = None) -> WrittenFile:
    """Write the table as a file that this account alone may read; one that is there is replaced at the end, at once. The same rows give
    the same bytes.

    Raises InvalidConfiguration for a value of another kind than its column's, naming the column; TooLargeError (a NeedsAction) where a
    limit is passed; NeedsAction where the libraries of files are not installed; OSError.
    """
    if file_format not in FORMATS:
        raise InvalidConfiguration(f"'{file_format}' is no format; one of {', '.join(FORMATS)} is", path="format")
    counted = Counted(file_format, limits or FileLimits())
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    private_files.make_directory(path.parent)
    try:
        with open(part, "w+b", opener=_open_private) as file:
            _WRITERS[file_format](table, file, counted)
            file.flush()
            size = file.seek(0, os.SEEK_END)
            counted.reached(size)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        part.replace(path)
    except ImportError as error:
        raise NeedsAction(
            f"Files of the format {file_format} need {error.name}: install custom-events[reports]."
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return WrittenFile(
        path=path,
        file_format=file_format,
        rows=counted.rows,
        bytes=size,
        sha256=digest,
        media_type=MEDIA_TYPES[file_format],
    )


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, private_files.FILE_MODE)


_WRITERS: Final[dict[FileFormat, Callable[[ReportTable, BinaryIO, Counted], None]]] = {
    "csv": write_csv,
    "xlsx": write_xlsx,
    "parquet": write_parquet,
    "html": write_html,
    "pdf": write_pdf,
}
