"""docs/architecture.md and docs/glossary.md say what the code does, as far as code can tell."""

import re

from custom_events.ledger.states import TRANSITIONS
from custom_events.tables import registry
from custom_events.values.conversions import Lane, UploadKind, UploadState
from custom_events.values.deliveries import Outcome
from tests.docs.tree import ROOT

ARCHITECTURE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
GLOSSARY = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
WORDS = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]*)\|$", GLOSSARY, re.MULTILINE)


def section(number: str) -> str:
    """The text beneath a heading of the architecture page, to the next one."""
    return re.split(r"^#+ ", ARCHITECTURE.split(f"# {number} ", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def test_the_states_of_uploads_and_what_they_may_become_are_those_of_the_ledger() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([\w, ]*)\|$", section("4.4"), re.MULTILINE)
    told = {UploadState(state): set(re.findall(r"\w+", after)) for state, after in rows}
    assert told == {state: {after.value for after in afters} for state, afters in TRANSITIONS.items()}


def test_every_table_has_a_writer() -> None:
    named = set(re.findall(r"`(?:app\.|landing\.)?(\w+)`", section("2.2")))
    assert {table.name for table in registry.METADATA.tables.values()} - named == set()


def test_every_promise_names_tests_that_are_there() -> None:
    promises = ARCHITECTURE.split("### Promise ")[1:]
    assert len(promises) == 9
    for promise in promises:
        tests = re.findall(r"`((?:tests|dbt)/[\w/]+\.\w+)`", promise)
        assert tests, promise
        assert [path for path in tests if not (ROOT / path).is_file()] == [], promise


def test_a_word_stands_once_in_the_glossary() -> None:
    words = [word.strip() for group, *_ in WORDS for word in group.split(",") if group not in ("word", "---")]
    assert len(words) > 80
    assert sorted({word for word in words if words.count(word) > 1}) == []


def test_words_of_the_tables_are_in_the_glossary() -> None:
    for word in (*UploadState, *Outcome, *UploadKind, *Lane):
        assert re.search(rf"\b{word.value.replace('_', ' ')}\b", GLOSSARY, re.IGNORECASE), word
