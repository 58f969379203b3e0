"""Rows that refer to nothing, where no foreign key watches (decision 0005). Reads whole tables: for tests and the doctor."""

import sqlalchemy as sa

from custom_events.tables.references import UNENFORCED


def orphans(connection: sa.Connection) -> dict[str, int]:
    """Number of rows by `schema.table.column`, only where there are any.

    A row whose target expired by retention counts as well: on old data this says nothing.
    """
    found: dict[str, int] = {}
    for reference in UNENFORCED:
        value = reference.table.c[reference.column]
        target = reference.target.alias("target")
        same = target.c[reference.target_column] == value
        if reference.target_column != "id":  # ids of a store are unique within its site only
            same &= target.c.site_id == reference.table.c.site_id
        missing = sa.select(sa.func.count()).where(value.is_not(None), ~sa.exists().where(same))
        if count := connection.execute(missing.select_from(reference.table)).scalar_one():
            found[f"{reference.table.fullname}.{reference.column}"] = count
    return found
