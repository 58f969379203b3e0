"""Sources as Parquet files: every row, every type."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from custom_events.settings import settings as read_settings
from dbt_staging import parquet_export, sources


def test_files_hold_what_the_tables_hold(shops_engine: sa.Engine, parquet: Path) -> None:
    """Table by table, value by value; times as UTC, amounts as decimals with all their digits."""
    with shops_engine.connect() as connection:
        for table in sources.source_tables():
            columns = sources.visible_columns(table)
            rows = pq.read_table(parquet / f"{table.schema}.{table.name}.parquet").to_pylist()
            stored = connection.execute(sa.select(*(_as_exported(column) for column in columns))).mappings()
            assert _sorted(rows) == _sorted([dict(row) for row in stored]), table.name


def test_types_are_exact(parquet: Path) -> None:
    schema = pq.read_schema(parquet / "app.conversion_uploads.parquet")
    assert schema.field("id").type == pa.int64()
    assert schema.field("value").type == pa.decimal128(20, 6)
    assert schema.field("created_at").type == pa.timestamp("us", tz="UTC")
    assert schema.field("waits").type == pa.bool_()
    days = pq.read_schema(parquet / "app.reconciliation_days.parquet")
    assert days.field("day").type == pa.date32()


def test_what_is_hidden_from_reports_is_in_no_file(parquet: Path) -> None:
    names = {file.name for file in parquet.iterdir()}
    assert names == {f"{table.schema}.{table.name}.parquet" for table in sources.source_tables()}
    assert "body" not in pq.read_schema(parquet / "landing.raw_events.parquet").names


def test_the_command_says_what_it_wrote(
    shops_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", shops_url)
    read_settings.cache_clear()
    monkeypatch.setattr(parquet_export, "ROWS_OF_A_GROUP", 7)  # more than one group
    parquet_export.main([str(tmp_path / "new")])
    said = [line.split() for line in capsys.readouterr().out.splitlines()]
    orders = pq.ParquetFile(tmp_path / "new" / "app.orders.parquet")
    assert [str(orders.metadata.num_rows), "app.orders.parquet"] in said
    assert orders.num_row_groups == -(-orders.metadata.num_rows // 7)
    assert not list((tmp_path / "new").glob("*.part"))
    read_settings.cache_clear()


def test_a_type_that_is_not_known_is_named(shops_url: str, tmp_path: Path) -> None:
    table = sa.Table("sites", sa.MetaData(), sa.Column("id", sa.Uuid), schema="app")
    with pytest.raises(TypeError, match="no type of Parquet is known for it"):
        parquet_export.export(shops_url, tmp_path, [table])


def _as_exported(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    if isinstance(column.type, (sa.JSON, sa.CHAR)):
        return sa.cast(column, sa.Text).label(column.name)
    if column.name == "starts_at":  # an offset that holds since ever
        ever = sa.cast(parquet_export.SINCE_EVER, sa.DateTime(timezone=True))
        return sa.case((sa.func.isfinite(column), column), else_=ever).label(column.name)
    return column


def _sorted(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(repr({name: _plain(value) for name, value in row.items()}) for row in rows)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)
    return round(value / timedelta(microseconds=1)) if isinstance(value, timedelta) else value
