"""The staging models, written from the tables: one view a source table, ids first, times last.

`make docs` writes them; a test holds the files equal to `render_all()`. What needs thought begins in intermediate.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml

from dbt_staging import changes, marts_page, sources

DIRECTORY = sources.SOURCES_FILE.parent
SQL_FOLDER = "generated"
RESERVED = frozenset({"at"})  # words of DuckDB's, which PostgreSQL takes for names
_TIMES = (sa.DateTime, sa.Date)


def model_name(table: sa.Table) -> str:
    """`stg_<schema>__<table>`."""
    return f"stg_{table.schema}__{table.name}"


def render_all() -> Mapping[str, str]:
    """Path below `DIRECTORY` -> text: the sources, one description a schema, and the SQL of every model."""
    tables = sources.source_tables()
    files = {sources.SOURCES_FILE.name: sources.render()}
    for schema in sorted({str(table.schema) for table in tables}):
        files[f"{schema}.yml"] = _yaml([_described(table) for table in tables if table.schema == schema])
    files |= {f"{SQL_FOLDER}/{model_name(table)}.sql": render_sql(table) for table in tables}
    followed = changes.tables()
    files[changes.YAML] = _yaml([changes.described(table) for table in followed])
    return files | {
        f"{changes.FOLDER}/{changes.model_name(table)}.sql": changes.render_sql(table) for table in followed
    }


def render_sql(table: sa.Table) -> str:
    """One query of the visible columns, without common table expressions: the planner looks into such a view, so that what is joined to it is found by
    the table's own indexes, and its smallest time by one look into each partition (PostgreSQL, is_simple_subquery in prepjointree.c)."""
    columns = sources.visible_columns(table)
    ids = [c for c in columns if c.name in {"id", "key"} or c.name.endswith(("_id", "_key"))]
    times = [c for c in columns if isinstance(c.type, _TIMES) and c not in ids]
    facts = [c for c in columns if c not in ids and c not in times]
    lines: list[str] = []
    for title, group in (("ids", ids), ("facts", facts), ("times", times)):
        if group:
            lines.append(f"    ---------- {title}")
            lines.extend(f"    {_written(column.name)}," for column in group)
    lines[-1] = lines[-1].removesuffix(",")
    return "\n".join(["select", *lines, f"from {{{{ source('{table.schema}', '{table.name}') }}}}", ""])


def _written(name: str) -> str:
    return f'"{name}"' if name in RESERVED else name


def _yaml(models: Sequence[Mapping[str, Any]]) -> str:
    """The file of these models' descriptions."""
    written = {"version": 2, "models": list(models)}
    return sources.HEADER + yaml.safe_dump(written, sort_keys=False, allow_unicode=True, width=150)


def _described(table: sa.Table) -> dict[str, object]:
    """Description with the grain, and every column; a single-column key is tested."""
    key = [str(column.name) for column in table.primary_key.columns]
    columns: list[dict[str, object]] = []
    for column in sources.visible_columns(table):
        name = str(column.name)
        described: dict[str, object] = {"name": name, "description": column.comment}
        if key == [name] or name == "id":
            described["data_tests"] = ["not_null", "unique"]
        columns.append(described)
    return {"name": model_name(table), "description": table.comment, "columns": columns}


def write(directory: Path = DIRECTORY) -> None:
    """Writes every file and removes models whose table is gone."""
    files = render_all()
    for old in directory.rglob("*.*"):
        if str(old.relative_to(directory)) not in files:
            old.unlink()
    for name, text in files.items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(text)


if __name__ == "__main__":
    write()
    marts_page.write()
