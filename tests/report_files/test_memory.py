"""Many rows cost no more memory than few; and who writes no files does not carry the libraries of files."""

import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from custom_events.report_files import parquet_file
from custom_events.report_files.table import FileFormat, ReportTable
from custom_events.report_files.writing import write
from tests.report_files.tables import COLUMNS, plain_rows

ROOT = Path(__file__).parents[2]
LIBRARIES = ("pandas", "pyarrow", "xlsxwriter", "matplotlib", "fpdf", "fsspec", "s3fs", "numpy", "PIL")


def batches(count: int) -> Iterator[list[tuple[Any, ...]]]:
    for _ in range(count):
        yield plain_rows(100)


@pytest.mark.parametrize("file_format", ["csv", "xlsx", "parquet"])
def test_ten_times_the_rows_cost_no_more_memory(
    tmp_path: Path, file_format: FileFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_file, "ROW_GROUP", 100)

    def peak(count: int) -> int:
        table = ReportTable(title="Orders", columns=COLUMNS, batches=batches(count), zone="Europe/Berlin")
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        assert write(table, file_format, tmp_path / "orders").rows == 100 * count
        return tracemalloc.get_traced_memory()[1] - before

    tracemalloc.start()
    try:
        peak(2)  # what is imported and made once
        few = peak(3)
        assert peak(30) <= 1.3 * few
    finally:
        tracemalloc.stop()


@pytest.mark.usefixtures("untraced_processes")
def test_who_writes_no_files_does_not_load_their_libraries() -> None:
    rooms = "ingest_api.app, custom_events.report_files.writing, custom_events.report_delivery.delivering"
    script = f"import sys, {rooms}; print([name for name in {LIBRARIES!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
