"""Looking for values in all that an installation keeps: every table of the database, whoever made it, and files."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import sqlalchemy as sa
import zstandard

_TABLES = sa.text("""
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1
""")


def in_tables(connection: sa.Connection, values: Mapping[str, str]) -> dict[str, set[str]]:
    """Where which value is found, by table; Dagster's and those of the reports, too. What is compressed or packed is read."""
    places: dict[str, set[str]] = {}
    for (table,) in connection.execute(_TABLES).all():
        for row in connection.execute(sa.text(f"SELECT t.*, t::text AS whole_row FROM {table} t")).mappings():
            for text in _texts(row):
                for name in in_text(text, values):
                    places.setdefault(table, set()).add(name)
    return places


def in_files(folder: Path, values: Mapping[str, str]) -> dict[str, set[str]]:
    """Where which value is found, by file."""
    texts = {path: path.read_bytes().decode("utf-8", "replace") for path in sorted(folder.rglob("*")) if path.is_file()}
    return {str(path.relative_to(folder)): names for path, text in texts.items() if (names := in_text(text, values))}


def in_text(text: str, values: Mapping[str, str]) -> set[str]:
    """The names of the values that stand in a text, in whatever case."""
    lowered = text.lower()
    return {name for name, value in values.items() if value.lower() in lowered}


def _texts(row: Mapping[str, object]) -> Iterator[str]:
    yield str(row["whole_row"])
    for value in row.values():
        if isinstance(value, bytes | memoryview):
            content = bytes(value)
            yield content.decode("utf-8", "replace")
            try:
                yield (
                    zstandard.ZstdDecompressor().decompress(content, max_output_size=1 << 20).decode("utf-8", "replace")
                )
            except zstandard.ZstdError:
                continue
