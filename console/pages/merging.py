"""Two people changed the same thing at once: what each of them did to its settings, and one whole made of both.

The law: what only one of them changed is taken as it is, what both changed alike is taken once, and where they differ somebody chooses.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

from custom_events.catalog import diff
from custom_events.catalog.diff import Change

TAKE: Final = "take."  # how fields begin that say whose setting is taken
THEIRS: Final = "theirs"
MINE: Final = "mine"

Side = Literal["theirs", "mine"]
Show = Callable[[str, Mapping[str, Any]], str]
_MISSING: Final[Any] = object()


class MergeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A setting that one of them changed, or both. `is_open`: both did, and differently; `take`: whose is taken unless somebody chooses;
    `base`, `theirs` and `mine` are in words, the changes path by path."""

    name: str
    is_open: bool
    take: Side
    base: str
    theirs: str
    mine: str
    their_changes: tuple[Change, ...]
    my_changes: tuple[Change, ...]


def merge_rows(
    base: Mapping[str, Any], theirs: Mapping[str, Any], mine: Mapping[str, Any], show: Show
) -> tuple[MergeRow, ...]:
    """What differs, setting by setting, in the order of the first that has it. `show(name, settings)` says a setting in words."""
    return tuple(
        MergeRow(
            name=name,
            is_open=_is_open(base, theirs, mine, name),
            take=_taken(base, mine, name),
            base=show(name, base),
            theirs=show(name, theirs),
            mine=show(name, mine),
            their_changes=_changes(base, theirs, name),
            my_changes=_changes(base, mine, name),
        )
        for name in _names(base, theirs, mine)
        if _changes(base, theirs, name) or _changes(base, mine, name)
    )


def merged(
    base: Mapping[str, Any], theirs: Mapping[str, Any], mine: Mapping[str, Any], form: Mapping[str, str]
) -> dict[str, Any]:
    """One whole: theirs, with what only I changed, and of what both changed what the form chooses (`take.priority`: mine or theirs)."""
    whole: dict[str, Any] = {}
    for name in _names(base, theirs, mine):
        side = _taken(base, mine, name)
        if _is_open(base, theirs, mine, name) and form.get(f"{TAKE}{name}") in (THEIRS, MINE):
            side = THEIRS if form[f"{TAKE}{name}"] == THEIRS else MINE
        source = mine if side == MINE else theirs
        if name in source:
            whole[name] = source[name]
    return whole


def _names(*sides: Mapping[str, Any]) -> Iterable[str]:
    return dict.fromkeys(name for side in sides for name in side)


def _changes(old: Mapping[str, Any], new: Mapping[str, Any], name: str) -> tuple[Change, ...]:
    return diff.changes(_only(old, name), _only(new, name))


def _only(side: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = side.get(name, _MISSING)
    return {} if value is _MISSING else {name: value}


def _taken(base: Mapping[str, Any], mine: Mapping[str, Any], name: str) -> Side:
    return MINE if _changes(base, mine, name) else THEIRS


def _is_open(base: Mapping[str, Any], theirs: Mapping[str, Any], mine: Mapping[str, Any], name: str) -> bool:
    return bool(_changes(base, theirs, name) and _changes(base, mine, name) and _changes(theirs, mine, name))
