"""What a plan changes, in parts that can be looked back at by themselves.

Assignments that change by one definition belong together, and so do those of a site that are, or were, in one group: who wins an
event follows from all of them. Looked at one by one, two that move into another group together would each seem to leave the other.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from custom_events.backtest.changed_rules import Change
from custom_events.catalog.files.checks import configs_of
from custom_events.catalog.files.documents import AssignmentEntry, Catalog
from custom_events.catalog.files.effects import Affected, applying
from custom_events.catalog.files.stored import Stored

MAX_NAMED_PARTS = 3  # of what is looked at together, in its name

Place = tuple[str, str, str]  # site key, definition and label


class Look(NamedTuple):
    """Changes to look back at together, and what they are called."""

    subject: str
    changes: tuple[Change, ...]


def looks(stored: Stored, after: Catalog, affected: Iterable[Affected]) -> Iterator[Look]:
    """Everything whose results may be otherwise. What stops makes nothing new, and what it made stays; so it matters only where
    others of its group fire instead of it."""
    entries = {place: entry for place, entry in _entries(after) if place[0] in stored.sites}
    before = dict(_entries(stored.catalog))
    ids = _ids(stored, entries)
    changed = {
        (change.site_key, *change.name): change for change in affected if (change.site_key, *change.name) in entries
    }
    by_definition = {
        place: place[1]
        for place in changed
        if before.get(place) == entries[place] and _definition_changes(stored, after, place[1])
    }
    for part in _parts(changed, by_definition):
        if any(changed[place].after is not None or _has_rivals(changed[place], stored, after) for place in part):
            yield Look(
                _subject(part, changed, by_definition),
                tuple(
                    Change(stored.sites[place[0]], ids[place], place[1], place[2], changed[place].after)
                    for place in part
                ),
            )


def _entries(catalog: Catalog) -> Iterator[tuple[Place, AssignmentEntry]]:
    for site_key, site in sorted(catalog.sites.items()):
        for entry in site.assignments:
            yield (site_key, *entry.name), entry


def _ids(stored: Stored, entries: Iterable[Place]) -> dict[Place, int]:
    """The ids of assignments; those that are to be made get negative ones, in the order in which they will be made."""
    made: Counter[str] = Counter()
    ids: dict[Place, int] = {}
    for place in entries:
        owner = stored.assignments.get(place)
        if owner is None:
            made["new"] -= 1
        ids[place] = owner.id if owner is not None else made["new"]
    return ids


def _definition_changes(stored: Stored, after: Catalog, key: str) -> bool:
    """Whether a definition has other settings, or begins or ceases to apply."""
    old, new = stored.catalog.definitions.get(key), after.definitions.get(key)
    is_published = (old is None or old.published, new is None or new.published)
    return configs_of(stored.catalog).get(key) != configs_of(after).get(key) or is_published[0] != is_published[1]


def _has_rivals(affected: Affected, stored: Stored, after: Catalog) -> bool:
    """Whether others are in the group that an assignment was in when it stopped."""
    if affected.before is None or affected.before.group is None:
        return False
    old = applying(stored.catalog, stored.catalog.sites[affected.site_key])
    new = applying(after, after.sites[affected.site_key])
    return any(
        affected.before.group in _groups(old.get(name), config) for name, config in new.items() if name != affected.name
    )


def _groups(*configs: object) -> set[str]:
    return {group for config in configs if (group := getattr(config, "group", None)) is not None}


def _parts(changed: Mapping[Place, Affected], by_definition: Mapping[Place, str]) -> list[list[Place]]:
    """The changes by what ties them together: a definition, or a group of a site."""
    root: dict[Place, Place] = {place: place for place in changed}

    def top(place: Place) -> Place:
        while root[place] != place:
            place = root[place]
        return place

    first: dict[tuple[str, ...], Place] = {}
    for place, affected in changed.items():
        ties = [("group", affected.site_key, group) for group in sorted(_groups(affected.before, affected.after))]
        ties += [("definition", by_definition[place])] if place in by_definition else []
        for tie in ties:
            root[top(place)] = top(first.setdefault(tie, place))
    parts: dict[Place, list[Place]] = {}
    for place in changed:
        parts.setdefault(top(place), []).append(place)
    return list(parts.values())


def _subject(part: list[Place], changed: Mapping[Place, Affected], by_definition: Mapping[Place, str]) -> str:
    numbers = Counter(by_definition[place] for place in part if place in by_definition)
    stops = {by_definition[place] for place in part if place in by_definition and changed[place].after is None}
    names = [
        f'definition "{key}" on {number} assignment{"" if number == 1 else "s"}{" (stops)" if key in stops else ""}'
        for key, number in sorted(numbers.items())
    ]
    for place in part:
        if place not in by_definition:
            stop = " (stops)" if changed[place].after is None else ""
            names.append(f'{place[0]}: "{place[1]}" labelled "{place[2]}"{stop}')
    more = f" and {len(names) - MAX_NAMED_PARTS} more" if len(names) > MAX_NAMED_PARTS else ""
    return "; ".join(names[:MAX_NAMED_PARTS]) + more
