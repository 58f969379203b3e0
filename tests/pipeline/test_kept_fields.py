"""What of an event is kept: clicks, consent and UTM words, what a published rule names, and no address or number in any text."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from custom_events.backtest.backtest import backtest_sync
from custom_events.history.drafts import Draft
from custom_events.pipeline.kept_fields import KeptFields, clean, clean_address, is_kept_by_name
from custom_events.platforms.attribution import LANDING_NAMES
from custom_events.platforms.registry import PLATFORMS
from custom_events.queries.stored_facts import facts_of
from custom_events.values.deliveries import Platform, RawDelivery, SiteContext, Understood
from custom_events.values.events import to_json
from custom_events.values.packed_facts import whole
from tests.world import NOON, World, paid_order

# Somebody's, in places that no list of forbidden names knows.
PLANTED = ("Jolanta", "Zirkelbach", "jo@example.org", "+49 170 5550143", "1971-03-04", "10999")
PERSONAL: dict[str, Any] = {
    "note_attributes": [
        {"name": "gclid", "value": "Cj0KCQ-kept-click"},
        {"name": "ad_user_data", "value": "granted"},
        {"name": "Geburtstag des Kindes", "value": "1971-03-04"},
        {"name": "colour", "value": "blue"},
        {"name": "wish", "value": "for Jolanta Zirkelbach"},
    ],
    "landing_site": "/mugs?utm_source=google&gclid=Cj0KCQ-kept-click&email=jo@example.org&name=Jolanta#Zirkelbach",
    "referring_site": "https://mail.example/inbox?to=jo@example.org",
    "tags": "vip, Jolanta, jo@example.org",
    "billing_address": {"zip": "10999", "country_code": "DE", "city": "Berlin"},
    "discount_codes": [{"code": "AUTUMN"}, {"code": "jo@example.org"}],
    "shipping_lines": [{"title": "call +49 170 5550143", "price": "0"}, {"title": "Express", "price": "0"}],
    "line_items": [
        {"id": 1, "sku": "A-1", "title": "Mug", "quantity": 1, "price": "100.00", "properties": [{"name": "engraving", "value": "Zirkelbach"}, {"name": "size", "value": "L"}]}
    ],
    "refunds": [{"id": 5, "created_at": NOON.isoformat(), "note": "Jolanta did not like it", "transactions": [{"kind": "refund", "status": "success", "amount": "4.00"}], "refund_line_items": []}],
}  # fmt: skip


def understood(platform: Platform, topic: str, body: Any) -> Understood:
    delivery = RawDelivery(topic=topic, body=json.dumps(body).encode())
    return PLATFORMS[platform].understand(delivery, SiteContext(site_id=1, platform=platform))


def texts(verdict: Understood) -> str:
    """All that would be stored, as text."""
    return " ".join(to_json(event).decode() for event in verdict.events) + str(verdict.order) + str(verdict.refunds)


def test_without_a_rule_that_names_it_nothing_of_a_person_is_kept() -> None:
    whole = understood(Platform.SHOPIFY, "orders/updated", paid_order(7, **PERSONAL))
    assert "Jolanta" in texts(whole)
    kept = KeptFields(()).of_understood(whole)
    for planted in PLANTED:
        assert planted not in texts(kept)
    event = kept.events[0]
    assert event.order is not None
    assert [click.id for click in event.clicks][:1] == ["Cj0KCQ-kept-click"]
    assert event.consent is not None
    assert event.utm == {"source": "google"}
    assert event.order.landing_site == "/mugs?utm_source=google&gclid=Cj0KCQ-kept-click"
    assert event.order.referring_site == "https://mail.example/inbox"
    assert (event.order.discount_codes, event.order.shipping_methods) == (("AUTUMN",), ("Express",))
    assert (event.order.items[0].sku, event.order.items[0].title, event.order.total) == (
        "A-1",
        "Mug",
        whole.events[0].amount,
    )
    assert all(other.order is event.order for other in kept.events)  # shared still: their JSON is written once


def test_what_a_rule_names_is_kept_and_an_address_in_it_is_not() -> None:
    names = ["note_attributes.colour", "item.properties.size", "order.tags", "order.billing_postcode", "refund.reason"]
    kept = KeptFields([*names, "order.total"]).of_understood(
        understood(Platform.SHOPIFY, "orders/updated", paid_order(7, **PERSONAL))
    )
    event = kept.events[-1]
    assert event.order is not None
    assert event.refund is not None
    assert event.note_attributes == {"colour": "blue"}
    assert event.order.items[0].properties == {"size": "L"}
    assert event.order.tags == ("vip", "Jolanta")
    assert event.order.billing_postcode == "10999"
    assert event.refund.reason == "Jolanta did not like it"
    assert KeptFields(names) == KeptFields([*names, "order.total"])
    assert hash(KeptFields(names)) == hash(KeptFields(names))


def test_of_a_senders_properties_the_named_path_is_kept() -> None:
    properties = {
        "membership": {"level": "gold", "card": "Jolanta", "mails": ["jo@example.org", "x"]},
        "list": [{"a": "jo@example.org", "b": 1}, {"a": "x"}],
        "whole": {"a": "b", "email": "x", "who": "jo@example.org", "jo@example.org": 5},
        "other": "Jolanta",
        "phone": "+49 170 5550143",
    }
    body = {
        "id": "e1", "type": "customer.created", "occurred_at": "2026-11-20T10:00:00Z", "customer": {"id": "c1"},
        "properties": properties,
    }  # fmt: skip
    names = ["properties.membership.level", "properties.list.0.b", "properties.list.1.a", "properties.whole", "properties.whole.a", "properties.phone"]  # fmt: skip
    (event,) = KeptFields(names).of_understood(understood(Platform.CUSTOM, "customer.created", body)).events
    assert {name: json.loads(bytes(raw)) for name, raw in event.properties.items()} == {
        "membership": {"level": "gold"},
        "list": [{"b": 1}, {"a": "x"}],
        "whole": {"a": "b"},
    }


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("/a", "/a"),
        ("/a?gclid=x&email=y", "/a?gclid=x"),
        ("/a?utm_source=jo%40example.org&UTM_MEDIUM=cpc", "/a?UTM_MEDIUM=cpc"),
        ("/account/jo@example.org?gclid=x", None),
        ("/account/jo%40example.org", None),
        ("/account/jo%252540example.org", None),
        ("/account/100%25", "/account/100%25"),
        ("/a%25252525252541", None),  # nobody writes so
        ("/a?utm_source=jo%2540example.org&gclid=x", "/a?gclid=x"),
        ("/a?utm_term=+49%20170%205550143&utm_id=x", "/a?utm_id=x"),
        ("/a?utm_term=0170+5550143&utm_id=x", "/a?utm_id=x"),
        ("/a?utm_campaign=summer+sale+2026", "/a?utm_campaign=summer+sale+2026"),
        ("https://shop.example/?x#gclid=y", "https://shop.example/"),
    ],
)
def test_addresses_of_pages_are_cut(page: str, expected: str | None) -> None:
    assert clean_address(page, LANDING_NAMES) == expected


@given(st.text(max_size=30), st.sampled_from(["jo@example.org", "+49 170 5550143"]))
def test_no_text_that_is_kept_holds_an_address_or_a_number(around: str, personal: str) -> None:
    assert clean(f"{around} {personal} {around}") is None


@pytest.mark.parametrize(
    ("number", "key"), [("jo@example.org", "e:"), ("+49 170 5550143", None), ("u-17", "c:u-17"), ("a@b", "c:a@b")]
)
def test_ids_that_are_addresses_are_none(number: str, key: str | None) -> None:
    body = {
        "id": "e1", "type": "order.paid", "occurred_at": "2026-11-20T10:00:00Z", "customer": {"id": number},
        "order": {"id": number, "cart_token": number, "checkout_token": number, "total": "5.00", "currency": "EUR", "created_at": "2026-11-20T10:00:00Z", "updated_at": "2026-11-20T10:00:00Z"},
    }  # fmt: skip
    verdict = KeptFields(()).of_understood(understood(Platform.CUSTOM, "order.paid", body))
    event = verdict.events[-1]
    assert event.order is not None
    assert event.customer is not None
    if key is None or key == "e:":
        assert number not in texts(verdict)
        assert event.order.id.startswith("hashed:")
        assert event.customer.id is None
        assert (event.customer.email_sha256 or event.customer.phone_sha256) is not None
    if key is not None:
        assert (event.customer.key or "").startswith(key)


def test_fields_that_are_kept_by_name() -> None:
    assert is_kept_by_name("meta.x.y")
    assert is_kept_by_name("customer.tags")
    assert not is_kept_by_name("order.total")
    assert not is_kept_by_name("metadata")


def stored(engine: sa.Engine) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        rows = connection.execute(sa.text(f"SELECT {facts_of('e')} FROM app.commerce_events e ORDER BY id")).scalars()
        return [json.loads(whole(facts)) for facts in rows]


COLOUR = {"field": "note_attributes.colour", "op": "=", "value": "blue"}


def test_a_rule_that_is_published_later_has_it_from_then_on_and_a_backtest_says_so(
    database: str, engine: sa.Engine
) -> None:
    world = World(database, engine)
    site = world.site()
    world.rule(site, "purchase", trigger=["order.paid"])
    world.land(site, "orders/paid", paid_order(1, **PERSONAL))
    world.drain()
    assert not any("note_attributes" in facts for facts in stored(engine))
    assert "Zirkelbach" not in str(stored(engine))
    draft = Draft(definition="purchase", config={"trigger": ["order.paid"], "conditions": COLOUR})
    period: dict[str, Any] = {"since": datetime(2026, 1, 1, tzinfo=UTC), "until": datetime(2035, 1, 1, tzinfo=UTC)}
    notes = " ".join(backtest_sync(database, draft, **period).notes)
    assert "note_attributes.colour was not kept before: no published rule named it" in notes
    world.rule(site, "blue", trigger=["order.paid"], conditions=COLOUR)
    world.land(site, "orders/paid", paid_order(2, **PERSONAL))
    world.drain()
    kept = [facts for facts in stored(engine) if facts["order"]["id"] == "2"]
    assert {json.dumps(facts["note_attributes"]) for facts in kept} == {'{"colour": "blue"}'}
    notes = " ".join(backtest_sync(database, draft, **period).notes)
    assert "note_attributes.colour was not kept before 20" in notes


def test_a_verdict_without_events_is_left_alone(order: Callable[..., dict[str, Any]]) -> None:
    nothing = understood(Platform.SHOPIFY, "products/update", {"id": 1})
    assert KeptFields(()).of_understood(nothing) is nothing
    plain = understood(Platform.SHOPIFY, "orders/paid", msgspec.json.decode(json.dumps(order(3))))
    assert KeptFields(()).of_understood(plain).events[0].order is not None


def _note(text: str, country: str | None, default_country: str | None = None) -> str | None:
    """What is kept of a note of an order that is delivered to a country."""
    address = {"billing_address": {"country_code": country}} if country else {}
    body = paid_order(7, note_attributes=[{"name": "note", "value": text}], **address)
    verdict = understood(Platform.SHOPIFY, "orders/paid", body)
    kept = KeptFields(["note_attributes.note"]).of_understood(verdict, default_country)
    return kept.events[0].note_attributes.get("note")


@pytest.mark.parametrize(
    ("country", "text"),
    [
        ("DE", "bitte anrufen 030 9018 20"), ("DE", "Handy 01512 3456789 ab 18 Uhr"), ("DE", "Tel.: (030) 901820, danke"), ("DE", "mobil 015123456789"),
        ("FR", "appeler le 06 12 34 56 78 avant"), ("GB", "ring 020 7946 0018 please"), ("US", "call (201) 555-0123 first"), ("US", "at 201-555-0123"),
        ("ES", "llamar al 612 34 56 78"), ("IT", "chiamare 02 1234 5678"), ("NL", "bel 06-12345678"), ("SE", "ring 070-123 45 67"),
    ],
)  # fmt: skip
def test_a_number_as_written_at_home_is_not_kept_among_other_words(country: str, text: str) -> None:
    assert _note(text, country) is None
    assert _note(text, None, default_country=country) is None


@pytest.mark.parametrize(
    "text",
    ["Order 12345678 again", "order #4711-0815-001", "Bestellung 2026-030-90182", "Rechnung 0375 8937 205", "SKU 030 901 820 red", "Art.-Nr. 201-555-0123",
     "between 10:00 and 12:30 on 01.12.2026", "2026-11-30 10:15:00", "pay 1 234,56 EUR or 1,234,567.89", "size 100 x 200 x 300 cm", "EAN 4006381333931",
     "ISBN 978-3-16-148410-0", "Tracking 00340434161094042557", "voucher 1234-5678-9012-3456", "Los 254/0709/955", "gift for Tom, 2 pieces, 10115 Berlin", "30-31-32-33"],
)  # fmt: skip
@pytest.mark.parametrize("country", ["DE", "US", "FR", "GB"])
def test_numbers_of_something_else_are_kept(country: str, text: str) -> None:
    assert _note(text, country) == text


def test_all_free_text_is_asked_and_what_shops_compose_is_not() -> None:
    number = "call (201) 555-0123"
    body = paid_order(7, **PERSONAL) | {
        "tags": f"vip, {number}",
        "billing_address": {"country_code": "US"},
        "line_items": [{"id": 1, "title": number, "quantity": 1, "properties": [{"name": "size", "value": number}]}],
    }
    names = ["item.properties.size", "order.tags", "refund.reason"]
    event = KeptFields(names).of_understood(understood(Platform.SHOPIFY, "orders/updated", body)).events[-1]
    assert event.order is not None
    assert event.order.tags == ("vip",)
    assert (event.order.items[0].title, event.order.items[0].properties) == (number, {})
    properties = {"note": {"text": number, "list": [number, "x"]}, "other": number}
    custom = {
        "id": "e1", "type": "customer.created", "occurred_at": "2026-11-20T10:00:00Z", "customer": {"id": "c1"}, "properties": properties,
    }  # fmt: skip
    verdict = understood(Platform.CUSTOM, "customer.created", custom)
    (event,) = KeptFields(["properties.note", "properties.other"]).of_understood(verdict, "US").events
    assert {name: json.loads(bytes(raw)) for name, raw in event.properties.items()} == {"note": {"list": [None, "x"]}}
