"""Words for the rows of a bulk change: where each stood in what was asked, what becomes of it, what differs."""

import json
import re
from collections.abc import Iterable
from typing import Final

from console.pages import words
from console.pages.differences import TREES
from console.pages.translations import N_, _
from custom_events.conditions.render import render

# What becomes of a row, and what would become of it.
DONE: Final = {"made": N_("made"), "changed": N_("changed"), "unchanged": N_("so already"), "failed": N_("failed")}
TRIED: Final = {
    "made": N_("would be made"),
    "changed": N_("would change"),
    "unchanged": N_("so already"),
    "failed": N_("would fail"),
}
ACTIONS: Final = {"put": N_("as in the file")}  # of rows that have no form of their own
_LINE: Final = re.compile(r"lines\[(\d+)\](?:\.(.+))?\Z")
_CHANGE: Final = re.compile(
    r"((?:site \d+: )?)(\w+)(?:\.([\w.\[\]]+))?: (?:added (.*)|removed (.*)|(.*) -> (.*))\Z", re.DOTALL
)


def place_words(place: str) -> str:
    """Where a row stood in what was asked, where people can find it there: a line of their file."""
    match = _LINE.match(place)
    if match is None:
        return ""
    return _("line %(number)s", number=match[1]) + (f", {match[2]}" if match[2] else "")


def change_words(lines: Iterable[str]) -> list[str]:
    """What differs, as `RowOutcome.changes` has it line by line, in sentences; a line that is not known stays as it is."""
    said: list[str] = []
    applies = ""
    for line in lines:
        match = _CHANGE.match(line)
        if match is None:
            said.append(line)
            continue
        where, name, path, added, removed, old, new = match.groups()
        now = new if added is None else added
        if name == "published_number":
            applies = now or ""
        if name == "newest_number" and now == applies:
            continue
        said.append(where + _sentence(name, path, now, removed if old is None else old))
    return said


def _sentence(name: str, path: str | None, now: str | None, before: str | None) -> str:
    match name:
        case "is_active":
            return {"true": "enabled", "false": "disabled"}.get(now or "", "removed")
        case "published_number" if now is None:
            return _("nothing of it applies any more")
        case "published_number":
            return _("revision %(now)s applies", now=now) + (
                _(", in place of %(before)s", before=before) if before else ""
            )
        case "newest_number":
            return _("its revisions go") if now is None else _("revision %(now)s is a draft", now=now)
        case "overrides" if path is None:
            return _("overrides nothing") if now in ("{}", None) else _("overrides %(now)s", now=now)
        case "overrides":
            return _override(path or "", now, before)
        case _:
            return f"{name}: {before} → {now}"


def _override(path: str, now: str | None, before: str | None) -> str:
    setting, __, rest = path.partition(".")
    if setting in TREES and not rest:
        now, before = _condition(now), _condition(before)
    title = words.setting_name(setting) + (f" ({rest})" if rest else "")
    if now is None:
        return _("%(title)s: inherited again, was %(before)s", title=title, before=before)
    return f"{title}: {now}" + (_(", was %(before)s", before=before) if before is not None else "")


def _condition(text: str | None) -> str | None:
    """Conditions in words; what was cut stays as it is."""
    try:
        return None if text is None else render(json.loads(text))
    except ValueError:
        return text
