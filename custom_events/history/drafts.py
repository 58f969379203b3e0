"""Which rule is asked about: a draft of a definition, of an assignment, of both, or what is published."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from custom_events.catalog.configurations import read_config, read_overrides, stored_config, stored_overrides
from custom_events.errors import NeedsAction, NotFound
from custom_events.pipeline.bulk_rows import Connection
from custom_events.queries import history as sql
from custom_events.values.definitions import DefinitionConfig, Overrides
from custom_events.values.numbers import MAX_ID

NOT_STORED: Final = 0  # stands for the revision of what was given as a file or in code
NEW_DEFINITION: Final = -1  # stands for a definition that is given and nowhere stored
NEW_KEY: Final = "(draft)"


class Draft(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What would apply instead of what is published. Everything None: the published rules as they are.

    Of a named definition or assignment the revision of the given number is meant, without one the newest, in whatever state.
    `config` and `overrides` stand in for a stored revision; a `config` without `definition` is a definition of its own. `stopped`:
    nothing of the named definition or assignment applies, as if it were paused or retired.
    """

    definition: str | None = None  # key
    definition_number: int | None = None
    config: DefinitionConfig | None = None
    assignment: int | None = None
    assignment_number: int | None = None
    overrides: Overrides | None = None
    stopped: bool = False


PUBLISHED: Final = Draft()


class DraftedDefinition(NamedTuple):
    """A definition as the draft has it."""

    id: int
    revision_id: int
    key: str
    config: DefinitionConfig
    number: int


class DraftedAssignment(NamedTuple):
    """An assignment's overrides as the draft has them."""

    id: int
    site_id: int
    revision_id: int
    overrides: Overrides
    number: int


async def drafted_definition(connection: Connection, draft: Draft) -> DraftedDefinition | None:
    """The definition that the draft is about. Raises NotFound, NeedsAction for a contradiction, InvalidConfiguration for one that
    cannot be used."""
    if draft.stopped:
        _check_stopped(draft)
    if draft.definition is None:
        if draft.config is None:
            return None
        return DraftedDefinition(NEW_DEFINITION, NOT_STORED, NEW_KEY, read_config(draft.config), NOT_STORED)
    rows = await definition_revisions(connection, draft.definition)
    owner, key = rows[0][:2]
    if draft.config is not None:
        return DraftedDefinition(owner, NOT_STORED, key, read_config(draft.config), NOT_STORED)
    revision, number, payload = _chosen(rows, draft.definition_number, f'definition "{key}"')
    return DraftedDefinition(owner, revision, key, stored_config(payload), number)


async def drafted_assignment(connection: Connection, draft: Draft) -> DraftedAssignment | None:
    """The assignment that the draft is about. Raises as `drafted_definition` does."""
    if draft.assignment is None:
        if draft.overrides is not None:
            raise NeedsAction("Overrides belong to an assignment: name the one that they are for.")
        return None
    rows = await assignment_revisions(connection, draft.assignment)
    site_id = rows[0][1]
    if draft.overrides is not None:
        return DraftedAssignment(draft.assignment, site_id, NOT_STORED, read_overrides(draft.overrides), NOT_STORED)
    revision, number, payload = _chosen(rows, draft.assignment_number, f"assignment {draft.assignment}")
    return DraftedAssignment(draft.assignment, site_id, revision, stored_overrides(payload), number)


async def definition_revisions(connection: Connection, key: str) -> Sequence[Any]:
    """Rows of DEFINITION_REVISIONS. Raises NotFound, naming the definitions that there are."""
    rows: Sequence[Any] = await connection.fetch(sql.DEFINITION_REVISIONS, key)
    if not rows:
        known = [row[0] for row in await connection.fetch(sql.DEFINITION_KEYS)]
        raise NotFound(f'There is no definition "{key}". There are: {", ".join(known) or "none"}.', what="definition")
    return rows


async def assignment_revisions(connection: Connection, assignment_id: int) -> Sequence[Any]:
    """Rows of ASSIGNMENT_REVISIONS. Raises NotFound, saying where assignments are listed."""
    is_id = 0 < assignment_id <= MAX_ID
    rows: Sequence[Any] = await connection.fetch(sql.ASSIGNMENT_REVISIONS, assignment_id) if is_id else ()
    if not rows:
        raise NotFound(
            f"There is no assignment {assignment_id}: `custom-events backtest --definition KEY --json` lists those of a "
            "definition.",
            what="assignment",
        )
    return rows


def _check_stopped(draft: Draft) -> None:
    """What stops is stored, and has no settings."""
    if (draft.definition is None) == (draft.assignment is None):
        raise NeedsAction("Name what stops: a definition, on every site that has it, or one assignment.")
    settings = (draft.definition_number, draft.config, draft.assignment_number, draft.overrides)
    if any(setting is not None for setting in settings):
        raise NeedsAction(
            "What stops has neither a revision nor settings: name the definition or the assignment alone."
        )


def _chosen(rows: Sequence[Any], number: int | None, name: str) -> tuple[int, int, dict[str, Any]]:
    """(revision, number, payload) of the revision of this number, else of the newest. `rows` are newest first."""
    fitting = [row for row in rows if row[3] is not None and number in (None, row[3])]
    if not fitting:
        newest = rows[0][3]
        have = f"it has 1 to {newest}" if newest is not None else "it has none"
        raise NotFound(f"{name} has no revision {1 if number is None else number}; {have}.", what="revision")
    return fitting[0][2], fitting[0][3], msgspec.json.decode(fitting[0][5])
