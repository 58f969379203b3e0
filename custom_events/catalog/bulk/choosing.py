"""From actions to rows: filters become the sites and assignments that they find, among those that may be seen."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from custom_events.catalog import assignment_lists, assignments, sites
from custom_events.catalog.bulk.outcomes import RowError
from custom_events.catalog.bulk.requests import (
    MOST_ROWS,
    Action,
    Allowed,
    AssignmentFilter,
    BulkAction,
    PreparedChange,
    PreparedRow,
    RowSettings,
    SiteFilter,
    action_errors,
)
from custom_events.catalog.configurations import to_plain
from custom_events.errors import Fault, InvalidConfiguration
from custom_events.values.texts import text_problem


def prepare(
    connection: sa.Connection,
    actions: Sequence[BulkAction],
    allowed: Allowed,
    *,
    all_or_nothing: bool,
    is_dry_run: bool,
    reason: str,
) -> PreparedChange:
    """The rows of these actions, in their order. Raises InvalidConfiguration for all that is wrong with them, and for too many rows.

    What is named and is not there, or may not be seen, is a row that fails.
    """
    refuse([*action_errors(actions), *text_errors("reason", reason)])
    settings = tuple(_settings(action, f"actions[{place}]") for place, action in enumerate(actions))
    rows: list[PreparedRow] = []
    for number, action in enumerate(actions):
        for row in _rows(connection, number, action, allowed):
            rows.append(row)
            if len(rows) > MOST_ROWS:
                raise too_many_rows()
    if not rows:
        raise _refused(RowError(field="actions", problem="nothing was found", remedy="name or filter for others"))
    return PreparedChange(
        settings=settings,
        rows=tuple(rows),
        all_or_nothing=all_or_nothing,
        is_dry_run=is_dry_run,
        reason=reason,
        site_ids=seen_sites(connection, rows, allowed, settings),
    )


def seen_sites(
    connection: sa.Connection, rows: Sequence[PreparedRow], allowed: Allowed, settings: Sequence[RowSettings]
) -> tuple[int, ...]:
    """The sites of rows that are there and may be seen."""
    asked = {row.site_id for row in rows} | {row_settings.to_site_id for row_settings in settings}
    named = {site_id for site_id in asked if site_id is not None and allowed.may("viewer", site_id)}
    return tuple(sorted(site.id for site in sites.search(connection, only=named, sort="id", limit=len(named) + 1)))


def too_many_rows() -> InvalidConfiguration:
    """More rows than one bulk change takes."""
    return _refused(
        RowError(field="actions", problem=f"more than {MOST_ROWS} rows", remedy="ask in parts, or narrow the filter")
    )


def refuse(errors: Sequence[RowError]) -> None:
    """Raise InvalidConfiguration with all of these, if there are any."""
    if errors:
        raise _refused(*errors)


def text_errors(name: str, text: str) -> Iterator[RowError]:
    """A text that no database keeps."""
    if (wrong := text_problem(text)) is not None:
        yield RowError(field=name, problem=wrong, remedy="remove it")


def _refused(*errors: RowError) -> InvalidConfiguration:
    faults = tuple(Fault(error.field, error.problem, error.remedy) for error in errors)
    return InvalidConfiguration(f"{faults[0].wrong}; {faults[0].right}", path=faults[0].path, faults=faults)


def _settings(action: BulkAction, place: str) -> RowSettings:
    return RowSettings(
        action=action.action.value,
        place=place,
        definition_key=action.definition_key or "",
        label=action.label or "",
        overrides=to_plain(action.overrides) if action.overrides is not None else None,
        inherit=action.inherit,
        to_site_id=action.to_site_id,
        publish=action.publish,
    )


def _rows(connection: sa.Connection, number: int, action: BulkAction, allowed: Allowed) -> Iterator[PreparedRow]:
    place = f"actions[{number}]"
    if action.action is Action.COPY:
        yield from _copies(connection, number, action, allowed)
        return
    if action.action is Action.ASSIGN:
        for where, site_id in _chosen_sites(connection, action, place, allowed):
            yield PreparedRow(place=where, settings=number, site_id=site_id)
        return
    for where, assignment_id, site_id in _chosen_assignments(connection, action, place, allowed):
        yield PreparedRow(place=where, settings=number, site_id=site_id, assignment_id=assignment_id)


def _copies(connection: sa.Connection, number: int, action: BulkAction, allowed: Allowed) -> Iterator[PreparedRow]:
    """A row for each assignment of the source and each target; one row that fails where the source cannot be seen or has none."""
    place, source = f"actions[{number}]", action.from_site_id or 0
    copied = assignments.of_site(connection, source) if allowed.may("viewer", source) else []
    if not copied:
        yield PreparedRow(place=f"{place}.from_site_id", settings=number, site_id=source)
        return
    for where, site_id in _chosen_sites(connection, action, place, allowed):
        if site_id != source:
            for original in copied:
                yield PreparedRow(place=where, settings=number, site_id=site_id, source_id=original.id)


def _chosen_sites(
    connection: sa.Connection, action: BulkAction, place: str, allowed: Allowed
) -> Iterator[tuple[str, int]]:
    if action.site_ids is not None:
        yield from ((f"{place}.site_ids[{at}]", site_id) for at, site_id in enumerate(action.site_ids))
        return
    wanted = action.sites or SiteFilter()
    matching = sites.search(
        connection,
        text=_searched(wanted.search, f"{place}.sites.search"),
        platform=wanted.platform,
        state=wanted.state,
        only=allowed.viewer,
        sort="id",
        limit=MOST_ROWS + 1,
    )
    yield from ((f"{place}.sites", site.id) for site in matching)


def _chosen_assignments(
    connection: sa.Connection, action: BulkAction, place: str, allowed: Allowed
) -> Iterator[tuple[str, int, int | None]]:
    """Where it stands, the assignment and its site; None: it is not there, or may not be seen."""
    if action.assignment_ids is not None:
        known = assignments.sites_of(connection, action.assignment_ids)
        for at, assignment_id in enumerate(action.assignment_ids):
            site_id = known.get(assignment_id)
            seen = site_id if site_id is not None and allowed.may("viewer", site_id) else None
            yield f"{place}.assignment_ids[{at}]", assignment_id, seen
        return
    wanted = action.assignments or AssignmentFilter()
    matching = assignment_lists.search(
        connection,
        text=_searched(wanted.search, f"{place}.assignments.search"),
        site_id=wanted.site_id,
        definition_key=wanted.definition_key,
        label=wanted.label,
        active=wanted.active,
        has_overrides=wanted.has_overrides,
        only=allowed.viewer,
        limit=MOST_ROWS + 1,
    )
    yield from ((f"{place}.assignments", chosen.id, chosen.site_id) for chosen in matching)


def _searched(text: str | None, path: str) -> str | None:
    refuse(list(text_errors(path, text or "")))
    return text
