"""The difference between two configurations, for people: which path, what it was, what it is now."""

from collections.abc import Iterator
from typing import Any

import msgspec

_MISSING: Any = object()
SHOWN_CHARACTERS = 120  # of a value in a line; whole trees are cut, the revision itself holds them


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One path that differs. UNSET on one side: the path does not exist there."""

    path: str
    old: Any = msgspec.UNSET
    new: Any = msgspec.UNSET

    def __str__(self) -> str:
        if self.old is msgspec.UNSET:
            return f"{self.path}: added {_shown(self.new)}"
        if self.new is msgspec.UNSET:
            return f"{self.path}: removed {_shown(self.old)}"
        return f"{self.path}: {_shown(self.old)} -> {_shown(self.new)}"


def changes(old: Any, new: Any) -> tuple[Change, ...]:
    """Every path at which two JSON values differ, in the order of the older one. Equal values: none.

    Lists are compared after taking away what they have in common at both ends, so that one inserted condition is one change.
    """
    return tuple(_walk("", old, new))


def lines(old: Any, new: Any) -> tuple[str, ...]:
    """`changes` as sentences: `value.factor: 1 -> 0.35`."""
    return tuple(str(change) for change in changes(old, new))


def _walk(path: str, old: Any, new: Any) -> Iterator[Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in [*old, *(name for name in new if name not in old)]:
            yield from _walk(f"{path}.{name}" if path else name, old.get(name, _MISSING), new.get(name, _MISSING))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lists(path, old, new)
    elif old is _MISSING:
        yield Change(path=path, new=new)
    elif new is _MISSING:
        yield Change(path=path, old=old)
    elif not _equal(old, new):
        yield Change(path=path, old=old, new=new)


def _lists(path: str, old: list[Any], new: list[Any]) -> Iterator[Change]:
    shorter = min(len(old), len(new))
    start = 0
    while start < shorter and _equal(old[start], new[start]):
        start += 1
    end = 0
    while end < shorter - start and _equal(old[-1 - end], new[-1 - end]):
        end += 1
    before, after = old[start : len(old) - end], new[start : len(new) - end]
    for offset in range(max(len(before), len(after))):
        yield from _walk(
            f"{path}[{start + offset}]",
            before[offset] if offset < len(before) else _MISSING,
            after[offset] if offset < len(after) else _MISSING,
        )


def _equal(old: Any, new: Any) -> bool:
    """JSON equality: true is not 1."""
    if isinstance(old, bool) != isinstance(new, bool):
        return False
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(_equal(old[name], new[name]) for name in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_equal, old, new))
    return old == new


def _shown(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
