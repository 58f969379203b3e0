"""What browsers told adds to orders, whichever came first; it makes none, and changes no amount."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from custom_events.pipeline.beacons import Evidence, with_evidence
from custom_events.values.beacons import MECHANISM, Beacon
from custom_events.values.clicks import Click, ClickCarrier, ClickKind, Consent, ConsentStatus
from custom_events.values.events import CommerceEvent, EventType
from tests.world import NOON, paid_order

InWorld = Callable[[Callable[[Any], Any]], None]
CLICK = {"kind": "gclid", "id": "Cj0KCQ-from-a-browser-1", "carrier": "pixel"}
CONSENT = {"ad_user_data": "granted", "ad_personalization": "granted", "source": "banner"}
LEDGER = "SELECT state, click_id, ad_user_data, value FROM app.conversion_uploads"
TOKEN = "a-token-of-a-checkout"
OF_THE_ORDER = [
    {"name": "gclid", "value": "Cj0KCQ-of-the-order-1"},
    {"name": "consent_ad_user_data", "value": "granted"},
]


def bare(order_id: int = 1, **fields: Any) -> dict[str, Any]:
    """A paid order without a click and without a word about consent."""
    return paid_order(order_id, **{"note_attributes": [], "checkout_token": TOKEN, **fields})


def beacon(world: Any, site: int, *, around: bool = True, **fields: Any) -> int:
    raw = world.land(site, "collect", {"clicks": [CLICK], "consent": CONSENT, **fields}, headers={MECHANISM: "collect"})
    if around:
        with world.engine.begin() as connection:  # an order of the world is two days old
            connection.exec_driver_sql(
                "UPDATE landing.raw_events SET received_at = %s WHERE id = %s", (NOON + timedelta(minutes=1), raw)
            )
    return raw


@pytest.mark.parametrize("about", [{"checkout_token": TOKEN}, {"cart_token": TOKEN}, {"order_id": "1"}])
@pytest.mark.parametrize("together", [True, False])
def test_a_beacon_before_its_order(in_world: InWorld, about: dict[str, str], *, together: bool) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        beacon(world, site, **about)
        if not together:
            await world.batch()
        world.land(site, "orders/paid", bare())
        while (await world.batch()).raw:
            pass
        assert await world.rows("SELECT state, click_id, ad_user_data FROM app.conversion_uploads") == [
            ("queued", CLICK["id"], "granted")
        ]
        assert await world.rows("SELECT carrier, click_id FROM app.clicks") == [("pixel", CLICK["id"])]

    in_world(test)


def test_a_beacon_after_its_order(in_world: InWorld) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action(), consent_needed="granted")
        world.land(site, "orders/paid", bare())
        await world.batch()
        assert await world.rows("SELECT state, reason FROM app.conversion_uploads") == [("withheld", "consent_unknown")]
        beacon(world, site, order_id="1")
        while (await world.batch()).raw:
            pass
        assert await world.rows("SELECT state, click_id, ad_user_data FROM app.conversion_uploads") == [
            ("queued", CLICK["id"], "granted")
        ]
        assert await world.rows("SELECT count(*) FROM app.custom_events WHERE withdrawn_at IS NULL") == [(1,)]
        assert await world.value("SELECT count(*) FROM landing.raw_queue") == 0

    in_world(test)


def test_what_an_order_says_itself_stays(in_world: InWorld) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        beacon(world, site, order_id="1", consent={"ad_user_data": "denied"})
        world.land(site, "orders/paid", bare(note_attributes=OF_THE_ORDER))
        await world.batch()
        assert await world.rows("SELECT click_id, ad_user_data FROM app.conversion_uploads") == [
            ("Cj0KCQ-of-the-order-1", "granted")
        ]

    in_world(test)


def test_a_refusal_of_who_has_the_checkouts_token_counts(in_world: InWorld) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        beacon(world, site, checkout_token=TOKEN, consent={"ad_user_data": "denied"})
        world.land(site, "orders/paid", bare(note_attributes=OF_THE_ORDER))
        await world.batch()
        assert await world.rows("SELECT state, reason FROM app.conversion_uploads") == [("withheld", "consent_denied")]

    in_world(test)


def test_it_makes_no_event_and_is_of_its_own_site_and_time(in_world: InWorld) -> None:
    async def test(world: Any) -> None:
        site, other = world.site(), world.site()
        world.rule(site, ads_action=world.action())
        beacon(world, site, order_id="77", total_price="5.00")
        beacon(world, other, order_id="1")
        beacon(world, site, order_id="1", around=False)
        with world.engine.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE landing.raw_events SET received_at = now() + interval '3 days' WHERE site_id = 1 AND id > 2"
            )
        await world.batch()
        assert await world.rows("SELECT outcome, new_events FROM app.raw_outcomes") == [("understood", 0)] * 3
        assert await world.rows("SELECT * FROM app.commerce_events") == []
        world.land(site, "orders/paid", bare())
        await world.batch()
        assert await world.rows("SELECT click_id FROM app.conversion_uploads") == [(None,)]

    in_world(test)


def test_a_header_of_a_sender_makes_no_beacon(in_world: InWorld) -> None:
    from custom_events.platforms.registry import PLATFORMS

    assert all(MECHANISM not in platform.kept_headers for platform in PLATFORMS.values())

    async def test(world: Any) -> None:
        site = world.site()
        world.land(site, "collect", json.dumps({"order_id": "1"}).encode())
        await world.batch()
        assert await world.rows("SELECT outcome, reason FROM app.raw_outcomes") == [("parked", "unknown_topic")]

    in_world(test)


def test_evidence_is_one_whatever_came_first() -> None:
    click = Click(kind=ClickKind.WBRAID, id="w", carrier=ClickCarrier.PIXEL)
    better = Click(kind=ClickKind.GCLID, id="g", carrier=ClickCarrier.PIXEL)
    yes, no = ConsentStatus.GRANTED, ConsentStatus.DENIED
    told = [
        Evidence(NOON, Beacon(cart_token=TOKEN, clicks=(click,), utm={"utm_source": "x"}), by_token=True),
        Evidence(NOON, Beacon(order_id="1", clicks=(better, click), consent=Consent(ad_user_data=no)), by_token=False),
        Evidence(NOON, Beacon(cart_token=TOKEN, consent=Consent(ad_user_data=yes, source="a")), by_token=True),
    ]
    order = CommerceEvent(
        type=EventType.ORDER_PAID, key="order.paid:1", occurred_at=NOON, evidence_at=NOON, order=_order()
    )
    for evidence in (told, told[::-1]):
        event = with_evidence(order, evidence)
        assert event.clicks == (better, click)
        assert event.consent is not None
        assert event.utm == {"utm_source": "x"}
    without = CommerceEvent(type=EventType.ORDER_PAID, key="x", occurred_at=NOON, evidence_at=NOON)
    assert with_evidence(without, told) is without


def _order() -> Any:
    from custom_events.values.events import Order

    return Order(id="1", created_at=NOON, updated_at=NOON)
