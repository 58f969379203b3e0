"""Odd leaves through a whole batch: the conversion goes, the leaf is counted; other click ids stand beside the one that goes."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from custom_events.queries import odd_leaves as sql

InWorld = Callable[[Callable[[Any], Any]], None]
COUNTED = "SELECT site_id, path, bodies, raw_id FROM app.odd_leaves ORDER BY 1, 2"


def test_a_body_with_an_odd_leaf_is_sent_and_counted(in_world: InWorld, order: Any) -> None:
    async def test(world: Any) -> None:
        site, other = world.site(), world.site("other")
        world.rule(site, ads_action=world.action())
        address = {"zip": 10115, "country_code": "DE"}
        world.land(site, "orders/paid", order(1, billing_address=address, total_tax=""))
        second = world.land(site, "orders/paid", order(2, billing_address=address))
        third = world.land(other, "orders/paid", order(3, billing_address=address))
        figures = await world.batch()
        assert (figures.understood, figures.queued) == (3, 2)
        assert await world.rows(COUNTED) == [
            (site, "$.billing_address.zip", 2, second),
            (site, "$.total_tax", 1, second - 1),
            (other, "$.billing_address.zip", 1, third),
        ]
        assert await world.value("SELECT order_id FROM app.orders WHERE order_id = '1'") == "1"
        fourth = world.land(site, "orders/paid", order(4, total_tax=""))
        await world.batch()
        assert (site, "$.total_tax", 2, fourth) in await world.rows(COUNTED)
        first, last = (await world.rows("SELECT min(first_seen_at), max(last_seen_at) FROM app.odd_leaves"))[0]
        assert first < last

    in_world(test)


def test_ordinary_bodies_leave_nothing(in_world: InWorld, order: Any) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.land(site, "orders/paid", order(1))
        world.land(site, "orders/paid", order(2, total_price={}))
        figures = await world.batch()
        assert figures.parked == {"wrong_shape": 1}
        assert await world.rows(COUNTED) == []

    in_world(test)


def test_a_site_has_only_so_many_paths(in_world: InWorld, order: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "COUNT", sql.COUNT.replace(f"< {sql.MAX_PATHS_OF_SITE}", "< 1"))

    async def test(world: Any) -> None:
        site = world.site()
        for fields in ({"total_tax": ""}, {"total_discounts": ""}, {"subtotal_price": ""}, {"total_tax": ""}):
            world.land(site, "orders/paid", order(1, **fields))
            await world.batch()
        assert await world.rows("SELECT path, bodies FROM app.odd_leaves ORDER BY 1") == [
            ("$.*", 2),
            ("$.total_tax", 2),
        ]

    in_world(test)


OTHERS = "SELECT click_id, other_clicks::text FROM app.conversion_uploads ORDER BY id"


def clicks(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def test_the_other_click_ids_of_an_order_stand_in_the_ledger(in_world: InWorld, order: Any) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        world.land(site, "orders/paid", order(1))
        several = clicks(("gclid", "Cj0KCQ-first-1"), ("_gcl_aw", "GCL.1763632800.Cj0KCQ-too-old"))
        landing = "/?gclid=Cj0KCQ-landing-1&gbraid=0AAAAA-landing"
        world.land(site, "orders/paid", order(2, note_attributes=several, landing_site=landing))
        await world.batch()
        (_, none), (click, others) = await world.rows(OTHERS)
        assert (none, click) == (None, "Cj0KCQ-first-1")
        assert [one["id"] for one in json.loads(others)] == ["Cj0KCQ-landing-1", "0AAAAA-landing"]

    in_world(test)


def test_an_action_that_takes_no_gbraid_has_none_among_the_others(in_world: InWorld, order: Any) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action(one_per_click=True))
        attributes = clicks(("gclid", "Cj0KCQ-first-1"), ("gbraid", "0AAAAA-one"))
        world.land(site, "orders/paid", order(1, note_attributes=attributes))
        await world.batch()
        assert await world.rows(OTHERS) == [("Cj0KCQ-first-1", None)]

    in_world(test)


def test_a_corrected_event_corrects_the_other_click_ids(in_world: InWorld, order: Any, noon: datetime) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        late = (noon + timedelta(hours=1)).isoformat()
        attributes = clicks(("gclid", "Cj0KCQ-first-1"))
        world.land(
            site, "orders/updated", order(1, note_attributes=attributes, landing_site="/?gclid=Cj0KCQ-land-1", updated_at=late)
        )  # fmt: skip
        await world.batch()
        before = await world.rows(OTHERS)
        assert before[0][1] is not None
        world.land(site, "orders/paid", order(1, note_attributes=attributes))
        await world.batch()
        assert await world.rows(OTHERS) == [("Cj0KCQ-first-1", None)]

    in_world(test)


def test_a_capture_time_is_in_the_sites_zone(in_world: InWorld, order: Any, noon: datetime) -> None:
    """Five minutes before the order by a clock in Berlin: not an hour or two after it."""

    async def test(world: Any) -> None:
        site = world.site()
        world.rule(site, ads_action=world.action())
        local = await world.value("SELECT to_char($1::timestamptz AT TIME ZONE 'Europe/Berlin', 'YYYY-MM-DD HH24:MI:SS')", noon - timedelta(minutes=5))  # fmt: skip
        attributes = clicks(("gclid", "Cj0KCQ-first-1"), ("gclid_time", local))
        world.land(site, "orders/paid", order(1, note_attributes=attributes, email=None, customer=None))
        await world.batch()
        assert await world.rows("SELECT state, clicked_at FROM app.conversion_uploads") == [
            ("queued", noon - timedelta(minutes=5))
        ]

    in_world(test)


def test_a_subscription_under_an_orders_topic_is_no_second_conversion(in_world: InWorld, noon: datetime) -> None:
    async def test(world: Any) -> None:
        site = world.site("woo", "woocommerce")
        world.rule(site, ads_action=world.action())
        at = noon.replace(tzinfo=None).isoformat()
        body = {
            "id": 601, "status": "processing", "total": "25.00", "currency": "EUR", "date_created_gmt": at, "date_modified_gmt": at,
            "date_paid_gmt": at, "billing": {"email": "p@example.org"}, "meta_data": [{"key": "_gclid", "value": "Cj0KCQ-sub-1"}],
        }  # fmt: skip
        world.land(site, "order.created", body)
        subscription = {
            "id": 602,
            "status": "active",
            "parent_id": 601,
            "billing_period": "month",
            "billing_interval": "1",
        }
        world.land(site, "order.created", body | subscription | {"start_date_gmt": at})
        await world.batch()
        assert await world.value("SELECT count(*) FROM app.conversion_uploads") == 1
        assert await world.rows("SELECT subscription_id, status FROM app.subscriptions") == [("602", "active")]

    in_world(test)
