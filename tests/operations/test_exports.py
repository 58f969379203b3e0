"""Files of exports while they are made: what a killed attempt left goes away, what is being made stays."""

import os
import time
from pathlib import Path

import sqlalchemy as sa

from custom_events.browse.uploads import UploadRow
from custom_events.catalog.audit import Entry
from custom_events.operations import exports
from custom_events.operations.export_lists import LISTS, ExportRequest
from custom_events.report_files.columns import columns_of
from custom_events.report_files.table import ReportColumn


def test_what_a_killed_attempt_left_goes_away_after_a_day(tmp_path: Path) -> None:
    old, new = tmp_path / "3-x", tmp_path / "4-y"
    for place in (old, new):
        place.mkdir()
        (place / "export").touch()
    yesterday = time.time() - 2 * 24 * 3_600
    os.utime(old, (yesterday, yesterday))
    exports._sweep(tmp_path)
    assert list(tmp_path.iterdir()) == [new]


def test_columns_follow_the_types_of_rows() -> None:
    kinds = {column.name: (column.kind, column.scale) for column in columns_of(UploadRow)}
    assert (kinds["id"], kinds["account_id"], kinds["transaction_id"]) == (("id", None),) * 3
    assert (kinds["attempts"], kinds["value"]) == (("count", None), ("amount", 6))
    assert (kinds["created_at"], kinds["state"]) == (("time", None), ("text", None))
    assert columns_of(Entry)[5] == ReportColumn("detail", "Detail", "text")


def test_every_filter_of_a_list_is_one_of_a_request() -> None:
    for chosen in LISTS.values():
        assert set(chosen.filters) <= set(ExportRequest.__struct_fields__)


def test_who_may_see_no_site_has_a_file_without_rows() -> None:
    """An empty list of sites is none of them, never all."""
    engine = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")  # which nothing may ask
    assert list(LISTS["uploads"].rows(engine, ExportRequest(name="uploads", only=()))) == []
