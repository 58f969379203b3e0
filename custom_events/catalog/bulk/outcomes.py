"""What became of the rows of a bulk change."""

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from custom_events.errors import Fault, InvalidConfiguration, NeedsAction, NotFound
from custom_events.matching.effective import SETTINGS


class Word(StrEnum):
    """What became of a row: an assignment was made, something was changed, all was so already, or nothing could be done."""

    MADE = "made"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    FAILED = "failed"


class RowError(msgspec.Struct, frozen=True, kw_only=True):
    """A value because of which nothing could be done: where it stands in what was asked, what is wrong, what would be right."""

    field: str
    problem: str
    remedy: str


class RowOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one row, or would. `place`: where it stands in what was asked; `assignment_id` null: of one that is made by a dry
    run, or was not found; `changes`: what differs, path by path; `sentence`: why nothing was done."""

    number: int
    place: str
    action: str
    outcome: Word
    site_id: int | None = None
    assignment_id: int | None = None
    definition_key: str | None = None
    label: str | None = None
    changes: tuple[str, ...] = ()
    sentence: str = ""
    errors: tuple[RowError, ...] = ()


class RowCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Rows by what became of them."""

    made: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0


class BulkResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a bulk change, row by row. `bulk_change_id` null: a dry run, of which nothing is kept; `is_applied`: whether what the
    rows say was done stands; `rows_asked` is more than there are `rows` where it was ended before."""

    bulk_change_id: int | None
    is_dry_run: bool
    is_applied: bool
    all_or_nothing: bool
    rows_asked: int
    counts: RowCounts
    rows: tuple[RowOutcome, ...]


class AssignmentState(msgspec.Struct, frozen=True, kw_only=True):
    """An assignment at a moment: revisions by number, and the overrides of the published one and of the newest."""

    is_active: bool
    published_number: int | None
    newest_number: int
    published: dict[str, Any] | None
    newest: dict[str, Any]
    is_draft: bool  # the newest

    @property
    def pending(self) -> dict[str, Any] | None:
        """The overrides that would apply once the newest revision were published; None: nothing else than what applies."""
        return self.newest if self.is_draft and self.newest != self.published else None

    def means(self, other: "AssignmentState | None") -> bool:
        """Whether the same applies and is drafted, by whatever revisions."""
        if other is None:
            return False
        return (self.is_active, self.published, self.pending) == (other.is_active, other.published, other.pending)


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """An assignment that a row touched. None: it was not there, or is not there any more."""

    assignment_id: int
    site_id: int
    before: AssignmentState | None
    after: AssignmentState | None


class DoneRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is done: what people are told, and what undoing needs."""

    outcome: RowOutcome
    touched: tuple[Touched, ...] = ()


class RowsFailedError(InvalidConfiguration):
    """All or nothing was asked for, and rows failed: `rows` are the outcomes of all; nothing was changed."""

    def __init__(self, rows: Sequence[RowOutcome]) -> None:
        faults = tuple(Fault(error.field, error.problem, error.remedy) for row in rows for error in row.errors)
        failed = count_of(rows).failed
        super().__init__(f"{failed} of {len(rows)} rows cannot be done; nothing was changed", faults=faults)
        self.rows = tuple(rows)


def count_of(rows: Iterable[RowOutcome]) -> RowCounts:
    """The rows by what became of them."""
    counts = Counter(row.outcome for row in rows)
    return RowCounts(**{word.value: counts[word] for word in Word})


def errors_of(error: NeedsAction, place: str, below: str, site_id: int | None) -> tuple[RowError, ...]:
    """What a service says, by where it stands in what was asked: `below` has the settings of the row, `place` names its target."""
    where = f"on site {site_id}: " if site_id is not None else ""
    if isinstance(error, InvalidConfiguration):
        faults = [(fault.path, fault.wrong, fault.right) for fault in error.faults]
        if not faults:
            wrong, _, right = error.sentence.partition("; ")
            faults = [(error.path, wrong, right or "see the problem")]
        return tuple(
            RowError(field=_field(path, place, below), problem=f"{where}{wrong}", remedy=right)
            for path, wrong, right in faults
        )
    wrong, _, right = error.sentence.partition(": ")
    is_definition = isinstance(error, NotFound) and error.what == "definition"
    field = f"{below}.definition_key" if is_definition else place
    return (RowError(field=field, problem=wrong, remedy=right or "leave it out, or name another one"),)


def _field(path: str, place: str, below: str) -> str:
    first = path.partition(".")[0].partition("[")[0]
    if not first:
        return place
    return f"{below}.overrides.{path}" if first in (*SETTINGS, "also") else f"{below}.{path}"
