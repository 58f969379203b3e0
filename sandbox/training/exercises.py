"""What an exercise is: a question about what the database holds, and a check that computes the right answer from it when it is asked.

No right answer is stored: another run of the demo, or a rule that somebody changed, gives other ones.
"""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec
import sqlalchemy as sa

from custom_events.errors import InvalidConfiguration
from custom_events.settings import Settings

_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?\Z")
_SHOWN: Final = 80  # characters of an answer in a message


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """Where exercises look: `engine` and `url` lead to one database. `now`: what is counted back from."""

    engine: sa.Engine
    url: str
    settings: Settings
    now: datetime


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an answer is right, and a sentence: of a wrong one where to look, and never what is right."""

    is_right: bool
    sentence: str


class Exercise(msgspec.Struct, frozen=True, kw_only=True):
    """One exercise. `answer`: what is typed, in words; None: the database shows what was done. `question` and `check` raise NeedsAction
    where the database lacks what the exercise is about."""

    key: str
    title: str
    answer: str | None
    question: Callable[[Lesson], str]
    check: Callable[[Lesson, str], Verdict]


def right(sentence: str) -> Verdict:
    """The answer is right."""
    return Verdict(is_right=True, sentence=sentence)


def wrong(hint: str) -> Verdict:
    """The answer is wrong; `hint` says where to look."""
    return Verdict(is_right=False, sentence=hint)


def number_in(answer: str) -> Decimal:
    """The number that was typed, with or without commas between thousands. Raises InvalidConfiguration."""
    text = answer.strip().replace(",", "")
    if _NUMBER.match(text) is None:
        raise InvalidConfiguration(f'"{answer[:_SHOWN]}" is no number: type digits, such as 42 or 12.50', path="ANSWER")
    return Decimal(text)


def word_in(answer: str) -> str:
    """The code that was typed, in the form in which reasons are stored."""
    return answer.strip().lower().replace(" ", "_").replace("-", "_")
