#!/usr/bin/env bash
# duckdb 2.0.1: a column named `at` cannot be read by its bare name, while PostgreSQL takes the same SQL. `select at from t`, `order by at` and
# `max(at)` are syntax errors; of the first and the last the error points at the word AFTER it ("from", ")"), so one looks in the wrong place; `select t.at` is fine, and so
# is "at" in quotes. DuckDB's own list of keywords calls it neither reserved nor a keyword of columns, but one of types and functions. A model that
# moves from PostgreSQL quotes it, or says whose column it is.
# Seen: the three forms below raise a parser error, `select t.at` and `select "at"` give the row; duckdb_keywords() says type_function.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1
"$folder/venv/bin/python" - <<'PYTHON'
import duckdb

connection = duckdb.connect()
connection.execute('CREATE TABLE t ("at" TIMESTAMP)')
connection.execute("INSERT INTO t VALUES ('2026-11-30 10:00:00')")
for refused, blamed in (("select at from t", '"from"'), ("select max(at) from t", '")"'), ("select 1 from t order by at", '"at"')):
    try:
        connection.execute(refused)
    except duckdb.ParserException as error:
        sentence = str(error).splitlines()[0]
        print(f"{refused}: {sentence}")
        assert blamed in sentence, "the error points elsewhere now"
    else:
        raise AssertionError(f"{refused} is taken now")
for taken in ("select t.at from t", 'select "at" from t'):
    assert connection.execute(taken).fetchall(), taken
(category,) = connection.execute("select keyword_category from duckdb_keywords() where keyword_name = 'at'").fetchone()
print(f"duckdb {duckdb.__version__}: at is of the category {category}")
assert category == "type_function"
PYTHON
