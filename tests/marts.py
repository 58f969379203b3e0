"""The marts as dbt builds them, for tests that read them: tables with the columns that its descriptions name, filled by hand."""

from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
import yaml

MODELS: Final = Path(__file__).parents[1] / "dbt" / "models" / "marts"
NAMES: Final = ("fct_funnel_daily", "fct_accuracy_daily", "fct_conversions_by_definition")
_TEXTS: Final = ("name", "key", "label", "campaign", "currency")


def columns_of(name: str) -> list[str]:
    """The columns that a mart's description names."""
    (model,) = yaml.safe_load((MODELS / f"{name}.yml").read_text())["models"]
    return [column["name"] for column in model["columns"]]


def make(connection: sa.Connection, *names: str) -> None:
    """The marts, empty."""
    connection.execute(sa.text("CREATE SCHEMA IF NOT EXISTS reporting"))
    for name in names or NAMES:
        columns = ", ".join(f"{column} {_type(column)}" for column in columns_of(name))
        connection.execute(sa.text(f"CREATE TABLE reporting.{name} ({columns})"))


def add(connection: sa.Connection, name: str, **values: Any) -> None:
    """A row of a mart; what is not given counts nothing."""
    row = {column: None if _type(column) != "bigint" else 0 for column in columns_of(name)} | values
    marks = ", ".join(f":{column}" for column in row)
    connection.execute(sa.text(f"INSERT INTO reporting.{name} ({', '.join(row)}) VALUES ({marks})"), row)


def _type(column: str) -> str:
    if column == "day":
        return "date"
    if column.startswith("value_"):
        return "numeric"
    return "text" if column.rpartition("_")[2] in _TEXTS else "bigint"
