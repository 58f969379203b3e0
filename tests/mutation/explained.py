"""Survivors that no test should kill, with the reason: what the change does nobody can observe, or only in the wording of a message.

By function (its module within the package, and its name) and by the line that the change puts there.
"""

import re
from typing import Final

NAMED_WITHOUT_CASE: Final = re.compile(r'"(?:utf-8|ascii|latin-1|sha256)"', re.IGNORECASE)
CODEC: Final = "Python reads the names of codecs and digests without case"
AT_IMPORT: Final = (
    "runs while its module is imported, before mutmut puts a change in force; the readers it makes are tested"
)
NO_SHAPE: Final = "a value that is missing and one of a wrong shape are refused alike"

# Functions whose changes are never in force.
CALLED_AT_IMPORT: Final = frozenset({"conditions.literals.x__list_of", "conditions.literals.x__pair_of"})

EXPLAINED: Final[dict[tuple[str, str], str]] = {
    (
        "platforms.timestamped.x_check",
        'timestamp = headers.get(TIMESTAMP, "XXXX").strip(BLANKS)',
    ): NO_SHAPE,
    (
        "platforms.timestamped.x_describe",
        'timestamp = headers.get(TIMESTAMP, "XXXX").strip(BLANKS)',
    ): NO_SHAPE,
    (
        "platforms.stripe.signature.x_check",
        'seconds = next((value for name, _, value in parts if name == "t"), "XXXX")',
    ): NO_SHAPE,
    (
        "platforms.timestamped.x_signed_headers",
        "body: bytes, secret: bytes, *, now: datetime, event_id: str, topic: str, key_id: str | None = None, version: int = 3",
    ): "every version but 1 is signed as the second",
}


def reason_of(name: str, change: tuple[str, ...]) -> str | None:
    """Why a mutant of this name, which makes this change, may live; None: nobody has said so."""
    function = name.partition("__mutmut_")[0].removeprefix("custom_events.")
    if function in CALLED_AT_IMPORT:
        return AT_IMPORT
    removed, added = (" ".join(line[2:] for line in change if line[0] == sign) for sign in "-+")
    if removed != added and _without_case(removed) == _without_case(added):
        return CODEC
    return EXPLAINED.get((function, added))


def _without_case(line: str) -> str:
    return NAMED_WITHOUT_CASE.sub(lambda name: name[0].lower(), line)
