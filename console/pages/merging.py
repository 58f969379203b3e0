"""Two people changed the same thing at once: what each of them did to its settings, and one whole made of both.

The law: what only one of them changed is taken as it is, what both changed alike is taken once, and where they differ somebody chooses.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

from console.pages.differences import TREES, Difference, of_conditions
from custom_events.catalog import diff

TAKE: Final = "take."  # how fields begin that say whose setting is taken
THEIRS: Final = "theirs"
MINE: Final = "mine"

Side = Literal["theirs", "mine"]
Show = Callable[[str, Mapping[str, Any]], str]
_MISSING: Final[Any] = object()


class MergeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A setting that one of them changed, or both. `is_open`: both did, and differently; `take`: whose is taken unless somebody chooses;
    `base`, `theirs` and `mine` are in words; details: of conditions, which of them differ."""

    name: str
    is_open: bool
    take: Side
    base: str
    theirs: str
    mine: str
    they_changed: bool
    i_changed: bool
    their_details: tuple[Difference, ...] = ()
    my_details: tuple[Difference, ...] = ()


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
            they_changed=bool(_changes(base, theirs, name)),
            i_changed=bool(_changes(base, mine, name)),
            their_details=_details(base, theirs, name),
            my_details=_details(base, mine, name),
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


def _changes(old: Mapping[str, Any], new: Mapping[str, Any], name: str) -> tuple[diff.Change, ...]:
    return diff.changes(_only(old, name), _only(new, name))


def _details(old: Mapping[str, Any], new: Mapping[str, Any], name: str) -> tuple[Difference, ...]:
    is_tree = name in TREES and isinstance(old.get(name), Mapping) and isinstance(new.get(name), Mapping)
    return tuple(of_conditions(name, old[name], new[name])) if is_tree else ()


def _only(side: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = side.get(name, _MISSING)
    return {} if value is _MISSING else {name: value}


def _taken(base: Mapping[str, Any], mine: Mapping[str, Any], name: str) -> Side:
    return MINE if _changes(base, mine, name) else THEIRS


def _is_open(base: Mapping[str, Any], theirs: Mapping[str, Any], mine: Mapping[str, Any], name: str) -> bool:
    return bool(_changes(base, theirs, name) and _changes(base, mine, name) and _changes(theirs, mine, name))
