"""Long operations and bulk changes that have ended, without anybody having done them."""

import sqlalchemy as sa

from custom_events.access.roles import Role
from custom_events.catalog.audit import Origin
from custom_events.catalog.bulk import changes
from custom_events.catalog.bulk.outcomes import DoneRow, RowOutcome, Word
from custom_events.catalog.bulk.requests import PreparedChange, PreparedRow, RowSettings
from custom_events.operations import operation
from custom_events.queries import operations as queries


def ended_operation(connection: sa.Connection, site_id: int, name: str) -> int:
    """The id of a backtest of this site that succeeded; whoever asked for it is called so."""
    made = operation.ask(
        connection,
        "backtest",
        {"reason": name},
        role=Role.VIEWER,
        site_ids=[site_id],
        actor=name,
        origin=Origin(source="api"),
    )
    statement = "UPDATE app.operations SET state = 'succeeded', result_type = 'application/json', ended_at = now() WHERE id = :id"
    connection.execute(sa.text(statement), {"id": made.id})
    queries.add_part(connection, made.id, 0, f'{{"sites": ["{name}"]}}'.encode())
    return made.id


def kept_bulk_change(connection: sa.Connection, site_id: int, name: str) -> int:
    """The id of a bulk change of this site that changed nothing; whoever asked for it is called so, and why."""
    prepared = PreparedChange(
        settings=(RowSettings(action="enable", place="actions[0]"),),
        rows=(PreparedRow(place="actions[0].assignments", settings=0, site_id=site_id),),
        all_or_nothing=True,
        is_dry_run=False,
        reason=name,
        site_ids=(site_id,),
    )
    made = changes.begin(connection, prepared, name)
    outcome = RowOutcome(number=0, place=name, action="enable", outcome=Word.UNCHANGED, site_id=site_id, label=name)
    changes.keep_rows(connection, made, [DoneRow(outcome=outcome)])
    return made
