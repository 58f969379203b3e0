"""Fields that a rule names and that were not kept when what is stored arrived: a backtest takes them for missing, and says so."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from custom_events.pipeline.bulk_rows import Connection
from custom_events.pipeline.kept_fields import is_kept_by_name
from custom_events.queries import history as sql
from custom_events.values.definitions import Assignment


def named_fields(assignments: Iterable[Assignment]) -> frozenset[str]:
    """The fields, among those that are kept by name alone, which these rules name."""
    return frozenset(
        name
        for assignment in assignments
        for name in _fields_in(msgspec.to_builtins(assignment.config))
        if is_kept_by_name(name)
    )


async def notes(connection: Connection, assignments: Iterable[Assignment], since: datetime) -> list[str]:
    """A sentence for each field that nobody named when the period began."""
    names = named_fields(assignments)
    if not names:
        return []
    rows = await connection.fetch(sql.NAMED_SINCE, sorted(names))
    kept_since: dict[str, datetime] = {row[0]: row[1] for row in rows}
    sentences: list[str] = []
    for name in sorted(names):
        begins = kept_since.get(name)
        if begins is None:
            sentences.append(
                f"{name} was not kept before: no published rule named it. Where stored events lack it, it counts as missing; "
                "once the rule is published, a replay takes it from bodies that are still there."
            )
        elif begins > since:
            sentences.append(
                f"{name} was not kept before {begins.astimezone(UTC):%Y-%m-%d}, when a published rule first named it. "
                "Where stored events lack it, it counts as missing."
            )
    return sentences


def _fields_in(value: Any) -> Iterator[str]:
    """Whatever stands as "field" anywhere in a rule."""
    if isinstance(value, dict):
        name = value.get("field")
        if isinstance(name, str):
            yield name
        for inner in value.values():
            yield from _fields_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _fields_in(inner)
