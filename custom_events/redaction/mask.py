"""A body for who may not see people's data: its values stay where they name nobody, and are covered where they may.

What is somebody's is told by its name and its value, as what is kept of an order's attributes is (platforms/personal.py); texts that people write, and addresses
that let anybody in (a status page of the store), are covered as well. Rather too much than too little: it is for looking, not for use.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from custom_events.platforms.personal import is_personal_name, is_personal_value

COVER: Final = "•••"
DEEPEST: Final = 64  # levels; what lies deeper is covered whole
# Written by people, or good for getting in somewhere.
_OTHERS: Final = re.compile(
    r"note|message|comment|company|token|secret|password|signature|nonce|status_url|payment_url|checkout_url|cart_hash|hash$|_key$"
)
_NAMED: Final = ("name", "key")  # of a named value: {"name": "Gift for", "value": "Jo"}
_NUMBER: Final = re.compile(r"#?[\w-]*\d[\w-]*\Z")  # what shops call an order by its `name`


class Masked(msgspec.Struct, frozen=True, kw_only=True):
    """A body as indented JSON; `covered`: how many of its values are. `text` None: it is no JSON, and nothing of it is shown."""

    text: str | None
    covered: int = 0


def mask(body: bytes) -> Masked:
    """The body without what may name somebody. Never raises."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return Masked(text=None)
    counter = _Counter()
    shown = counter.masked(value, 0)
    return Masked(text=msgspec.json.format(msgspec.json.encode(shown), indent=2).decode(), covered=counter.covered)


class _Counter:
    """Covers values, and counts them."""

    def __init__(self) -> None:
        self.covered = 0

    def masked(self, value: Any, depth: int) -> Any:
        """The value with what is personal covered."""
        if depth > DEEPEST:
            return self._cover(value)
        if isinstance(value, dict):
            return dict(self._members(value, depth))
        if isinstance(value, list):
            return [self.masked(part, depth + 1) for part in value]
        return self._cover(value) if isinstance(value, str) and is_personal_value(value) else value

    def _members(self, members: dict[str, Any], depth: int) -> Iterator[tuple[str, Any]]:
        named = next(
            (members[name] for name in _NAMED if isinstance(members.get(name), str) and "value" in members), None
        )
        for name, value in members.items():
            if is_personal_value(name):
                yield self._cover(name), self._cover(value)
            elif isinstance(value, dict):
                yield name, self.masked(value, depth + 1)
            elif named is not None and name in _NAMED:
                yield name, value
            elif _is_personal(name, value) or (name == "value" and named is not None and _is_personal(named, value)):
                yield name, self._cover_all(value, depth)
            else:
                yield name, self.masked(value, depth + 1)

    def _cover_all(self, value: Any, depth: int) -> Any:
        """Of a list each: lists of addresses are addresses; of those with members the members say what they are."""
        if isinstance(value, list):
            return [self.masked(part, depth + 2) if isinstance(part, dict) else self._cover(part) for part in value]
        return self._cover(value)

    def _cover(self, value: Any) -> Any:
        if value is None or isinstance(value, bool) or value in ("", [], {}):
            return value
        self.covered += 1
        return COVER


def _is_personal(name: str, value: Any) -> bool:
    if name == "name" and isinstance(value, str) and _NUMBER.match(value):
        return False
    return is_personal_name(name) or _OTHERS.search(name.lower()) is not None
