"""Somebody who asked to be forgotten is found nowhere, whatever is delivered again; everybody else and every sum stays."""

from custom_events import secrets
from custom_events.redaction import requests
from custom_events.redaction.person import person
from custom_events.values.deliveries import PrivacyRequest
from datetime import UTC, datetime
from tests.redaction.bodies import at_shopify, everywhere, redact_customer
from tests.redaction.conftest import ANN, BEN, KEY, Planted


def ask_elsewhere(planted: Planted) -> None:
    """WooCommerce and custom senders pass nothing on: somebody enters it."""
    with planted.engine.begin() as connection:
        for platform in ("woocommerce", "custom"):
            who = person(emails=(ANN.email,), phones=(ANN.phone,), customer_ids=(f"u{ANN.number}", str(ANN.number)))
            requests.ask(
                connection, KEY, planted.sites[platform], PrivacyRequest.REDACT_CUSTOMER, who, actor="test", now=datetime.now(UTC)
            )


def test_nothing_of_a_forgotten_person_is_left_or_comes_back(planted: Planted) -> None:
    bodies = everywhere(planted, ANN) + everywhere(planted, BEN)
    assert set(planted.post(bodies)) == {200}
    assert set(planted.post(everywhere(planted, ANN)[:3] + at_shopify(planted, BEN)[:1], secret=b"another")) == {401}
    planted.drain()
    planted.send()
    before, others, figures = planted.found(ANN), planted.rows_of(BEN), planted.figures()
    print(before)
    assert planted.post(redact_customer(ANN)) == [200]
    planted.drain()
    ask_elsewhere(planted)
    print(planted.carry_out())
    assert planted.found(ANN) == {}
    assert planted.rows_of(BEN) == others
    assert planted.figures() == figures
    assert planted.gaps() == []
