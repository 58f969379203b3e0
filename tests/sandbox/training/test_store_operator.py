"""Each exercise of the store operator's course, with a right and a wrong answer."""

import pytest

from custom_events.catalog import audit
from custom_events.errors import InvalidConfiguration, NeedsAction
from custom_events.ledger import operator_actions
from tests.sandbox.training.conftest import NOT_SENT, SENT, Class

COURSE = "store-operator"


def test_refused(taught: Class) -> None:
    assert taught.is_right(COURSE, "refused", "0")
    taught.world.execute("INSERT INTO landing.receipts (at, received, landed, duplicates, refused) VALUES (now(), 1003, 0, 0, 1003)")  # fmt: skip
    assert taught.is_right(COURSE, "refused", "1,003")
    assert not taught.is_right(COURSE, "refused", "0")
    with pytest.raises(InvalidConfiguration, match=r'ANSWER: "many" is no number'):
        taught.verdict(COURSE, "refused", "many")
    assert taught.question(COURSE, "refused")


def test_parked(taught: Class) -> None:
    assert "is parked" in taught.question(COURSE, "parked")
    ((reason,),) = taught.world.rows("SELECT reason FROM app.raw_outcomes WHERE outcome = 'parked'")
    assert taught.is_right(COURSE, "parked", f" {reason.replace('_', ' ').upper()} ")
    verdict = taught.verdict(COURSE, "parked", "unknown_topic")
    assert not verdict.is_right
    assert reason not in verdict.sentence


def test_not_sent(taught: Class) -> None:
    assert f"order {NOT_SENT} of site shop-key-1" in taught.question(COURSE, "not-sent")
    assert taught.is_right(COURSE, "not-sent", "no_click_or_identifier")
    verdict = taught.verdict(COURSE, "not-sent", "consent_denied")
    assert not verdict.is_right
    assert "no_click_or_identifier" not in verdict.sentence


def test_release(taught: Class) -> None:
    assert "Which order was it?" in taught.question(COURSE, "release")
    assert "no hold" in taught.verdict(COURSE, "release", str(SENT)).sentence
    now = taught.lesson.now
    with taught.world.engine.begin() as connection:
        operator_actions.hold_rows(connection, 1, "look", actor="ana", now=now, order_id=str(SENT))
    assert "held still" in taught.verdict(COURSE, "release", str(SENT)).sentence
    with taught.world.engine.begin() as connection:
        operator_actions.release_held(connection, 1, now, actor="ana", order_id=str(SENT))
        assert len(audit.entries(connection, subject="ads_account:1")) >= 2
    assert taught.is_right(COURSE, "release", str(SENT))
    assert not taught.is_right(COURSE, "release", str(NOT_SENT))


@pytest.mark.parametrize(("kind", "worth"), [("restatement", "60.00"), ("retraction", "0")])
def test_at_google(taught: Class, kind: str, worth: str) -> None:
    taught.accept(SENT)
    taught.adjust(SENT, kind, 1, "60.00")
    assert f"order {SENT} of site shop-key-1" in taught.question(COURSE, "at-google").lower()
    assert taught.is_right(COURSE, "at-google", worth)
    assert not taught.is_right(COURSE, "at-google", "100.00")


@pytest.mark.parametrize("key", ["parked", "not-sent", "at-google"])
def test_without_the_data_of_the_demo_it_says_so(empty_class: Class, key: str) -> None:
    with pytest.raises(NeedsAction, match="make demo"):
        empty_class.question(COURSE, key)
