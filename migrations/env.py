"""Alembic's entry: runs on the connection that custom_events/postgres/migrate.py gives it."""

import re
from typing import Any

from alembic import context

from custom_events.postgres import address, connect
from custom_events.settings import settings
from custom_events.tables.base import APP, LANDING
from custom_events.tables.registry import METADATA, PARTITIONED

OURS = {LANDING, APP}
PARTITION = re.compile(r"_(default|\d{4}w\d\d|\d{4}m\d\d)$")
PARENTS = {(kind.table.schema, kind.table.name) for kind in PARTITIONED}


def include_name(name: str | None, kind: str, parents: Any) -> bool:
    """dbt's and Dagster's schemas are not ours to compare, and partitions follow their parent."""
    if kind == "schema":
        return name in OURS
    if kind == "table" and name is not None and PARTITION.search(name):
        return (parents["schema_name"], PARTITION.sub("", name)) not in PARENTS
    return True


def migrate(connection: Any) -> None:
    """One transaction; the caller's, where there is one."""
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        include_schemas=True,
        include_name=include_name,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:  # the `alembic` command, for writing new revisions
    with address.database(settings()) as url:
        engine = connect.engine(url, name="alembic")
        with engine.begin() as own:
            migrate(own)
        engine.dispose()
