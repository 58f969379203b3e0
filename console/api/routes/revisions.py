"""What the revisions of definitions and of assignments have in common as the API shows them."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import Path, Query

from custom_events.catalog import revisions
from custom_events.catalog.revisions import Difference
from custom_events.values.definitions import DefinitionConfig, Overrides
from custom_events.values.events import EventType

LAST_NUMBER: Final = 2**31 - 1  # what the column holds

Number = Annotated[int, Path(ge=1, le=LAST_NUMBER, description="A revision's number, from 1.")]
State = Annotated[Literal["draft", "published", "retired"] | None, Query(description="Only those in this state.")]
Old = Annotated[
    int | None, Query(ge=1, le=LAST_NUMBER, description="From this revision; left out, from the one that applies.")
]
New = Annotated[int | None, Query(ge=1, le=LAST_NUMBER, description="To this revision; left out, to the newest.")]


class _Revision(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    state: Literal["draft", "published", "retired"]
    author: str
    reason: str
    published_by: str | None
    published_at: datetime | None
    retired_at: datetime | None
    created_at: datetime


class DefinitionRevision(_Revision, frozen=True, kw_only=True):
    """A definition's settings as somebody wrote them once; they never change. Settings that are left out have their default."""

    config: DefinitionConfig


class AssignmentRevision(_Revision, frozen=True, kw_only=True):
    """An assignment's overrides as somebody wrote them once; they never change. Settings that are left out are inherited."""

    overrides: Overrides


class SettingChange(msgspec.Struct, frozen=True, kw_only=True):
    """One path that differs. `old` or `new` is left out where the path is not there on that side; `line` says it in words."""

    path: str
    line: str
    old: Any = msgspec.UNSET
    new: Any = msgspec.UNSET


class RevisionDifference(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between two revisions, by number; `old` null: nothing applied. `lines` are the words of `config plan`."""

    old: int | None
    new: int | None
    lines: tuple[str, ...]
    changes: tuple[SettingChange, ...]


class NewDefinitionRevision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A draft. `expected`: the number of the newest revision when the work on it began."""

    config: DefinitionConfig
    expected: int
    reason: str = ""


class NewAssignmentRevision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A draft. `expected`: the number of the newest revision when the work on it began."""

    overrides: Overrides
    expected: int
    reason: str = ""


NOON: Final = datetime(2026, 11, 30, 12, tzinfo=UTC)
CONFIG: Final = DefinitionConfig(trigger=(EventType.ORDER_PAID,), priority=1)
_EXAMPLE: Final[dict[str, Any]] = {
    "number": 2,
    "state": "draft",
    "author": "ana@example.org",
    "reason": "goes before the others",
    "published_by": None,
    "published_at": None,
    "retired_at": None,
    "created_at": NOON,
}
DEFINITION_EXAMPLE: Final = DefinitionRevision(**_EXAMPLE, config=CONFIG)
ASSIGNMENT_EXAMPLE: Final = AssignmentRevision(**_EXAMPLE, overrides=Overrides(priority=1))
DIFFERENCE_EXAMPLE: Final = RevisionDifference(
    old=1,
    new=2,
    lines=("priority: added 1",),
    changes=(SettingChange(path="priority", line="priority: added 1", new=1),),
)


def of_definition(revision: revisions.Revision) -> DefinitionRevision:
    """A definition's revision as the API shows it."""
    return msgspec.convert({**msgspec.structs.asdict(revision), "config": revision.payload}, DefinitionRevision)


def of_assignment(revision: revisions.Revision) -> AssignmentRevision:
    """An assignment's revision as the API shows it."""
    return msgspec.convert({**msgspec.structs.asdict(revision), "overrides": revision.payload}, AssignmentRevision)


def difference(compared: Difference) -> RevisionDifference:
    """A difference as the API shows it: in words, and path by path."""
    changes = tuple(
        SettingChange(path=change.path, line=str(change), old=change.old, new=change.new) for change in compared.changes
    )
    return RevisionDifference(
        old=compared.old, new=compared.new, lines=tuple(change.line for change in changes), changes=changes
    )
