"""Somebody who asked to be forgotten is found nowhere, whatever is delivered again; everybody else and every sum stays."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from custom_events.backtest.replay import Order, replay_sync
from custom_events.redaction import requests
from custom_events.redaction.carry_out import sweep_quarantine
from custom_events.redaction.person import person
from custom_events.redaction.personal_data import PERSONAL_DATA, Done, Personal
from custom_events.values.deliveries import PrivacyRequest
from tests.redaction.bodies import at_shopify, beacon, everywhere, redact_customer, refund, shopify_order
from tests.redaction.conftest import ANN, BEN, KEY, Planted

LEDGER = sa.text(
    "SELECT state, reason, count(*) FROM app.conversion_uploads WHERE site_id = :site GROUP BY 1, 2 ORDER BY 1, 2"
)
# What the drain or the sender leaves behind for a moment only, and what the request itself is.
PASSING = {"app.value_changes", "app.withdrawn_without_order", "app.privacy_requests"}
# As if both had many orders: a counter of each customer.
COUNTED_ALONE = sa.text("""
INSERT INTO app.threshold_counters (assignment_id, definition_revision_id, assignment_revision_id, time_zone, customer_key)
SELECT a.id, 1, 1, 'Etc/UTC', c.customer_key
FROM app.customers c CROSS JOIN LATERAL (SELECT min(id) AS id FROM app.site_custom_events WHERE site_id = c.site_id) a
""")


def ask_elsewhere(planted: Planted) -> None:
    """WooCommerce and custom senders pass nothing on: somebody enters it."""
    who = person(emails=(ANN.email,), phones=(ANN.phone,), customer_ids=(f"u{ANN.number}", str(ANN.number)))
    with planted.engine.begin() as connection:
        for platform in ("woocommerce", "custom"):
            site, kind = planted.sites[platform], PrivacyRequest.REDACT_CUSTOMER
            requests.ask(connection, KEY, site, kind, who, actor="test", now=datetime.now(UTC))


def plant(planted: Planted) -> None:
    """Ann and Ben everywhere; of Ann something that was not sent yet."""
    assert set(planted.post(everywhere(planted, ANN) + everywhere(planted, BEN))) == {200}
    assert set(planted.post(beacon(planted, ANN) + beacon(planted, BEN))) == {204}
    planted.drain()
    planted.send()
    second = refund(planted, ANN) | {"id": ANN.order(9), "created_at": planted.at(5)}
    later = [("shopify", "orders/paid", shopify_order(planted, ANN, 5)), ("shopify", "refunds/create", second)]
    assert set(planted.post(later)) == {200}
    for who in (ANN, BEN):
        assert set(planted.post(at_shopify(planted, who)[:4], secret=b"another")) == {401}
    planted.drain()
    with planted.engine.begin() as connection:
        connection.execute(COUNTED_ALONE)


def test_nothing_of_a_forgotten_person_is_left_or_comes_back(planted: Planted) -> None:
    plant(planted)
    there, others, figures = planted.found(ANN), planted.rows_of(BEN), planted.figures()
    blanked = {name for name, one in PERSONAL_DATA.items() if isinstance(one, Personal) and one.done is not Done.KEPT}
    assert there.keys() >= blanked - PASSING, "she is planted in every table that the map names"
    assert there.keys() <= blanked, "and in no other"

    assert planted.post(redact_customer(ANN)) == [200]
    planted.drain()
    ask_elsewhere(planted)
    carried = planted.carry_out()
    assert [one.is_done for one in carried] == [True] * 3
    assert planted.found(ANN) == {}
    assert planted.rows_of(BEN) == others
    assert planted.figures() == figures
    assert planted.gaps() == []
    with planted.engine.connect() as connection:
        ledger = {tuple(row) for row in connection.execute(LEDGER, {"site": planted.sites["shopify"]})}
    assert ("withheld", "person_forgotten", 1) in ledger, "what was not sent is not sent"

    before = planted.snapshot()
    assert planted.carry_out() == [], "nothing is open, and nothing changes"
    assert planted.snapshot() == before

    assert set(planted.post(everywhere(planted, ANN) + redact_customer(ANN))) == {200}
    planted.post(everywhere(planted, ANN), secret=b"another")
    assert planted.post(beacon(planted, ANN)) == [204]
    planted.drain()
    since = datetime.now(UTC) - timedelta(days=60)
    why = Order(actor="test", reason="a test")
    replayed = replay_sync(planted.url, planted.settings, since=since, until=datetime.now(UTC), order=why)
    assert replayed.reread is not None
    assert (replayed.reread.would_change, replayed.counts.would_add, replayed.counts.would_drop) == (0, 0, 0)
    planted.send()
    assert [one.is_done for one in planted.carry_out()] == [True]
    assert sweep_quarantine(planted.engine, planted.settings, since) > 0
    assert planted.found(ANN) == {}
    assert planted.figures() == figures
    assert planted.gaps() == []
