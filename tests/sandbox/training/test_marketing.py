"""Each exercise of marketing's course, with a right and a wrong answer."""

from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.catalog import definitions
from custom_events.errors import NeedsAction
from sandbox.training.reference_rule import KEY
from tests.backtest.conftest import ME, PastWorld
from tests.sandbox.training.conftest import LARGE, NOT_SENT, Class

COURSE = "marketing"


def from_amount(amount: str, **others: Any) -> dict[str, Any]:
    tree = {"field": "order.total", "op": ">=", "value": amount, "currency": "EUR"}
    return {"conditions": {"all": [tree]}, "value": {"factor": "0.50"}, **others}


def test_comparison(taught: Class) -> None:
    with pytest.raises(NeedsAction, match="uploads reconcile"):
        taught.question(COURSE, "comparison")
    taught.world.execute(
        "INSERT INTO app.reconciliation_days (ads_account_id, action_id, day, sent, accepted, refused, reasons, events, google_successful, "
        "google_failed, google_pending, updated_at) VALUES (1, '1', current_date - 1, 42, 31, 11, '{}', 42, 7, 35, 0, now()), "
        "(1, '1', current_date - 2, 3, 3, 0, '{}', 3, 3, 0, 0, now()), (1, '1', current_date, 3, 3, 0, '{}', 3, NULL, NULL, NULL, now())"
    )
    assert "account 1234567890, conversion action 1." in taught.question(COURSE, "comparison")
    assert taught.is_right(COURSE, "comparison", "35")
    verdict = taught.verdict(COURSE, "comparison", "7")
    assert not verdict.is_right
    assert "35" not in verdict.sentence


def test_consent(taught: Class) -> None:
    assert taught.question(COURSE, "consent")
    assert taught.is_right(COURSE, "consent", "0")
    taught.world.execute(
        "UPDATE app.conversion_uploads SET reason = 'consent_denied' WHERE order_id = :order", order=str(NOT_SENT)
    )
    with taught.world.engine.connect() as connection:
        reasons = connection.execute(
            sa.text("SELECT reason FROM app.conversion_uploads WHERE state = 'withheld'")
        ).all()
    assert taught.is_right(COURSE, "consent", str(len(reasons)))
    assert not taught.is_right(COURSE, "consent", str(len(reasons) + 1))


def test_draft_test_publish_and_roll_back(taught: Class) -> None:
    world = taught.world
    assert all(KEY in taught.question(COURSE, key) for key in ("draft-rule", "test-rule", "publish-rule", "roll-back"))
    with pytest.raises(NeedsAction, match=f"no definition `{KEY}` yet"):
        taught.verdict(COURSE, "draft-rule")
    world.define(KEY, published=False, **from_amount("50.00"))
    assert "Revision 1 matches other events" in taught.verdict(COURSE, "draft-rule").sentence
    world.draft(KEY, **from_amount("200.00"))
    assert taught.is_right(COURSE, "draft-rule")

    assert f"order.paid:{LARGE}" in taught.question(COURSE, "test-rule")
    assert taught.is_right(COURSE, "test-rule", "125")
    assert not taught.is_right(COURSE, "test-rule", "250.00")

    assert "is a draft" in taught.verdict(COURSE, "publish-rule").sentence
    world.publish(KEY, 2)
    assert taught.is_right(COURSE, "publish-rule")
    assert "Nobody rolled it back" in taught.verdict(COURSE, "roll-back").sentence

    world.publish(KEY, world.draft(KEY, **from_amount("90.00")))
    assert "another rule" in taught.verdict(COURSE, "publish-rule").sentence
    with world.engine.begin() as connection:
        definitions.rollback(connection, KEY, 2, by=ME)
    assert taught.is_right(COURSE, "roll-back")
    world.publish(KEY, world.draft(KEY, **from_amount("201.00")))
    assert "published later" in taught.verdict(COURSE, "roll-back").sentence
    with world.engine.begin() as connection:
        definitions.rollback(connection, KEY, 2, by=ME)
    assert "matched the same" in taught.verdict(COURSE, "roll-back").sentence


def test_without_the_data_of_the_demo_it_says_so(empty_class: Class) -> None:
    with pytest.raises(NeedsAction, match="large enough"):
        empty_class.question(COURSE, "test-rule")


def test_without_a_shopify_site_it_says_so(database: str, engine: sa.Engine) -> None:
    with pytest.raises(NeedsAction, match="no Shopify site"):
        Class(PastWorld(database, engine), "woocommerce").question(COURSE, "test-rule")
