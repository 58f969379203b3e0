"""Names of time zones as sites and ads accounts may have them: those of our `tzdata` package, exactly as they are written there."""

import difflib
from collections.abc import Iterator

from custom_events.catalog.reading import LIKENESS, quoted
from custom_events.conditions.problems import Problem
from custom_events.values import zones

_OTHER_FOLDERS = ("posix/", "right/")  # some machines have the whole database again under these
_SPELLINGS = str.maketrans({" ": "_"})


def zone_problems(name: str) -> Iterator[Problem]:
    """What is wrong with a `time_zone`; nothing for a name that every part of ours knows."""
    if name in zones.names():
        return
    wrong = f"{quoted(name)} is not an IANA name" if name.strip() else "it is empty"
    near = _nearest(name)
    right = f"did you mean {near}?" if near else f"{zones.EXAMPLE} for example, with its capitals"
    yield Problem(path="time_zone", wrong=wrong, right=right)


def _nearest(name: str) -> str | None:
    """The name that was meant, perhaps: the same in other letters or folders, or a likely typing error."""
    bare = name.strip().translate(_SPELLINGS).lower()
    for folder in _OTHER_FOLDERS:
        bare = bare.removeprefix(folder)
    known = {zone.lower(): zone for zone in zones.names()}
    near = difflib.get_close_matches(bare, known, n=1, cutoff=LIKENESS)
    return known[near[0]] if near else None
