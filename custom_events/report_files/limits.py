"""How much of a file there is: an error as soon as it is more than it may be, before more of it is written."""

from typing import Final

from custom_events.errors import NeedsAction
from custom_events.report_files.table import FileFormat, FileLimits

XLSX_ROWS: Final = 1_048_575  # a sheet of XLSX has 1,048,576, and the first is the header
HTML_ROWS: Final = 20_000  # 8 MB or so: what a browser still shows within a second or two
PDF_ROWS: Final = 5_000  # about 150 pages; it is made in memory
_ROWS: Final[dict[FileFormat, int]] = {"xlsx": XLSX_ROWS, "html": HTML_ROWS, "pdf": PDF_ROWS}
_WIDER: Final[dict[FileFormat, str]] = {
    "xlsx": "CSV or Parquet",
    "html": "XLSX, CSV or Parquet",
    "pdf": "XLSX, CSV or Parquet",
}


class TooLargeError(NeedsAction):
    """A file would be larger than it may be: nothing of it is left, and nothing is cut."""


class Counted:
    """Counts rows and bytes of a file of a format, against its limits."""

    def __init__(self, file_format: FileFormat, limits: FileLimits) -> None:
        self.rows = 0
        self._format: FileFormat = file_format
        self._limits = limits

    def add(self, rows: int) -> None:
        """There are so many rows more. Raises TooLargeError."""
        self.rows += rows
        most = _ROWS.get(self._format)
        if most is not None and self.rows > most:
            raise TooLargeError(
                f"There are more than {most:,} rows, which is the most that {self._format.upper()} takes here. Narrow the period or the filters, "
                f"or ask for {_WIDER[self._format]}."
            )
        if self._limits.rows is not None and self.rows > self._limits.rows:
            raise TooLargeError(
                f"There are more than {self._limits.rows:,} rows, the limit of this file. Narrow the period or the filters, or raise the limit."
            )

    def reached(self, size: int) -> None:
        """The file has so many bytes. Raises TooLargeError."""
        if self._limits.bytes is not None and size > self._limits.bytes:
            raise TooLargeError(
                f"The file is larger than {self._limits.bytes:,} bytes, its limit. Narrow the period or the filters, choose fewer columns, "
                "or raise the limit."
            )
