"""What people read of answers that are seldom: stopped, many assignments, every effect, a replay's rereading."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from custom_events.backtest.effects import Effect
from custom_events.backtest.json_page import page
from custom_events.backtest.replay import Replay
from custom_events.backtest.rereading import Reread
from custom_events.backtest.result import AssignmentCounts, Backtest, Counts, Day
from custom_events.backtest.result_lines import backtest_lines, replay_lines
from custom_events.explain.rule_test import RuleTest
from custom_events.explain.rule_test_lines import rule_test_lines
from custom_events.explain.trace_lines import threshold_words
from custom_events.history.drafts import Draft
from custom_events.values.definitions import (
    DefinitionConfig,
    Overrides,
    Threshold,
    ThresholdFires,
    ThresholdMeasure,
    ThresholdPeriod,
    ThresholdScope,
)
from custom_events.values.events import EventType

SINCE, UNTIL = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)


def answer(**changes: Any) -> Backtest:
    figures: dict[str, Any] = {
        "draft": Draft(), "since": SINCE, "until": UNTIL, "sites": (1,), "events": 1_500, "seconds": 2.0, "is_complete": True,
        "counts": Counts(unchanged=3), "assignments": (), "days": (), "effects": (), "samples": (),
    }  # fmt: skip
    return Backtest(**{**figures, **changes})


def test_a_quiet_and_a_stopped_backtest() -> None:
    text = "\n".join(backtest_lines(answer()))
    assert text.startswith(
        "The published rules on 1,500 events of 1 site, 2026-11-01 00:00 to 2026-11-02 00:00 UTC\n  would add "
    )
    assert "At Google" not in text
    assert answer().events_per_s == 750
    assert "STOPPED before the end" in "\n".join(backtest_lines(answer(is_complete=False)))


@pytest.mark.parametrize(
    ("draft", "words"),
    [
        (Draft(definition="vip"), "Definition vip (newest revision) on "),
        (Draft(definition="vip", definition_number=3), "Definition vip (revision 3) on "),
        (Draft(config=DefinitionConfig(trigger=(EventType.ORDER_PAID,))), "A definition from a file on "),
        (Draft(assignment=12, overrides=Overrides()), "Assignment 12 as given on "),
        (
            Draft(definition="vip", assignment=12),
            "Definition vip (newest revision) with assignment 12 (newest revision) on ",
        ),
    ],
)
def test_the_rule_asked_about_is_named(draft: Draft, words: str) -> None:
    first = next(backtest_lines(answer(draft=draft, sites=(1, 2))))
    assert first.startswith(words)
    assert "1,500 events of 2 sites" in first


@pytest.mark.parametrize(
    ("threshold", "words"),
    [
        (Threshold(at_least=Decimal(3)), "number of events per customer ever, when 3 is reached"),
        (
            Threshold(measure=ThresholdMeasure.SUM, currency="EUR", at_least=Decimal("500.00"), scope=ThresholdScope.SITE,
                      period=ThresholdPeriod.MONTH, fires=ThresholdFires.EVERY_NTH),
            "sum per site in a calendar month, at every multiple of 500 EUR",
        ),
        (
            Threshold(at_least=Decimal(2), period=ThresholdPeriod.ROLLING, window_days=30, fires=ThresholdFires.EVERY_FURTHER),
            "number of events per customer within 30 days, from 2 on, each time",
        ),
    ],
)  # fmt: skip
def test_a_threshold_in_words(threshold: Threshold, words: str) -> None:
    assert threshold_words(threshold) == words


def test_shares_days_and_every_effect() -> None:
    counts = Counts(would_add=2, already_sent=1, withheld={"consent_denied": 1})
    shares = tuple(
        AssignmentCounts(assignment_id=number, site_id=1, label="", definition="bought", counts=counts)
        for number in range(1, 23)
    )
    effect = Effect(
        ads_action="1/2", currency="EUR", sent_new=1, value_new=Decimal(10), retracted=2, value_retracted=Decimal(20), restated=3,
        restated_by=Decimal(-5), withdrawn_unsent=4, value_withdrawn=Decimal(1), changed_unsent=5, changed_by=Decimal(2),
    )  # fmt: skip
    days = (
        Day(day=date(2026, 11, 1), currency="EUR", number_then=1, value_then=Decimal(10)),
        Day(day=date(2026, 11, 1), currency="USD", number_now=1, number_then=1),
    )
    text = "\n".join(backtest_lines(answer(counts=counts, assignments=shares, effects=(effect,), days=days)))
    for words in (
        "already sent by another assignment 1",
        "recorded and not sent: consent_denied 1",
        "... and 2 more (--json has all)",
        "1/2: 1 new, 10.00 EUR; 2 retracted, 20.00 EUR; 3 restated by -5.00 EUR; 4 taken back before sending, 1.00 EUR",
        "; 5 changed before sending by 2.00 EUR",
        "2026-11-01         0        0.00 EUR       1       10.00 EUR",
    ):
        assert words in text, text
    assert "USD" not in text


def test_a_replay_names_what_is_said_otherwise() -> None:
    reread = Reread(raw_events=9, would_change=3, new_events={"order.paid": 1}, revised_events={"order.created": 1},
                    outcomes={"parked to understood": 1})  # fmt: skip
    found = Replay(since=SINCE, until=UNTIL, sites=(1,), is_written=True, name="replay:1", reread=reread, events=5, seconds=1.0,
                   counts=Counts(), notes=("a note",))  # fmt: skip
    text = "\n".join(replay_lines(found))
    for words in ("9 raw events", "3 say something else", "order.paid", "order.created", "parked to understood", "a note",
                  "Written as replay:1."):  # fmt: skip
        assert words in text


def test_a_trial_of_nothing() -> None:
    assert list(rule_test_lines(RuleTest(site_id=None, outcome="ignored", reason="test_order", detail="why"))) == [
        "The body is ignored: test_order (why)"
    ]
    assert list(rule_test_lines(RuleTest(site_id=None, outcome="understood"))) == ["The body gives no commerce event."]
    assert not RuleTest(site_id=None, outcome="understood").fires


def test_the_page_tells_every_answer_once() -> None:
    text = page()
    for verb in ("backtest", "replay", "explain", "test-rule"):
        assert f"\n## {verb}\n" in text
    assert text.count("### Counts\n") == 1
    assert "| `verdict` | text |" in text
