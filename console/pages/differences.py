"""What differs between two revisions, setting by setting, in sentences: of conditions each that came, went or became another one."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from console.pages import definition_words, formats, words
from console.pages.translations import N_, translated
from custom_events.catalog import diff
from custom_events.conditions.render import render
from custom_events.errors import InvalidConfiguration
from custom_events.matching.effective import SETTINGS

INHERITED: Final = "inherited"
TREES: Final = ("conditions", "also")
_ORDER: Final = {name: place for place, name in enumerate((*SETTINGS, "also"))}
_STEP: Final = re.compile(r"\[(\d+)\]|(\w+)")
_ENOUGH: Final = N_("one of several of which any is enough")
_NEGATED: Final = "negated"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A setting that differs, or one condition of it. `note`: where in a tree the condition stands; `old` and `new` in words, None where there
    was or is nothing."""

    name: str
    old: str | None
    new: str | None
    note: str = ""


def of_definitions(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Between two configurations of a definition, as revisions keep them. `old` None: nothing applied."""
    return tuple(_differences(old, new, _config_words))


def of_overrides(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Between two revisions of an assignment: what is not overridden is inherited. `old` None: nothing applied."""
    return tuple(_differences(old, new, _override_words))


def of_conditions(name: str, old: object, new: object) -> Iterator[Difference]:
    """Between two trees: conditions that came, went, or became another one; both as a whole where one is none."""
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        yield Difference(name=name, old=render(old), new=render(new))
        return
    paths = set[tuple[str | int, ...]]()
    for change in diff.changes(old, new):
        path, note, is_whole = _condition_at(change.path, old, new)
        if path not in paths:
            paths.add(path)
            # Where one came or went, what stands at its place in the other tree is another one.
            before = None if is_whole and change.old is msgspec.UNSET else _at(old, path)
            after = None if is_whole and change.new is msgspec.UNSET else _at(new, path)
            yield Difference(
                name=name,
                old=None if before is None else render(before),
                new=None if after is None else render(after),
                note=note,
            )


def _differences(
    old: Mapping[str, Any] | None, new: Mapping[str, Any], say: Callable[[str, Mapping[str, Any]], str]
) -> Iterator[Difference]:
    before = old or {}
    for name in sorted({*before, *new}, key=lambda name: (_ORDER.get(name, len(_ORDER)), name)):
        if name in before and name in new and not diff.changes(before[name], new[name]):
            continue
        title = words.setting_name(name)
        if name in TREES and name in before and name in new:
            yield from of_conditions(title, before[name], new[name])
        else:
            was, now = say(name, before), say(name, new)
            if old is None or was != now:
                yield Difference(name=title, old=None if old is None else was, new=now)


def _config_words(name: str, config: Mapping[str, Any]) -> str:
    try:
        return definition_words.setting_in_words(name, config)
    except (AttributeError, InvalidConfiguration):  # of another version
        return formats.plain(config.get(name))


def _override_words(name: str, overrides: Mapping[str, Any]) -> str:
    if name not in overrides:
        return INHERITED
    if name in TREES:
        return render(overrides[name])
    return _config_words(name, {name: overrides[name]})


def _condition_at(path: str, old: Any, new: Any) -> tuple[tuple[str | int, ...], str, bool]:
    """The innermost condition that holds what differs at a path of both trees, where it stands, and whether it differs as a whole. What is
    asked of items is one condition: its parts say nothing without it."""
    steps: list[str | int] = [int(number) if number else word for number, word in _STEP.findall(path)]
    taken, note = (), ""
    while steps:
        before, after = _at(old, taken), _at(new, taken)
        if not isinstance(before, Mapping) or not isinstance(after, Mapping):
            break
        group = steps[0]
        if (
            group in ("all", "any")
            and len(steps) > 1
            and isinstance(before.get(group), list)
            and isinstance(after.get(group), list)
        ):
            taken, steps = (*taken, group, steps[1]), steps[2:]
            note = translated(_ENOUGH) if group == "any" else note
        elif group == "not" and group in before and group in after:
            taken, steps, note = (*taken, group), steps[1:], _NEGATED
        else:
            break
    return taken, note, not steps


def _at(tree: Any, path: tuple[str | int, ...]) -> Any:
    """What stands there; None: nothing."""
    node = tree
    for step in path:
        try:
            node = node[step]
        except (KeyError, IndexError):
            return None
    return node
