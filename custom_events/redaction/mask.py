"""A body for who may not see people's data: its values stay where they name nobody, and are covered where they may.

What is somebody's is told by its name and its value, as what is kept of an order's attributes is (platforms/personal.py); texts that people write, and addresses
that let anybody in (a status page of the store), are covered as well, with all that lies within them. Whoever is named so is covered wherever else
the body names them. Rather too much than too little: it is for looking, not for use.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from custom_events.platforms.personal import is_personal_name, is_personal_value, words_of

COVER: Final = "•••"
DEEPEST: Final = 64  # levels; what lies deeper is covered whole
# Written by people, or good for getting in somewhere.
_OTHERS: Final = re.compile(
    r"note|message|comment|remark|instruction|greeting|dedication|engraving|hinweis|bemerkung|anmerkung|nachricht|kommentar|notiz|widmung|gravur"
    r"|^gift$|contact$|company|token|secret|password|signature|nonce|status_url|payment_url|checkout_url|cart_hash|hash$|_key$"
)
# What stays within an address or a note: where, which, and when names nobody.
_KEPT: Final = frozenset(
    "city town country province state region county zip postcode postal code id type kind currency locale language lang at status level".split()  # noqa: SIM905
)
# Whose values are looked for in the rest of the body.
_OF_A_NAME: Final = re.compile(
    r"(?:first|last|full|sur|given|family|fore|middle|vor|nach)_?name|prenom|apellido|cognome|sobrenome|voornaam|achternaam"
)
_WORD: Final = re.compile(r"[^\W\d_]{3,}")  # shorter ones stand in other words' places, too
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
    shown = counter.without_names(counter.masked(value, 0))
    return Masked(text=msgspec.json.format(msgspec.json.encode(shown), indent=2).decode(), covered=counter.covered)


class _Counter:
    """Covers values, and counts them."""

    def __init__(self) -> None:
        self.covered = 0
        self._names = set[str]()  # words of the names that are covered, in small letters

    def masked(self, value: Any, depth: int, *, is_within: bool = False) -> Any:
        """The value with what is personal covered; `is_within`: it lies within something that is somebody's."""
        if depth > DEEPEST:
            return self._cover(value)
        if isinstance(value, dict):
            return dict(self._members(value, depth, is_within))
        if isinstance(value, list):
            return [self.masked(part, depth + 1, is_within=is_within) for part in value]
        return self._cover(value) if is_within or (isinstance(value, str) and is_personal_value(value)) else value

    def without_names(self, value: Any) -> Any:
        """What is masked, without texts that hold a name that was covered elsewhere."""
        if not self._names:
            return value
        if isinstance(value, dict):
            return {name: self.without_names(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.without_names(part) for part in value]
        if isinstance(value, str) and not self._names.isdisjoint(_WORD.findall(value.casefold())):
            return self._cover(value)
        return value

    def _members(self, members: dict[str, Any], depth: int, is_within: bool) -> Iterator[tuple[str, Any]]:
        named = next(
            (members[name] for name in _NAMED if isinstance(members.get(name), str) and "value" in members), None
        )
        for name, value in members.items():
            if is_personal_value(name):
                yield self._cover(name), self._cover(value)
            elif named is not None and name in _NAMED:
                yield name, value
            else:
                title = named if named is not None and name == "value" else name
                is_somebodys = _is_personal(title, value)
                if is_somebodys and isinstance(value, str) and _OF_A_NAME.search("_".join(words_of(title))):
                    self._names.update(_WORD.findall(value.casefold()))
                stays = named is not None or not _KEPT.isdisjoint(words_of(name))
                yield name, self.masked(value, depth + 1, is_within=is_somebodys or (is_within and not stays))

    def _cover(self, value: Any) -> Any:
        if value is None or isinstance(value, bool) or value in ("", [], {}):
            return value
        self.covered += 1
        return COVER


def _is_personal(name: str, value: Any) -> bool:
    if name == "name" and isinstance(value, str) and _NUMBER.match(value):
        return False
    return is_personal_name(name) or _OTHERS.search(name.lower()) is not None
