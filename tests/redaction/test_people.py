"""Whom a request reaches: what waits at Google, whole shops, what somebody does afterwards, and requests that name nobody."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import sqlalchemy as sa

from custom_events.catalog import privacy
from custom_events.errors import InvalidConfiguration, NeedsAction, NotFound
from custom_events.redaction import export, person, requests
from custom_events.redaction.carry_out import carry_out, sweep_quarantine
from custom_events.redaction.person import Person
from custom_events.values.deliveries import PrivacyRequest
from tests.redaction.bodies import at_custom_sender, at_shopify, at_woocommerce, redact_customer, shopify_order
from tests.redaction.conftest import ANN, BEN, KEY, Planted

STATES = sa.text("SELECT state, count(*) FROM app.conversion_uploads WHERE site_id = :site GROUP BY 1")
FORCE = sa.text("UPDATE app.conversion_uploads SET state = :state WHERE site_id = :site AND state = :before")


def states(planted: Planted, platform: str) -> dict[str, int]:
    with planted.engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(STATES, {"site": planted.sites[platform]})}


def ask(planted: Planted, platform: str, kind: PrivacyRequest, **who: tuple[str, ...]) -> int:
    with planted.engine.begin() as connection:
        somebody = person.person(**who) if who else Person()
        made = requests.ask(
            connection, KEY, planted.sites[platform], kind, somebody, actor="test", now=datetime.now(UTC)
        )
    return made.raw_id


def test_what_is_at_google_waits_for_its_answer(planted: Planted) -> None:
    planted.post(at_woocommerce(planted, ANN))
    planted.drain()
    planted.ledger.clock.forward(minutes=2)
    planted.ledger.settle(planted.lanes)
    assert states(planted, "woocommerce")["sent"] > 0, "the Data Manager answers later"
    number = ask(planted, "woocommerce", PrivacyRequest.REDACT_CUSTOMER, emails=(ANN.email,))
    (first,) = planted.carry_out()
    assert not first.is_done
    assert first.waiting > 0
    with planted.engine.connect() as connection:
        (waits,) = privacy.requests(connection)
    assert (waits.waiting, waits.raw_id, waits.done_at) == (first.waiting, number, None)
    assert "app.conversion_uploads" in planted.found(ANN)
    planted.send()
    (second,) = planted.carry_out()
    assert (second.is_done, second.waiting) == (True, 0)
    assert planted.found(ANN) == {}
    assert planted.gaps() == []


def test_what_may_be_at_google_is_not_sent_again(planted: Planted) -> None:
    planted.post(at_shopify(planted, ANN))
    planted.drain()
    with planted.engine.begin() as connection:
        for before, state in (("queued", "claimed"), ("claimed", "unknown")):
            connection.execute(FORCE, {"site": planted.sites["shopify"], "before": before, "state": state})
    unknown = states(planted, "shopify")["unknown"]
    planted.post(redact_customer(ANN))
    planted.drain()
    assert [one.is_done for one in planted.carry_out()] == [True]
    assert states(planted, "shopify")["expired"] == unknown
    assert planted.found(ANN) == {}


def test_a_whole_shop_is_forgotten_and_no_other(planted: Planted) -> None:
    for who in (ANN, BEN):
        planted.post(at_shopify(planted, who) + at_custom_sender(planted, who))
    planted.post([("shopify", "shop/redact", {"shop_id": 1, "shop_domain": "x"})])
    planted.drain()
    figures = planted.figures()
    custom = planted.rows_of(ANN)["app.commerce_events"]
    assert [one.is_done for one in planted.carry_out()] == [True]
    left = planted.rows_of(ANN)
    at_custom = [row for row in custom if row.split(",")[2] == str(planted.sites["custom"])]
    assert left["app.commerce_events"] == at_custom != []
    assert planted.figures() == figures
    planted.post(at_shopify(planted, ANN)[3:4])
    planted.drain()
    assert planted.rows_of(ANN) == left, "an order of before does not come back"
    later = {"created_at": planted.at(-1), "updated_at": planted.at(-1), "processed_at": planted.at(-1)}
    planted.post([("shopify", "orders/paid", shopify_order(planted, ANN, 8, **later))])
    planted.drain()
    assert len(planted.rows_of(ANN)["app.orders"]) == len(left["app.orders"]) + 1, "the shop came back"


def test_what_somebody_does_afterwards_is_their_own_act(planted: Planted) -> None:
    planted.post(at_shopify(planted, ANN) + redact_customer(ANN))
    planted.drain()
    planted.carry_out()
    assert planted.found(ANN) == {}
    later = {"created_at": planted.at(-1), "updated_at": planted.at(-1), "processed_at": planted.at(-1)}
    tokens = {"cart_token": f"new-{ANN.number}", "checkout_token": f"new-checkout-{ANN.number}"}
    named = shopify_order(planted, ANN, 1, **later)
    planted.post([("shopify", "orders/updated", named)])
    planted.drain()
    assert planted.found(ANN) == {}, "an order that was named is forgotten, whatever comes of it"
    planted.post([("shopify", "orders/paid", shopify_order(planted, ANN, 8, **later | tokens))])
    planted.drain()
    assert planted.found(ANN).keys() >= {"app.orders", "app.customers", "app.commerce_events", "landing.raw_events"}
    planted.post(redact_customer(ANN))
    planted.drain()
    assert planted.found(ANN) != {}
    planted.carry_out()
    assert "app.orders" in planted.found(ANN), "the order is later than the request by the shop's clock"


def test_a_request_for_data_is_answered_and_kept_nowhere(planted: Planted) -> None:
    for who in (ANN, BEN):
        planted.post(at_shopify(planted, who))
    planted.post([("shopify", "customers/data_request", {"customer": {"id": ANN.number}, "orders_requested": []})])
    planted.drain()
    before = planted.rows_of(ANN)
    with planted.engine.begin() as connection:
        (asked,) = privacy.requests(connection)
        with pytest.raises(NeedsAction, match="privacy export"):
            carry_out(planted.engine, planted.settings, asked.raw_id, actor="test")
        found = export.export(connection, planted.settings, asked.raw_id, actor="test")
    text = msgspec.json.encode(found).decode()
    for value in (ANN.email, ANN.street, str(ANN.order(1)), planted.clicks[f"{ANN.number} shopify"]):
        assert value in text
    assert str(BEN.number) not in text
    assert {name for name in export.Export.__struct_fields__ if not getattr(found, name)} == set()
    assert planted.rows_of(ANN) == before
    with planted.engine.begin() as connection:
        privacy.done(connection, asked.raw_id, actor="test", note="handed over")
        assert privacy.requests(connection) == []


def test_a_request_that_names_nobody_says_so(planted: Planted) -> None:
    planted.post([("shopify", "customers/redact", {"customer": {}}), ("shopify", "customers/data_request", b"[1")])
    planted.drain()
    (carried,) = planted.carry_out()
    assert not carried.is_done
    assert carried.problem is not None
    assert "privacy ask planted-shopify" in carried.problem
    with planted.engine.begin() as connection:
        (unread,) = [one for one in privacy.requests(connection) if one.kind is PrivacyRequest.DATA_REQUEST]
        with pytest.raises(NeedsAction, match="names nobody"):
            export.export(connection, planted.settings, unread.raw_id, actor="test")
        connection.exec_driver_sql("DELETE FROM landing.raw_events")
    assert [one.problem for one in planted.carry_out()] == [carried.problem]
    with pytest.raises(NotFound, match="privacy list"):
        carry_out(planted.engine, planted.settings, 10**12, actor="test")
    since = datetime.now(UTC) - timedelta(days=1)
    assert sweep_quarantine(planted.engine, planted.settings, since) == 0, "nobody was forgotten yet"


def test_what_is_asked_is_checked(planted: Planted) -> None:
    with pytest.raises(InvalidConfiguration, match="name nobody"):
        ask(planted, "custom", PrivacyRequest.REDACT_SHOP, emails=(ANN.email,))
    with pytest.raises(InvalidConfiguration, match="say who it is"):
        ask(planted, "custom", PrivacyRequest.DATA_REQUEST)
    number = ask(planted, "custom", PrivacyRequest.REDACT_SHOP)
    done = carry_out(planted.engine, planted.settings, number, actor="test")
    assert (done.is_done, done.counts) == (True, {})
    assert carry_out(planted.engine, planted.settings, number, actor="test").is_done


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"emails": ("ann",)}, "no e-mail address"),
        ({"phones": ("12",)}, "no phone number"),
        ({"customer_ids": (" ",)}, "say who it is"),
    ],
)
def test_who_it_is_must_be_readable(given: dict[str, tuple[str, ...]], sentence: str) -> None:
    with pytest.raises(InvalidConfiguration, match=sentence):
        person.person(**given)


def test_whom_a_store_names() -> None:
    body = msgspec.json.encode(
        {"customer": {"id": 7, "email": ANN.email, "phone": ANN.phone}, "orders_to_redact": [1, "2", None, True]}
    )
    found = person.of_body(body, None)
    assert (found.customer_ids, found.order_ids) == (("7",), ("1", "2"))
    assert found == person.of_body(body, "DE")
    assert len(found.emails) == len(found.phones) == 1
    for nothing in (b"", b"[]", b"{", b'{"customer": 1}', b'{"customer": {"email": "x", "phone": "1", "id": ""}}'):
        assert person.of_body(nothing, None).is_nobody
