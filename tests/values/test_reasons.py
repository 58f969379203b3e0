"""Every reason of ours has a sentence, and every sentence has one home: `custom_events/values/reasons.py`."""

import ast
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from custom_events.values import reasons

ROOT = Path(__file__).parents[2]
HOME = ROOT / "custom_events/values/reasons.py"
ROOMS = ("matching", "pipeline", "ledger", "destinations", "explain", "queries", "backtest")
TABLES = (reasons.NO_MATCH, reasons.WITHHELD, reasons.WAITS, reasons.EXPIRED)
# Words that mean something else elsewhere, too.
COMMON = {"delay", "configuration", "split", "action_id", "invalidated", "superseded", "payment_lost"}


def words() -> set[str]:
    """Every reason that the module defines: one word in lower case."""
    names = {value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str)}
    return {*reasons.Reason, *(value for value in names if re.fullmatch(r"[a-z_]+", value))}


def sentences() -> list[str]:
    """Every sentence, those of the tables and the further ones."""
    return [
        *(text for table in TABLES for text in table.values()),
        *(text for texts in reasons.VARIANTS.values() for text in texts),
    ]


def strings(path: Path) -> list[str]:
    """The texts of a file, its docstrings aside."""
    tree = ast.parse(path.read_text())
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]


def test_each_reason_has_a_sentence_and_each_sentence_a_reason() -> None:
    told = {reason for table in TABLES for reason in table}
    assert words() == told
    assert set(reasons.VARIANTS) <= told
    assert set(reasons.SENTENCES) == set(reasons.Reason)


def test_a_sentence_is_said_of_one_reason() -> None:
    assert len(sentences()) == len(set(sentences()))
    named = {
        value
        for name, value in vars(reasons).items()
        if name.isupper() and isinstance(value, str) and value not in words()
    }
    assert named == {text for texts in reasons.VARIANTS.values() for text in texts}


@pytest.mark.parametrize("room", ROOMS)
def test_no_other_file_says_it(room: str) -> None:
    """The beginning of a sentence, or the word of a reason, as a text of its own."""
    begins = [re.split(r"[{:]", text)[0].strip() for text in sentences()]
    begins = [text for text in begins if len(text.split()) > 3]
    found = [
        (path.relative_to(ROOT).as_posix(), text)
        for path in sorted((ROOT / "custom_events" / room).rglob("*.py"))
        for text in strings(path)
        if text in words() - COMMON or any(begin in text for begin in begins)
    ]
    assert not found


def test_the_ways_a_sentence_is_filled_in() -> None:
    at = datetime(2026, 3, 2, 12, 5, tzinfo=UTC)
    assert reasons.moment(at) == "2026-03-02 12:05 UTC"
    assert reasons.waits_until(reasons.DELAY, at) == "The assignment's delay ends: 2026-03-02 12:05 UTC"


def test_what_a_word_means() -> None:
    assert reasons.meaning(reasons.SUPERSEDED) == reasons.WITHHELD[reasons.SUPERSEDED]
    assert reasons.meaning("group_lost") == reasons.NO_MATCH[reasons.Reason.GROUP_LOST]
    assert reasons.meaning(reasons.DEADLINE_PASSED) is None  # only its row knows until when
    assert reasons.meaning("ConversionUploadError.EXPIRED_EVENT") is None
