"""What a bulk change asks for: actions, each on some sites or assignments, named one by one or chosen by a filter."""

from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec

from custom_events.catalog.bulk.outcomes import RowError
from custom_events.values.definitions import Overrides
from custom_events.values.deliveries import Platform
from custom_events.values.numbers import MAX_ID

MOST_ROWS: Final = 10_000  # of one bulk change: some minutes of work, and 30 MB of what became of them
MOST_ACTIONS: Final = 100  # of one bulk change


class Action(StrEnum):
    """What is done: a definition assigned to sites, overrides changed, assignments enabled, disabled, moved to another site, a site's whole
    set copied to others."""

    ASSIGN = "assign"
    CHANGE = "change"
    ENABLE = "enable"
    DISABLE = "disable"
    MOVE = "move"
    COPY = "copy"


class SiteFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Sites, as their list finds them: `search` a part of name, key or domain; `state` active, paused or removed."""

    search: str | None = None
    platform: Platform | None = None
    state: str | None = None


class AssignmentFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Assignments, as their list finds them: `search` a part of the label or of the definition's key."""

    search: str | None = None
    site_id: int | None = None
    definition_key: str | None = None
    label: str | None = None
    active: bool | None = None
    has_overrides: bool | None = None


class BulkAction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One action. `assign` and `copy` take `site_ids` or `sites`; the others `assignment_ids` or `assignments`. `assign` takes
    `definition_key`, `label` and `overrides`, too; `change` `overrides` and `inherit` (settings that are overridden no longer); `move`
    `to_site_id`; `copy` `from_site_id`. `publish`: what `assign`, `change` or `copy` writes applies at once; else it is a draft."""

    action: Action
    site_ids: tuple[int, ...] | None = None
    sites: SiteFilter | None = None
    assignment_ids: tuple[int, ...] | None = None
    assignments: AssignmentFilter | None = None
    definition_key: str | None = None
    label: str | None = None
    overrides: Overrides | None = None
    inherit: tuple[str, ...] = ()
    to_site_id: int | None = None
    from_site_id: int | None = None
    publish: bool = False


_CHOICE_OF_SITES: Final = ("site_ids", "sites")
_CHOICE_OF_ASSIGNMENTS: Final = ("assignment_ids", "assignments")
# For each action: how its targets are chosen, what else it must have, and what it may have.
_FIELDS: Final[dict[Action, tuple[tuple[str, str], tuple[str, ...], tuple[str, ...]]]] = {
    Action.ASSIGN: (_CHOICE_OF_SITES, ("definition_key", "label"), ("overrides", "publish")),
    Action.CHANGE: (_CHOICE_OF_ASSIGNMENTS, (), ("overrides", "inherit", "publish")),
    Action.ENABLE: (_CHOICE_OF_ASSIGNMENTS, (), ()),
    Action.DISABLE: (_CHOICE_OF_ASSIGNMENTS, (), ()),
    Action.MOVE: (_CHOICE_OF_ASSIGNMENTS, ("to_site_id",), ()),
    Action.COPY: (_CHOICE_OF_SITES, ("from_site_id",), ("publish",)),
}


def action_errors(actions: Sequence[BulkAction]) -> Iterator[RowError]:
    """Everything that is wrong with the shape of actions: what is missing, and what says nothing to its action."""
    if not 1 <= len(actions) <= MOST_ACTIONS:
        yield RowError(
            field="actions", problem=f"there are {len(actions)}", remedy=f"1 to {MOST_ACTIONS} actions at once"
        )
    for place, action in enumerate(actions):
        yield from _errors_of(action, f"actions[{place}]")


def _errors_of(action: BulkAction, place: str) -> Iterator[RowError]:
    choice, needed, possible = _FIELDS[action.action]
    named = [
        name for name in action.__struct_fields__ if name != "action" and getattr(action, name) not in (None, (), False)
    ]
    for name in named:
        if name not in (*choice, *needed, *possible):
            yield RowError(
                field=f"{place}.{name}",
                problem=f"it says nothing to the action {action.action}",
                remedy=f"leave it out; this action takes {', '.join((*choice, *needed, *possible))}",
            )
    for name in needed:
        if getattr(action, name) is None:
            yield RowError(
                field=f"{place}.{name}", problem="it is missing", remedy=f"the action {action.action} needs it"
            )
    chosen = [name for name in choice if getattr(action, name) is not None]
    if len(chosen) != 1:
        yield RowError(
            field=f"{place}.{choice[0]}",
            problem="it is missing" if not chosen else f"`{choice[1]}` is given, too",
            remedy=f"either {choice[0]}, a list of ids, or {choice[1]}, a filter",
        )
    yield from _id_errors(action, place)
    if action.sites is not None and action.sites.state not in (None, "active", "paused", "removed"):
        yield RowError(field=f"{place}.sites.state", problem="it is no state", remedy="one of active, paused, removed")


def _id_errors(action: BulkAction, place: str) -> Iterator[RowError]:
    """Numbers that are no ids."""
    named: dict[str, Collection[int | None]] = {
        "to_site_id": (action.to_site_id,),
        "from_site_id": (action.from_site_id,),
        "assignments.site_id": (action.assignments.site_id if action.assignments is not None else None,),
    }
    for name, values in (("site_ids", action.site_ids), ("assignment_ids", action.assignment_ids)):
        named |= {f"{name}[{number}]": (value,) for number, value in enumerate(values or ())}
    for name, (value,) in named.items():
        if value is not None and not 1 <= value <= MAX_ID:
            yield RowError(field=f"{place}.{name}", problem=f"{value} is no id", remedy="an id, from 1")


class RowSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the rows of one action, or of one line of a CSV file, have in common. `place`: where it stands in what was asked;
    `overrides` as plain JSON; `is_active` None: as it is."""

    action: str
    place: str
    definition_key: str = ""
    label: str = ""
    overrides: dict[str, Any] | None = None
    inherit: tuple[str, ...] = ()
    to_site_id: int | None = None
    publish: bool = False
    is_active: bool | None = None


class PreparedRow(msgspec.Struct, frozen=True, array_like=True):
    """One row. `settings`: its place among the change's; `source_id`: the assignment that is copied; `undone`: the row that is undone."""

    place: str
    settings: int
    site_id: int | None = None
    assignment_id: int | None = None
    source_id: int | None = None
    undone: int | None = None


class PreparedChange(msgspec.Struct, frozen=True, kw_only=True):
    """A bulk change, row by row: filters have become the ids that they found. `undoes`: the bulk change that is undone."""

    settings: tuple[RowSettings, ...]
    rows: tuple[PreparedRow, ...]
    all_or_nothing: bool
    is_dry_run: bool
    reason: str
    site_ids: tuple[int, ...]
    undoes: int | None = None


class Allowed(msgspec.Struct, frozen=True, kw_only=True):
    """The sites that whoever asks may see, edit and publish on; None: all of them."""

    viewer: frozenset[int] | None
    editor: frozenset[int] | None
    publisher: frozenset[int] | None

    def may(self, role: str, site_id: int) -> bool:
        """Whether they have this role on the site."""
        sites: frozenset[int] | None = getattr(self, role)
        return sites is None or site_id in sites
