"""The schema page equals the tables, and the database equals both."""

from pathlib import Path

import sqlalchemy as sa

from custom_events.tables import schema_page
from custom_events.tables.references import UNENFORCED
from custom_events.tables.registry import MODULES, TABLES

ROOT = Path(__file__).resolve().parents[2]
LIVE = """
SELECT c.relname, obj_description(c.oid, 'pg_class'), a.attname, col_description(c.oid, a.attnum),
       format_type(a.atttypid, a.atttypmod)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace IN ('landing'::regnamespace, 'app'::regnamespace) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY c.relname, a.attnum
"""


def test_page_is_up_to_date() -> None:
    assert (ROOT / schema_page.PAGE).read_text(encoding="utf-8") == schema_page.render(), "run `make docs`"


def test_every_table_and_column_is_on_the_page_with_its_meaning() -> None:
    text = schema_page.render()
    for table in TABLES:
        assert f"### {table.fullname}\n\n{table.comment}\n" in text
        for column in table.columns:
            assert column.comment
            assert column.comment.endswith("."), (table.name, column.name, "a sentence ends with a full stop")
            assert f"| {column.name} | " in text
    assert sum(text.count(f"### {table.fullname}\n") for table in TABLES) == len(TABLES)
    assert len(MODULES) == text.count("\n## ") - 1


def test_database_has_the_tables_columns_and_comments_of_the_page(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        live = [tuple(row)[:4] for row in connection.execute(sa.text(LIVE))]
    expected = [
        (table.name, table.comment, column.name, column.comment)
        for table in sorted(TABLES, key=lambda table: table.name)
        for column in table.columns
    ]
    assert live == expected


def test_references_by_value_are_no_foreign_keys_and_fit_in_type() -> None:
    for reference in UNENFORCED:
        column = reference.table.c[reference.column]
        assert not column.foreign_keys
        assert type(column.type) is type(reference.target.c[reference.target_column].type)


def test_every_column_that_looks_like_a_reference_is_one() -> None:
    """A new `..._id` of ours is either a foreign key or listed; ids of others (Google, stores) are text."""
    listed = {(reference.table.name, reference.column) for reference in UNENFORCED}
    keys_only = {"event_keys", "custom_event_keys", "upload_keys", "raw_queue", "raw_outcomes", "receipts"}
    for table in TABLES:
        for column in table.columns:
            ours = column.name.endswith("_id") and isinstance(column.type, sa.BigInteger) and column.name != "job_id"
            if ours and not column.foreign_keys and (table.name, column.name) not in listed:
                assert table.name in keys_only or column.name in {"site_id", "assignment_id"}, (table.name, column.name)
