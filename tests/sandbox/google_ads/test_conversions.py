"""S11-S22: one conversion row at a time, in the order in which Google finds fault with it."""

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sandbox.google_ads.click_ids import ClickFlag
from sandbox.google_ads.seed import Token
from sandbox.google_ads.server import SandboxGoogle
from tests.sandbox.google_ads.conftest import Ads

SHOP, OTHER, CHILD = "1234567890", "2222222222", "3333333333"


def action(number: int | str, customer: str = SHOP) -> str:
    return f"customers/{customer}/conversionActions/{number}"


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        (None, "NO_CONVERSION_ACTION_FOUND"),
        ("conversionActions/1", "NO_CONVERSION_ACTION_FOUND"),
        (action(404), "NO_CONVERSION_ACTION_FOUND"),
        (action(6), "NO_CONVERSION_ACTION_FOUND"),  # removed
        (action(21), "NO_CONVERSION_ACTION_FOUND"),  # another account's
        (action(5), "INVALID_CONVERSION_ACTION_TYPE"),
    ],
)
def test_s11_the_action(ads: Ads, resource: str | None, name: str) -> None:
    errors = ads.errors(ads.upload(ads.row(conversion_action=resource)))
    assert errors == [(0, f"conversion_upload_error.{name}", "conversion_action")]


def test_s11_the_customer_in_the_action_does_not_count(ads: Ads) -> None:
    assert ads.errors(ads.upload(ads.row(conversion_action=action(1, customer="5555555555")))) == []


def test_s11_an_action_is_six_hours_old_before_it_takes_conversions(google: SandboxGoogle, ads: Ads) -> None:
    google.state.actions["1"].created_at = google.clock.now() - timedelta(hours=5, minutes=59)
    row = ads.row()
    assert ads.names(ads.upload(row)) == ["TOO_RECENT_CONVERSION_ACTION"]
    google.clock.move(timedelta(minutes=1))
    assert ads.errors(ads.upload(row)) == []


def test_s11_external_attribution_needs_an_action_for_it(ads: Ads) -> None:
    row = ads.row()
    row.external_attribution_data.external_attribution_credit = 0.5
    assert ads.names(ads.upload(row)) == [
        "EXTERNAL_ATTRIBUTION_DATA_SET_FOR_NON_EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20 11:00:00",
        "2026-11-20 11:00:00+0000",
        "2026-11-20T11:00:00+00:00",
        "2026-11-20 11:00+00:00",
        "2026-11-20 11:00:00Z",
        "2026-13-20 11:00:00+00:00",
        "2026-W43-2 11:00:00+00:00",
        "0000-01-01 00:00:00+00:00",
    ],
)
def test_s12_the_time_has_one_format(ads: Ads, text: str) -> None:
    response = ads.upload(ads.row(conversion_date_time=text))
    name = "date_error.INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET"
    assert ads.errors(response) == [(0, name, "conversion_date_time")]
    failure = ads.failure(response.partial_failure_error.details[0].value)
    assert failure.errors[0].trigger.string_value == text


def test_s12_the_future_is_refused_unless_switched(google: SandboxGoogle, ads: Ads) -> None:
    row = ads.row(conversion_date_time="2026-11-20 12:00:01+00:00")
    assert ads.errors(ads.upload(row))[0][1] == "date_error.LATER_THAN_MAXIMUM_DATE"
    google.state.switches.future_conversion_refused = False
    assert ads.errors(ads.upload(row)) == []


def test_s13_which_identifiers_go_together(
    google: SandboxGoogle, ads: Ads, new_click: Callable[..., Any], hashed: Callable[..., Any]
) -> None:
    gclid, gbraid, wbraid = (new_click(kind) for kind in ("gclid", "gbraid", "wbraid"))
    rows = [
        ads.row(users=[]),
        ads.row(gbraid=gbraid, wbraid=wbraid),
        ads.row(gclid=gclid, gbraid=gbraid),
        ads.row(wbraid=wbraid, users=[hashed("a")]),
        ads.row(gbraid=new_click("gbraid"), conversion_action=action(3)),
        ads.row(gbraid=new_click("gbraid")),
        ads.row(gclid=new_click("gclid"), users=[hashed("a")]),
    ]
    assert ads.errors(ads.upload(*rows)) == [
        (0, "field_error.REQUIRED", "gclid"),
        (1, "conversion_upload_error.GBRAID_WBRAID_BOTH_SET", "gbraid"),
        (3, "field_error.VALUE_MUST_BE_UNSET", "user_identifiers"),
        (4, "conversion_upload_error.ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID", "gbraid"),
    ]
    google.state.switches.braid_with_user_identifiers_refused = False
    assert ads.errors(ads.upload(rows[3])) == []


@pytest.mark.parametrize("kind", ["gclid", "gbraid", "wbraid"])
def test_s14_ids_that_cannot_be_decoded(ads: Ads, new_click: Callable[..., Any], kind: str) -> None:
    good, name = new_click(kind), f"conversion_upload_error.UNPARSEABLE_{kind.upper()}"
    wrong = [
        good.lower(),
        good[:-1],
        good + "x",
        "h\u00e9" * 16,
        "!" * 32,
        new_click("gclid" if kind != "gclid" else "gbraid"),
    ]
    assert ads.errors(ads.upload(*(ads.row(**{kind: text}) for text in wrong))) == [
        (index, name, kind) for index in range(len(wrong))
    ]


def test_s15_user_identifiers(ads: Ads, hashed: Callable[..., Any]) -> None:
    good = hashed("a@example.com")
    address, mobile = ads.row(users=[good]), ads.row(users=[good])
    address.user_identifiers.add().address_info.country_code = "DE"
    mobile.user_identifiers.add().mobile_id = "m"
    rows = [
        ads.row(users=[good.upper()]),
        ads.row(users=["a@example.com"]),
        ads.row(users=[good, "g" * 64]),
        ads.row(users=[" " * 64]),
        address,
        mobile,
        ads.row(users=[good] * 6),
        ads.row(users=[good] * 5),
    ]
    upload = "conversion_upload_error."
    assert ads.errors(ads.upload(*rows)) == [
        (1, upload + "INVALID_USER_IDENTIFIER", "user_identifiers"),
        (2, upload + "INVALID_USER_IDENTIFIER", "user_identifiers"),
        (3, upload + "INVALID_USER_IDENTIFIER", "user_identifiers"),
        (4, upload + "UNSUPPORTED_USER_IDENTIFIER", "user_identifiers"),
        (5, upload + "UNSUPPORTED_USER_IDENTIFIER", "user_identifiers"),
        (6, "collection_size_error.TOO_MANY", "user_identifiers"),
    ]


@pytest.mark.parametrize(
    ("setting", "value", "name"),
    [
        ("terms_accepted", False, "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS"),
        ("enhanced_conversions", False, "CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS"),
        ("data_policy_prohibits", True, "CUSTOMER_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS"),
    ],
)
def test_s15_the_account_must_be_allowed_to_use_them(
    google: SandboxGoogle, ads: Ads, hashed: Callable[..., Any], setting: str, value: bool, name: str
) -> None:
    setattr(google.state.customers[SHOP], setting, value)
    assert ads.names(ads.upload(ads.row(users=[hashed("a")]), ads.row())) == [name]


def test_s15_nobody_found_is_no_error_of_the_row(google: SandboxGoogle, ads: Ads, hashed: Callable[..., Any]) -> None:
    rows = [ads.row(users=[hashed("known@example.com")]), ads.row(users=[hashed("nobody@example.com")])]
    assert ads.errors(ads.upload(*rows)) == []
    assert [conversion.counted for conversion in google.state.conversions] == [True, False]
    google.state.switches.click_not_found_in_row = True
    assert ads.errors(ads.upload(*rows)) == [(1, "conversion_upload_error.CLICK_NOT_FOUND", "user_identifiers")]


def test_s16_order_ids(ads: Ads) -> None:
    rows = [
        ads.row(order_id=""),
        ads.row(order_id="x" * 64),
        ads.row(order_id="x" * 65),
        ads.row(order_id="jane@example.com"),
        ads.row(order_id="+49 30 1234567"),
        ads.row(order_id="555-123-4567"),
        ads.row(order_id="5012345678901"),
        ads.row(order_id="twice"),
        ads.row(order_id="twice"),
        ads.row(order_id="twice", conversion_action=action(2)),
    ]
    upload = "conversion_upload_error."
    assert ads.errors(ads.upload(*rows)) == [
        (0, "string_length_error.TOO_SHORT", "order_id"),
        (2, "string_length_error.TOO_LONG", "order_id"),
        (3, upload + "ORDER_ID_CONTAINS_PII", "order_id"),
        (4, upload + "ORDER_ID_CONTAINS_PII", "order_id"),
        (5, upload + "ORDER_ID_CONTAINS_PII", "order_id"),
        (7, upload + "DUPLICATE_ORDER_ID", "order_id"),
        (8, upload + "DUPLICATE_ORDER_ID", "order_id"),
    ]
    assert ads.names(ads.upload(ads.row(order_id="5012345678901"))) == ["ORDER_ID_ALREADY_IN_USE"]


def test_s17_one_conversion_per_click_and_instant(
    google: SandboxGoogle, ads: Ads, new_click: Callable[..., Any]
) -> None:
    gclid, times = new_click("gclid"), ("2026-11-20 10:00:00+00:00", "2026-11-20 12:00:00+02:00")
    same = [ads.row(gclid=gclid, conversion_date_time=time) for time in times]
    assert ads.names(ads.upload(*same)) == ["DUPLICATE_CLICK_CONVERSION_IN_REQUEST"] * 2
    assert ads.errors(ads.upload(same[0])) == []
    assert ads.names(ads.upload(same[1])) == ["CLICK_CONVERSION_ALREADY_EXISTS"]
    later = ads.row(gclid=gclid, conversion_date_time="2026-11-20 10:00:01+00:00", order_id="a")
    assert ads.errors(ads.upload(later)) == []
    by_order = [ads.row(gclid=gclid, conversion_date_time="2026-11-20 10:00:01+00:00", order_id=text) for text in "bc"]
    assert ads.errors(ads.upload(*by_order)) == []
    google.state.switches.order_id_separates_same_click_and_time = False
    again = ads.row(gclid=gclid, conversion_date_time="2026-11-20 10:00:01+00:00", order_id="d")
    assert ads.names(ads.upload(again)) == ["CLICK_CONVERSION_ALREADY_EXISTS"]


def test_s18_whose_click_it_is(
    google: SandboxGoogle, client: Callable[..., Any], ads: Ads, new_click: Callable[..., Any]
) -> None:
    google.state.tokens["one"] = Token(token="one", customers=[SHOP])
    of_other = ads.row(gclid=new_click("gclid", customer=OTHER))
    assert ads.names(ads.upload(of_other)) == ["INVALID_CUSTOMER_FOR_CLICK"]
    one = client(token="one")
    assert one.names(one.upload(of_other)) == ["UNAUTHORIZED_CUSTOMER"]
    unknown = [
        ads.row(gclid=new_click("gclid", customer="7777777777")),
        ads.row(gclid=new_click("gclid", flags=ClickFlag.UNKNOWN)),
    ]
    assert ads.names(ads.upload(*unknown)) == ["EVENT_NOT_FOUND"] * 2
    google.state.customers[OTHER].conversion_customer_id = SHOP
    assert ads.errors(ads.upload(of_other)) == []


def test_s18_accounts_under_one_manager_share_their_clicks(
    google: SandboxGoogle, client: Callable[..., Any], new_click: Callable[..., Any]
) -> None:
    google.state.customers[SHOP].manager_id = "9999999999"
    ads = client(login="9999999999")
    assert ads.errors(ads.upload(ads.row(gclid=new_click("gclid", customer=CHILD)))) == []


def test_s18_a_click_takes_conversions_six_hours_later(
    google: SandboxGoogle, ads: Ads, new_click: Callable[..., Any]
) -> None:
    row = ads.row(gclid=new_click("gclid", age=timedelta(hours=5, minutes=59)))
    assert ads.errors(ads.upload(row)) == [(0, "conversion_upload_error.TOO_RECENT_EVENT", "gclid")]
    google.clock.move(timedelta(minutes=1))
    assert ads.errors(ads.upload(row)) == []


def test_s18_before_the_click_and_after_its_window(
    google: SandboxGoogle, ads: Ads, new_click: Callable[..., Any]
) -> None:
    rows = [
        ads.row(gclid=new_click("gclid"), conversion_date_time="2026-11-19 11:59:59+00:00"),
        ads.row(gclid=new_click("gclid", age=timedelta(days=3)), conversion_action=action(7)),
        ads.row(gclid=new_click("gclid", age=timedelta(days=91)), conversion_date_time="2026-08-30 11:00:00+00:00"),
        ads.row(gclid=new_click("gclid", flags=ClickFlag.TRACKING_OFF)),
        ads.row(gclid=new_click("gclid", age=timedelta(days=29))),
    ]
    assert ads.names(ads.upload(*rows)) == [
        "CONVERSION_PRECEDES_EVENT",
        "EXPIRED_EVENT",
        "EXPIRED_EVENT",
        "CONVERSION_TRACKING_NOT_ENABLED_AT_IMPRESSION_TIME",
    ]


def test_s19_one_per_click_counts_once(google: SandboxGoogle, ads: Ads, new_click: Callable[..., Any]) -> None:
    for number, expected in (("3", [True, False]), ("1", [True, True])):
        gclid = new_click("gclid")
        rows = [ads.row(gclid=gclid, conversion_action=action(number), order_id=f"{number}-{order}") for order in "ab"]
        assert ads.errors(ads.upload(*rows)) == []
        assert [conversion.counted for conversion in google.state.conversions[-2:]] == expected


def test_s20_value_and_currency(google: SandboxGoogle, ads: Ads) -> None:
    rows = [
        ads.row(conversion_value=None, currency_code=None),
        ads.row(conversion_action=action(4)),
        ads.row(currency_code="XYZ", conversion_action=action(4)),
        ads.row(currency_code="XYZ"),
        ads.row(currency_code="SEK"),
    ]
    assert ads.errors(ads.upload(*rows)) == []
    assert [(conversion.value, conversion.currency) for conversion in google.state.conversions] == [
        (7.5, "EUR"),
        (5.0, "EUR"),
        (5.0, "USD"),
        (100.0, "EUR"),
        (100.0, "SEK"),
    ]


@pytest.mark.parametrize("value", [-0.01, math.nan, math.inf])
def test_s20_impossible_values(google: SandboxGoogle, ads: Ads, value: float) -> None:
    assert ads.errors(ads.upload(ads.row(conversion_value=value))) == [
        (0, "field_error.INVALID_VALUE", "conversion_value")
    ]
    google.state.switches.negative_value_refused = False
    assert ads.errors(ads.upload(ads.row(conversion_value=value))) == []


def test_s21_consent(google: SandboxGoogle, ads: Ads, new_click: Callable[..., Any]) -> None:
    granted, denied = ads.row(), ads.row()
    granted.consent.ad_user_data, denied.consent.ad_user_data = 2, 3
    eea = ads.row(gclid=new_click("gclid", flags=ClickFlag.EEA))
    assert ads.errors(ads.upload(granted, denied, eea, ads.row())) == []
    assert [(conversion.consent, conversion.user_data_usable) for conversion in google.state.conversions] == [
        ("GRANTED", True),
        ("DENIED", False),
        ("UNSPECIFIED", False),
        ("UNSPECIFIED", True),
    ]
    personal = ads.row()
    personal.consent.ad_personalization = 2
    assert ads.errors(ads.upload(personal)) == [(0, "field_error.VALUE_MUST_BE_UNSET", "consent.ad_personalization")]
    google.state.switches.ad_personalization_refused = False
    assert ads.errors(ads.upload(personal)) == []


def test_s21_features_for_allowlisted_accounts(google: SandboxGoogle, ads: Ads) -> None:
    row = ads.row(user_ip_address="192.0.2.1")
    name = "not_allowlisted_error.CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE"
    assert ads.errors(ads.upload(row)) == [(0, name, "user_ip_address")]
    google.state.customers[SHOP].session_attributes_allowlisted = True
    assert ads.errors(ads.upload(row)) == []


def test_s21_cart_data_and_the_rest(google: SandboxGoogle, ads: Ads) -> None:
    row = ads.row(customer_type=2, conversion_environment=3, order_id="a")
    item = row.cart_data.items.add(product_id="sku", quantity=2, unit_price=9.5)
    row.cart_data.merchant_id = 12
    assert ads.errors(ads.upload(row)) == []
    stored = google.state.conversions[-1]
    assert stored.cart["items"] == [{"product_id": "sku", "quantity": 2, "unit_price": 9.5}]
    assert (stored.customer_type, stored.environment) == ("NEW", "WEB")
    item.quantity = 0
    row.order_id = "b"
    assert ads.errors(ads.upload(row)) == [(0, "field_error.INVALID_VALUE", "cart_data.items.quantity")]
    google.state.switches.cart_quantity_checked = False
    assert ads.errors(ads.upload(row)) == []
    variable = ads.row()
    variable.custom_variables.add(conversion_custom_variable="v", value="1")
    assert ads.names(ads.upload(variable)) == ["CUSTOM_VARIABLE_NOT_ENABLED"]


def test_s22_validate_only_stores_nothing(google: SandboxGoogle, ads: Ads) -> None:
    good = ads.row(order_id="v")
    response = ads.upload(good, ads.row(order_id=""), validate_only=True)
    assert ads.errors(response) == [(1, "string_length_error.TOO_SHORT", "order_id")]
    assert len(response.results) == 0
    assert google.state.conversions == []
    assert ads.errors(ads.upload(good)) == []


def test_results_are_empty_for_failed_rows_and_messages_name_the_first(ads: Ads, new_click: Callable[..., Any]) -> None:
    gclid, wbraid = new_click("gclid"), new_click("wbraid")
    rows = [ads.row(order_id=""), ads.row(gclid=gclid, users=["0" * 64]), ads.row(order_id=""), ads.row(wbraid=wbraid)]
    response = ads.upload(*rows)
    assert [bool(result.ListFields()) for result in response.results] == [False, True, False, True]
    assert response.results[1].gclid == gclid
    assert response.results[3].wbraid == wbraid
    assert response.partial_failure_error.code == 3
    assert response.partial_failure_error.message == (
        "Multiple errors in \u2018details\u2019. First error: Too short., at conversions[0].order_id"
    )
    assert ads.upload(rows[0]).partial_failure_error.message == "Too short., at conversions[0].order_id"


def test_only_the_first_fault_of_a_row_is_told(ads: Ads) -> None:
    row = ads.row(conversion_action=action(404), conversion_date_time="soon", order_id="")
    assert ads.names(ads.upload(row)) == ["NO_CONVERSION_ACTION_FOUND"]
