"""The clock of our own sender: real time and an offset that stands in a file, which whoever conducts changes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path


class ShiftedClock:
    """Real time plus the seconds in a file; without the file, real time."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self) -> datetime:
        """Now."""
        return datetime.now(UTC) + timedelta(seconds=self.offset_s())

    def offset_s(self) -> float:
        """Seconds that it is ahead of real time."""
        try:
            return float(self._file.read_text())
        except (FileNotFoundError, ValueError):
            return 0.0

    def shift(self, seconds: float) -> None:
        """Go forward, or back, by so many seconds."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(str(self.offset_s() + seconds))
        fresh.replace(self._file)
