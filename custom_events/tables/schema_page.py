"""The schema page, docs/reference/schema.md, made from the tables. `python -m custom_events.tables.schema_page` writes it."""

from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from custom_events.tables.registry import MODULES, PARTITIONED

PAGE = Path("docs/reference/schema.md")

_DIALECT = postgresql.dialect()
_INTRODUCTION = """\
# Schema

Made from `custom_events/tables/` by `make docs`; tests hold this page and the database against them. Alembic makes the schemas
`landing` (what the receiver inserts) and `app` (what our other programs write); dbt makes `reporting`, Dagster its own.

Money is `numeric(20, 6)`, times are `timestamptz`, ids of a store are text. Tables that grow without end are partitioned by
time, each with a DEFAULT partition, so that no row is ever refused for its time; partitions are made ahead and dropped by
retention (`custom_events/postgres/partitions.py`).

## What refers to what

Solid: a foreign key. Dashed: by value only, where a foreign key costs too much or cannot be
([decision 0005](../decisions/0005-foreign-keys-left-out.md)). Every table with a `site_id` belongs to a site; only foreign
keys among those are drawn. A box names the columns that refer ([the picture alone](../pictures/schema.svg)).

![Tables and what they refer to](../pictures/schema.svg)
"""


def render() -> str:
    """The whole page."""
    parts = [_INTRODUCTION]
    for module in MODULES:
        heading = (module.__doc__ or "").split("\n", 1)[0].rstrip(".")
        parts.append(f"\n## {heading}\n")
        tables = [table for table in vars(module).values() if isinstance(table, sa.Table)]
        parts.extend(_table(table) for table in tables)
    return "".join(parts)


def _table(table: sa.Table) -> str:
    lines = [f"\n### {table.fullname}\n", f"{table.comment}\n", "| column | type | null | default | meaning |"]
    lines.append("|---|---|---|---|---|")
    lines += [_column(column) for column in table.columns]
    facts = [*_keys(table), *_indexes(table), *_checks(table), *_partitions(table)]
    if facts:
        lines += ["", *(f"- {fact}" for fact in facts)]
    return "\n".join(lines) + "\n"


def _column(column: sa.Column[object]) -> str:
    default = ""
    if column.identity is not None:
        default = "identity"
    elif isinstance(column.server_default, sa.DefaultClause):
        default = f"`{_sql(column.server_default.arg)}`"
    null = "yes" if column.nullable else ""
    kind = str(column.type.compile(dialect=_DIALECT)).lower().replace("timestamp with time zone", "timestamptz")
    return f"| {column.name} | {kind} | {null} | {default} | {_cell(column.comment or '')} |"


def _keys(table: sa.Table) -> Iterator[str]:
    yield from (f"primary key: {_names(table.primary_key)}" for _ in [0] if table.primary_key.columns)
    for constraint in sorted(table.constraints, key=lambda key: str(key.name)):
        if isinstance(constraint, sa.UniqueConstraint):
            yield f"unique: {_names(constraint)}"
    for key in sorted(table.foreign_key_constraints, key=lambda key: str(key.name)):
        yield f"foreign key: {_names(key)} to `{key.referred_table.fullname}`"


def _indexes(table: sa.Table) -> Iterator[str]:
    for index in sorted(table.indexes, key=lambda each_index: str(each_index.name)):
        where = index.dialect_options["postgresql"]["where"]
        kind = "unique index" if index.unique else "index"
        yield f"{kind}: {_names(index)}" + (f" where `{_sql(where)}`" if where is not None else "")


def _checks(table: sa.Table) -> Iterator[str]:
    for constraint in sorted(table.constraints, key=lambda check: str(check.name)):
        if isinstance(constraint, sa.CheckConstraint):
            yield f"check: `{_sql(constraint.sqltext)}`"


def _partitions(table: sa.Table) -> Iterator[str]:
    for kind in PARTITIONED:
        if kind.table is table:
            kept = f"kept for `{kind.retention}`" if kind.retention else "kept for ever"
            yield f"partitioned by `{kind.column}`, one {kind.span} each; {kept}"


def _names(constraint: sa.PrimaryKeyConstraint | sa.UniqueConstraint | sa.ForeignKeyConstraint | sa.Index) -> str:
    return ", ".join(f"`{column.name}`" for column in constraint.columns)


def _sql(expression: object) -> str:
    if isinstance(expression, sa.ClauseElement):
        return str(expression.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))
    return str(expression)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":  # pragma: no cover
    PAGE.write_text(render(), encoding="utf-8")
