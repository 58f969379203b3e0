"""The judge of a chaos run names what was lost, doubled or is wrong; the report counts it."""

from collections import Counter
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from chaos.conduct import Played
from chaos.load import NO_ANSWER, Answer, Progress, answers
from chaos.outcome import Outcome, contradictions, judged
from chaos.report import divided, percentiles
from chaos.traffic import identity, stormy

ONE, TWO = identity("orders/paid", "1", b"{}"), identity("orders/paid", "2", b"{}")
SALE = ("17001", "1-1")
QUIET = Outcome(
    landed=Counter([ONE, TWO]),
    compared={"orders": {(1, "A"): ("paid", Decimal(10)), (1, "B"): ("paid", Decimal(5))}},
    at_google={SALE: [Decimal("10.00")]},
    uncounted=set(),
    by_ledger={SALE: Decimal("10.00")},
    steps={SALE: "conversion accepted"},
    states={},
)


def changed(**fields: Any) -> Outcome:
    return msgspec.structs.replace(QUIET, **fields)


def test_two_equal_runs_are_clean() -> None:
    assert judged(QUIET, QUIET, [ONE, TWO]).is_clean
    assert contradictions(QUIET) == []


@pytest.mark.parametrize(
    ("disturbed", "lost", "doubled", "wrong"),
    [
        (changed(landed=Counter([ONE])), ["delivery orders/paid 2"], [], []),
        (changed(landed=Counter([ONE, TWO, TWO])), [], ["delivery orders/paid 2"], []),
        (changed(landed=Counter([ONE, TWO, identity(None, None, b"x")])), [], [], ["delivery  without an id"]),
        (changed(compared={"orders": {(1, "A"): ("paid", Decimal(10))}}), ["orders: (1, 'B') is missing"], [], []),
        (
            changed(compared={"orders": QUIET.compared["orders"] | {(1, "A"): ("open", Decimal(10))}}),
            [],
            [],
            ["orders: (1, 'A') is ('open'"],
        ),
        (
            changed(compared={"orders": QUIET.compared["orders"] | {(2, "A"): ()}}),
            [],
            [],
            ["orders: (2, 'A') is there"],
        ),
        (changed(at_google={SALE: [Decimal(4), Decimal(6)]}), [], [f"Google: {SALE} is there 2 times"], []),
        (
            changed(at_google={SALE: [Decimal(6)]}),
            [],
            [],
            [f"Google: {SALE} is 6 (", f"Google: {SALE} is 6 there, 10.00 by the ledger"],
        ),
        (
            changed(at_google={}, by_ledger={}),
            [],
            [],
            [f"Google: {SALE} is 0 (conversion accepted), in the quiet run 10.00"],
        ),
    ],
)
def test_each_row_is_named(disturbed: Outcome, lost: list[str], doubled: list[str], wrong: list[str]) -> None:
    verdict = judged(QUIET, disturbed, [ONE, TWO])
    for sentences, beginnings in ((verdict.lost, lost), (verdict.doubled, doubled), (verdict.wrong, wrong)):
        assert len(sentences) == len(beginnings), sentences
        assert all(sentence.startswith(beginning) for sentence, beginning in zip(sentences, beginnings, strict=True))
    assert not verdict.is_clean


def test_what_was_retracted_before_it_was_taken_up_again_is_told_apart() -> None:
    steps = {SALE: "conversion accepted, retraction accepted, restatement withheld (already_retracted)"}
    nothing = {SALE: Decimal(0)}
    verdict = judged(changed(steps=steps, at_google={SALE: [Decimal(0)]}, by_ledger=nothing), QUIET, [ONE, TWO])
    assert verdict.is_clean
    assert len(verdict.retracted) == 1
    held = {SALE: Decimal("4.00")}
    verdict = judged(changed(steps=steps, at_google={SALE: [held[SALE]]}, by_ledger=held), QUIET, [ONE, TWO])
    assert (len(verdict.wrong), verdict.retracted) == (1, []), "what holds a value was not retracted for good"


@pytest.mark.parametrize(
    ("steps", "dedup_key", "wrong"),
    [
        ("conversion accepted", "order:A", 0),
        ("conversion held (delay)", "order:A", 3),
        ("conversion accepted", "order:B", 1),
    ],
)
def test_what_was_sent_before_the_customers_no_is_told_apart(steps: str, dedup_key: str, wrong: int) -> None:
    """Of its own custom event alone, and only where it was sent."""

    def outcome(reason: str | None, email: str | None, steps: str, value: str, dedup_key: str) -> Outcome:
        return changed(
            compared={
                "custom events": {(1, dedup_key): ("A", Decimal(10), reason)},
                "conversions": {(1, "order:A"): (SALE[1], 7, email)},
            },
            at_google={SALE: [Decimal(value)]},
            by_ledger={SALE: Decimal(value)},
            steps={SALE: steps},
        )

    quiet = outcome("consent_denied", None, "conversion withheld (consent_denied)", "0.00", dedup_key)
    verdict = judged(quiet, outcome(None, "an address", steps, "10.00", dedup_key), [ONE, TWO])
    assert len(verdict.wrong) == wrong, verdict.wrong
    assert len(verdict.sent_before_denial) == 3 - wrong
    disturbed = outcome(None, "an address", steps, "10.00", dedup_key)
    assert len(judged(disturbed, quiet, [ONE, TWO]).wrong) == 3, "what the quiet run sent is to be sent"


def test_a_no_that_a_conversion_has_not_heard_of_is_wrong_whenever_it_was_sent() -> None:
    assert judged(QUIET, changed(unheard=["Consent: order A says no"]), [ONE, TWO]).wrong == [
        "Consent: order A says no"
    ]


def test_what_google_counts_nothing_of_contradicts_nothing() -> None:
    assert contradictions(changed(uncounted={SALE}, at_google={SALE: [Decimal(0)]})) == []


def test_a_storm_posts_everything_and_some_of_it_twice() -> None:
    places = stormy(1_000, 7)
    assert set(places) == set(range(1_000))
    assert 20 < len(places) - 1_000 < 100
    assert places == stormy(1_000, 7)
    assert places != sorted(places)


def test_a_journal_that_is_cut_off_is_read_up_to_there(tmp_path: Path) -> None:
    answer = Answer(place=1, status=200, at=1.0, seconds=0.1)
    journal = tmp_path / "journal"
    journal.write_bytes(msgspec.json.encode(answer) + b'\n{"place": 2, "st')
    assert list(answers(journal)) == [answer]
    progress = Progress(journal)
    assert progress() == 1
    with journal.open("ab") as file:
        file.write(b'atus": 503, "at": 2.0, "seconds": 0.1}\n' + msgspec.json.encode(answer) + b"\n")
    assert progress() == 1
    with journal.open("ab") as file:
        file.write(msgspec.json.encode(msgspec.structs.replace(answer, place=3)) + b"\n")
    assert progress() == 2
    assert answer.is_acknowledged
    assert not answer.is_refused
    assert msgspec.structs.replace(answer, status=401).is_refused
    assert not msgspec.structs.replace(answer, status=503).is_refused


def test_percentiles() -> None:
    times = [Answer(place=0, status=503 if ms == 5 else 200, at=0.0, seconds=ms / 1_000) for ms in range(1, 201)]
    assert percentiles(times) == {"answers": 200, "p50_ms": 101.0, "p99_ms": 199.0, "busy": 1}
    assert percentiles([]) == {"answers": 0}


def test_an_attempt_under_any_fault_is_counted_with_those() -> None:
    played = [
        Played(name="a", began=10, ended=12),
        Played(name="b", began=11, ended=11.5),
        Played(name="c", began=20, ended=21),
    ]
    answered = [Answer(place=0, status=200, at=at, seconds=1) for at in (8.5, 9.5, 11.6, 12.5, 18.9, 19.5, 30)]
    silent = Answer(place=0, status=NO_ANSWER, at=11, seconds=1)
    under, calm = divided(SimpleNamespace(played=played, answers=[*answered, silent]))  # type: ignore[arg-type]
    assert [answer.at for answer in under] == [9.5, 11.6, 19.5]
    assert [answer.at for answer in calm] == [8.5, 12.5, 18.9, 30]
