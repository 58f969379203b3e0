"""S24-S26: adjustments, of conversions that are there and of those that are not there yet."""

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sandbox.google_ads.server import SandboxGoogle
from tests.sandbox.google_ads.conftest import Ads

SHOP, OTHER = "1234567890", "2222222222"
FAMILY = "conversion_adjustment_upload_error."


def action(number: int, customer: str = SHOP) -> str:
    return f"customers/{customer}/conversionActions/{number}"


@pytest.fixture
def sold(ads: Ads) -> None:
    """An order `o1` of 100 EUR at 11:00, uploaded."""
    assert ads.errors(ads.upload(ads.row(order_id="o1"))) == []


def test_partial_refunds_then_a_full_one(google: SandboxGoogle, ads: Ads, sold: Any) -> None:
    for value, minute in ((70.0, 10), (40.0, 20)):
        row = ads.adjustment(order_id="o1", value=value, adjustment_date_time=f"2026-11-20 11:{minute}:00+00:00")
        response = ads.adjust(row)
        assert ads.errors(response) == []
        assert response.results[0].order_id == "o1"
    conversion = google.state.conversions[0]
    assert (conversion.value, conversion.original_value, conversion.counted) == (40.0, 100.0, True)
    assert ads.errors(ads.adjust(ads.adjustment("RETRACTION", order_id="o1"))) == []
    assert (conversion.value, conversion.retracted, conversion.counted) == (0.0, True, False)
    again = [ads.adjustment("RETRACTION", order_id="o1"), ads.adjustment(order_id="o1", value=5.0)]
    assert ads.names(ads.adjust(again[0])) == ["CONVERSION_ALREADY_RETRACTED"]
    assert ads.names(ads.adjust(again[1])) == ["CONVERSION_ALREADY_RETRACTED"]


def test_s24_a_missing_conversion_waits_a_day_and_fails(google: SandboxGoogle, ads: Ads) -> None:
    row = ads.adjustment(order_id="not-there", value=1.0)
    assert ads.errors(ads.adjust(row, job_id=5)) == []
    (adjustment,) = google.state.adjustments
    assert adjustment.status == "PENDING"
    google.clock.move(timedelta(hours=23, minutes=59))
    ads.rows("SELECT customer.id FROM customer")
    assert adjustment.status == "PENDING"
    google.clock.move(timedelta(minutes=1))
    ads.rows("SELECT customer.id FROM customer")
    assert (adjustment.status, adjustment.error) == ("FAILED", "CONVERSION_NOT_FOUND")


def test_s24_waiting_adjustments_meet_their_conversion(google: SandboxGoogle, ads: Ads) -> None:
    later = "2026-11-20 11:40:00+00:00"
    rows = [
        ads.adjustment(order_id="o1", value=40.0, adjustment_date_time=later),
        ads.adjustment(order_id="o1", value=70.0),
        ads.adjustment(order_id="o1", value=9.0, adjustment_date_time="2026-11-20 10:00:00+00:00"),
    ]
    assert ads.errors(ads.adjust(*rows)) == []
    ads.upload(ads.row(order_id="o1"))
    assert google.state.conversions[0].value == 40.0
    states = sorted(
        (adjustment.status, adjustment.error) for adjustment in google.state.adjustments if adjustment.error
    )
    assert states == [("FAILED", "ADJUSTMENT_PRECEDES_CONVERSION")]
    assert google.state.waiting == {}


def test_s24_the_older_way_was_to_refuse_at_once(google: SandboxGoogle, ads: Ads) -> None:
    google.state.switches.missing_conversion_refused_at_once = True
    assert ads.names(ads.adjust(ads.adjustment(order_id="not-there", value=1.0))) == ["CONVERSION_NOT_FOUND"]
    assert google.state.adjustments == []


def test_s24_by_gclid_and_time_only_without_order_id(
    google: SandboxGoogle, ads: Ads, new_click: Callable[..., Any]
) -> None:
    gclid, when = new_click("gclid"), "2026-11-20 11:00:00+00:00"
    waiting = ads.adjustment(pair=(gclid, when), value=50.0)
    assert ads.errors(ads.adjust(waiting)) == []
    ads.upload(ads.row(gclid=gclid))
    assert google.state.conversions[0].value == 50.0
    found = ads.adjustment("RETRACTION", pair=(gclid, "2026-11-20 13:00:00+02:00"))
    response = ads.adjust(found)
    assert response.results[0].gclid_date_time_pair.gclid == gclid
    assert google.state.conversions[0].retracted
    with_order = new_click("gclid")
    ads.upload(ads.row(gclid=with_order, order_id="o2"))
    ads.adjust(ads.adjustment("RETRACTION", pair=(with_order, when)))
    assert google.state.adjustments[-1].status == "PENDING"


def test_s24_what_cannot_be_adjusted_is_not_found(
    google: SandboxGoogle, ads: Ads, new_click: Callable[..., Any]
) -> None:
    ads.upload(ads.row(wbraid=new_click("wbraid"), order_id="w"), ads.row(order_id="g"))
    google.state.by_order["1", "g"].via = "data_manager"
    google.state.switches.data_manager_conversions_adjustable = False
    google.state.switches.missing_conversion_refused_at_once = True
    rows = [ads.adjustment(order_id=order, value=1.0) for order in ("w", "g")]
    assert ads.names(ads.adjust(*rows)) == ["CONVERSION_NOT_FOUND"] * 2
    google.state.switches.data_manager_conversions_adjustable = True
    google.state.switches.wbraid_conversions_adjustable = True
    assert ads.errors(ads.adjust(*rows)) == []


def test_what_a_row_must_look_like(ads: Ads, sold: Any, new_click: Callable[..., Any]) -> None:
    pair = (new_click("gclid"), "2026-11-20 11:00:00+00:00")
    restated = ads.adjustment(order_id="o1", value=1.0)
    restated.restatement_value.ClearField("adjusted_value")
    cases = [
        (
            ads.adjustment(order_id="o1", value=1.0, conversion_action=action(404)),
            FAMILY + "NO_CONVERSION_ACTION_FOUND",
            "conversion_action",
        ),
        (ads.adjustment("UNSPECIFIED", order_id="o1"), "field_error.REQUIRED", "adjustment_type"),
        (ads.adjustment("ENHANCEMENT", order_id="o1"), FAMILY + "INVALID_CONVERSION_ACTION_TYPE", "conversion_action"),
        (
            ads.adjustment(order_id="o1", pair=pair, value=1.0),
            FAMILY + "GCLID_DATE_TIME_PAIR_AND_ORDER_ID_BOTH_SET",
            "",
        ),
        (ads.adjustment(value=1.0), "field_error.REQUIRED", "order_id"),
        (
            ads.adjustment(pair=pair, value=1.0, conversion_action=action(5)),
            FAMILY + "MISSING_ORDER_ID_FOR_WEBPAGE",
            "order_id",
        ),
        (ads.adjustment(order_id="", value=1.0), "string_length_error.TOO_SHORT", "order_id"),
        (ads.adjustment(order_id="x" * 65, value=1.0), "string_length_error.TOO_LONG", "order_id"),
        (ads.adjustment(order_id="a@b.de", value=1.0), FAMILY + "ORDER_ID_CONTAINS_PII", "order_id"),
        (
            ads.adjustment(order_id="o1", value=1.0, adjustment_date_time="today"),
            "date_error.INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET",
            "adjustment_date_time",
        ),
        (
            ads.adjustment(order_id="o1", value=1.0, adjustment_date_time="2026-11-20 13:00:00+00:00"),
            "date_error.LATER_THAN_MAXIMUM_DATE",
            "adjustment_date_time",
        ),
        (
            ads.adjustment(pair=(pair[0], "noon"), value=1.0),
            "date_error.INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET",
            "gclid_date_time_pair.conversion_date_time",
        ),
        (
            ads.adjustment("RETRACTION", order_id="o1", value=1.0),
            "field_error.VALUE_MUST_BE_UNSET",
            "restatement_value",
        ),
        (ads.adjustment(order_id="o1"), "field_error.REQUIRED", "restatement_value"),
        (restated, "field_error.REQUIRED", "restatement_value"),
        (ads.adjustment(order_id="o1", value=-1.0), "field_error.INVALID_VALUE", "restatement_value.adjusted_value"),
        (
            ads.adjustment(order_id="o1", value=math.nan),
            "field_error.INVALID_VALUE",
            "restatement_value.adjusted_value",
        ),
        (
            ads.adjustment(order_id="o1", value=1.0, conversion_action=action(4)),
            FAMILY + "CANNOT_RESTATE_CONVERSION_ACTION_THAT_ALWAYS_USES_DEFAULT_CONVERSION_VALUE",
            "",
        ),
        (
            ads.adjustment(order_id="o1", value=1.0, users=["0" * 64]),
            "field_error.VALUE_MUST_BE_UNSET",
            "user_identifiers",
        ),
    ]
    response = ads.adjust(*(row for row, _, _ in cases))
    assert ads.errors(response) == [(index, name, field) for index, (_, name, field) in enumerate(cases)]


def test_an_action_must_be_six_hours_old(google: SandboxGoogle, ads: Ads) -> None:
    google.state.actions["1"].created_at = google.clock.now()
    assert ads.names(ads.adjust(ads.adjustment(order_id="o", value=1.0))) == ["TOO_RECENT_CONVERSION_ACTION"]


def test_s25_times_against_the_conversion(google: SandboxGoogle, ads: Ads, sold: Any) -> None:
    same = ads.adjustment(order_id="o1", value=1.0, adjustment_date_time="2026-11-20 12:00:00+01:00")
    assert ads.names(ads.adjust(same)) == ["ADJUSTMENT_PRECEDES_CONVERSION"]
    google.clock.move(timedelta(days=53, hours=23))
    assert ads.errors(ads.adjust(ads.adjustment(order_id="o1", value=1.0))) == []
    google.clock.move(timedelta(hours=1))
    assert ads.names(ads.adjust(ads.adjustment("RETRACTION", order_id="o1"))) == ["CONVERSION_EXPIRED"]


def test_s26_restatements_go_forward(google: SandboxGoogle, ads: Ads, sold: Any) -> None:
    first = ads.adjustment(order_id="o1", value=70.0, currency="SEK")
    assert ads.errors(ads.adjust(first)) == []
    assert google.state.conversions[0].currency == "SEK"
    assert ads.names(ads.adjust(first)) == ["RESTATEMENT_ALREADY_EXISTS"]
    older = ads.adjustment(order_id="o1", value=60.0, adjustment_date_time="2026-11-20 11:29:59+00:00")
    assert ads.names(ads.adjust(older)) == ["MORE_RECENT_RESTATEMENT_FOUND"]
    twice = [
        ads.adjustment(order_id="o1", value=value, adjustment_date_time="2026-11-20 11:50:00+00:00")
        for value in (1.0, 2.0)
    ]
    assert ads.names(ads.adjust(*twice)) == ["DUPLICATE_ADJUSTMENT_IN_REQUEST"] * 2
    assert google.state.conversions[0].value == 70.0


def test_currency_of_a_restatement_falls_back(google: SandboxGoogle, ads: Ads, sold: Any) -> None:
    assert ads.errors(ads.adjust(ads.adjustment(order_id="o1", value=3.0, currency=""))) == []
    assert google.state.conversions[0].currency == "EUR"


def test_validate_only_changes_nothing(google: SandboxGoogle, ads: Ads, sold: Any) -> None:
    response = ads.adjust(ads.adjustment(order_id="o1", value=3.0), validate_only=True)
    assert ads.errors(response) == []
    assert len(response.results) == 0
    assert google.state.conversions[0].value == 100.0


def test_enhancements_are_for_page_conversions(google: SandboxGoogle, ads: Ads, hashed: Callable[..., Any]) -> None:
    page = action(5)
    google.state.actions["5"].type = "UPLOAD_CLICKS"
    ads.upload(ads.row(order_id="p1", conversion_action=page))
    google.state.actions["5"].type = "WEBPAGE"
    good = [hashed("a@example.com")]
    phone = ads.adjustment("ENHANCEMENT", order_id="p1", conversion_action=page)
    phone.user_identifiers.add().mobile_id = "m"
    address = ads.adjustment("ENHANCEMENT", order_id="p3", conversion_action=page)
    address.user_identifiers.add().address_info.country_code = "DE"
    rows = [
        ads.adjustment("ENHANCEMENT", order_id="p1", conversion_action=page),
        ads.adjustment("ENHANCEMENT", order_id="p1", conversion_action=page, users=good * 6),
        phone,
        ads.adjustment("ENHANCEMENT", order_id="p1", conversion_action=page, users=["plain"]),
        address,
    ]
    assert ads.errors(ads.adjust(*rows)) == [
        (0, "field_error.REQUIRED", "user_identifiers"),
        (1, "collection_size_error.TOO_MANY", "user_identifiers"),
        (2, FAMILY + "UNSUPPORTED_USER_IDENTIFIER", "user_identifiers"),
        (3, FAMILY + "INVALID_USER_IDENTIFIER", "user_identifiers"),
    ]
    enhancement = ads.adjustment("ENHANCEMENT", order_id="p1", conversion_action=page, users=good)
    assert ads.names(ads.adjust(enhancement, enhancement)) == ["DUPLICATE_ENHANCEMENT_IN_REQUEST"] * 2
    assert ads.errors(ads.adjust(enhancement)) == []
    assert ads.names(ads.adjust(enhancement)) == ["CONVERSION_ALREADY_ENHANCED"]
    google.state.customers[SHOP].terms_accepted = False
    assert ads.names(ads.adjust(enhancement)) == ["CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS"]


def test_another_accounts_order_is_not_found(google: SandboxGoogle, client: Callable[..., Any], ads: Ads) -> None:
    ads.upload(ads.row(order_id="o1"))
    google.state.customers[OTHER].conversion_customer_id = SHOP
    google.state.switches.missing_conversion_refused_at_once = True
    assert ads.names(ads.adjust(ads.adjustment(order_id="o1", value=1.0), customer=OTHER)) == ["CONVERSION_NOT_FOUND"]
