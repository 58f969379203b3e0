"""S27: queries, and S28: the upload diagnostics they read."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sandbox.google_ads.server import SandboxGoogle
from tests.sandbox.google_ads.conftest import Ads

SHOP = "1234567890"
CLIENT = "offline_conversion_upload_client_summary"
ACTION = "offline_conversion_upload_conversion_action_summary"


def test_actions_with_conditions_order_and_limit(ads: Ads) -> None:
    rows = ads.rows(
        "SELECT conversion_action.id, conversion_action.name, conversion_action.type, customer.currency_code "
        "FROM conversion_action WHERE conversion_action.type = 'UPLOAD_CLICKS' AND conversion_action.status != REMOVED "
        "AND conversion_action.id IN (1, 2, 3, 5) ORDER BY conversion_action.id DESC LIMIT 2"
    )
    assert [(row.conversion_action.id, row.conversion_action.name) for row in rows] == [(3, "Once"), (2, "Second")]
    assert rows[0].conversion_action.type_ == 7
    assert rows[0].customer.currency_code == "EUR"
    assert rows[0].conversion_action.resource_name == f"customers/{SHOP}/conversionActions/3"


def test_only_the_selected_fields_are_filled(ads: Ads) -> None:
    (chunk,) = ads.stream("SELECT customer.descriptive_name FROM customer WHERE customer.id = 1234567890")
    assert list(chunk.field_mask.paths) == ["customer.descriptive_name"]
    (row,) = chunk.results
    assert [field.name for field, _ in row.customer.ListFields()] == ["resource_name", "descriptive_name"]


def test_a_search_in_one_page(ads: Ads) -> None:
    response = ads.search(
        "SELECT conversion_action.id FROM conversion_action WHERE conversion_action.value_settings.always_use_default_value = TRUE"
    )
    assert [row.conversion_action.id for row in response] == [4]
    assert response.total_results_count == 1
    assert not list(ads.search("SELECT customer.id FROM customer", validate_only=True))
    assert (
        ads.refused(lambda: ads.search("SELECT customer.id FROM customer", page_size=5))[1]
        == "request_error.PAGE_SIZE_NOT_SUPPORTED"
    )
    assert (
        ads.refused(lambda: ads.search("SELECT customer.id FROM customer", page_token="x"))[1]
        == "request_error.INVALID_PAGE_TOKEN"
    )


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ("id > 5", [6, 7]),
        ("id >= 5", [5, 6, 7]),
        ("id < 2", [1]),
        ("id <= 2", [1, 2]),
        ('name = "Page"', [5]),
        ("name NOT IN ('Purchase', 'Page', 'Gone', 'Short')", [2, 3, 4]),
        ("category IN (PURCHASE) PARAMETERS include_drafts=true", [1, 2, 3, 4, 5, 6, 7]),
        ("primary_for_goal = false", []),
    ],
)
def test_conditions(ads: Ads, condition: str, ids: list[Any]) -> None:
    rows = ads.rows(f"SELECT conversion_action.id FROM conversion_action WHERE conversion_action.{condition}")
    assert [row.conversion_action.id for row in rows] == ids


def test_order_by_several_fields(ads: Ads) -> None:
    rows = ads.rows(
        "SELECT conversion_action.id FROM conversion_action ORDER BY conversion_action.counting_type ASC, conversion_action.id DESC LIMIT 3"
    )
    assert [row.conversion_action.id for row in rows] == [7, 6, 5]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("SELECT campaign.id FROM campaigns", "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE"),
        ("SELECT customer.shoe_size FROM customer", "UNRECOGNIZED_FIELD"),
        ("SELECT shoe.size FROM customer", "UNRECOGNIZED_FIELD"),
        ("SELECT customer FROM customer", "UNRECOGNIZED_FIELD"),
        ("SELECT customer.id.x FROM customer", "UNRECOGNIZED_FIELD"),
        ("SELECT customer.conversion_tracking_setting FROM customer", "UNRECOGNIZED_FIELD"),
        (
            "SELECT customer.conversion_tracking_setting.enhanced_conversions_for_leads_enabled FROM customer",
            "UNRECOGNIZED_FIELD",
        ),
        ("SELECT campaign.id FROM customer", "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE"),
        ("UPDATE customer", "EXPECTED_SELECT"),
        ("", "EXPECTED_SELECT"),
        ("SELECT customer.id", "EXPECTED_FROM"),
        ("SELECT customer.id FROM", "UNEXPECTED_END_OF_QUERY"),
        ("SELECT customer.id FROM customer nonsense", "UNEXPECTED_INPUT"),
        ("SELECT customer.id ? FROM customer", "UNEXPECTED_INPUT"),
        ("SELECT customer.id FROM customer WHERE customer.id LIKE 'x'", "BAD_OPERATOR"),
        ("SELECT customer.id FROM customer WHERE customer.id = 'x'", "BAD_VALUE"),
        ("SELECT customer.id FROM customer WHERE customer.manager = 1", "BAD_VALUE"),
        ("SELECT customer.id FROM customer WHERE customer.status = ASLEEP", "BAD_ENUM_CONSTANT"),
        ("SELECT customer.id FROM customer WHERE customer.id IN ()", "PROHIBITED_EMPTY_LIST_IN_CONDITION"),
        ("SELECT customer.id FROM customer WHERE customer.id IN 1", "UNEXPECTED_INPUT"),
        ("SELECT customer.id FROM customer WHERE customer.id IN (1 2)", "UNEXPECTED_INPUT"),
        ("SELECT customer.id FROM customer ORDER customer.id", "UNEXPECTED_INPUT"),
        ("SELECT customer.id FROM customer LIMIT 0", "BAD_LIMIT_VALUE"),
        (f"SELECT {CLIENT}.status FROM {CLIENT} WHERE {CLIENT}.alerts = 1", "BAD_VALUE"),
    ],
)
def test_queries_that_are_refused(ads: Ads, query: str, name: str) -> None:
    assert ads.refused(lambda: ads.stream(query))[:2] == ("INVALID_ARGUMENT", f"query_error.{name}")


def test_the_field_that_v26_removed(google: SandboxGoogle, client: Callable[..., Any]) -> None:
    path = "customer.conversion_tracking_setting."
    old, new = client("v24"), client("v26")
    (row,) = old.rows(
        f"SELECT {path}enhanced_conversions_for_leads_enabled, {path}accepted_customer_data_terms FROM customer"
    )
    setting = row.customer.conversion_tracking_setting
    assert setting.enhanced_conversions_for_leads_enabled
    assert setting.accepted_customer_data_terms
    google.state.customers[SHOP].enhanced_conversions = False
    (row,) = old.rows(f"SELECT {path}enhanced_conversions_for_leads_enabled FROM customer")
    assert not row.customer.conversion_tracking_setting.enhanced_conversions_for_leads_enabled
    assert (
        old.refused(lambda: old.rows(f"SELECT {path}enablement_setting FROM customer"))[1]
        == "query_error.UNRECOGNIZED_FIELD"
    )
    query = f"SELECT customer.id FROM customer WHERE {path}enhanced_conversions_for_leads_enabled = TRUE"
    assert old.refused(lambda: old.rows(query))[1] == "query_error.BAD_VALUE"
    (row,) = new.rows(f"SELECT {path}enablement_setting, {path}conversion_tracking_status FROM customer")
    setting = row.customer.conversion_tracking_setting
    assert (setting.enablement_setting, setting.conversion_tracking_status) == (2, 3)
    google.state.customers[SHOP].conversion_customer_id = "2222222222"
    (row,) = new.rows(f"SELECT {path}google_ads_conversion_customer, {path}conversion_tracking_status FROM customer")
    setting = row.customer.conversion_tracking_setting
    assert (setting.google_ads_conversion_customer, setting.conversion_tracking_status) == ("customers/2222222222", 5)


def test_long_answers_come_in_chunks(google: SandboxGoogle, ads: Ads) -> None:
    import msgspec

    first = google.state.actions["1"]
    google.state.actions = {
        str(number): msgspec.structs.replace(first, action_id=str(number)) for number in range(1, 1502)
    }
    chunks = ads.stream("SELECT conversion_action.id FROM conversion_action")
    assert [len(chunk.results) for chunk in chunks] == [1000, 501]


def test_s28_diagnostics_follow_uploads(google: SandboxGoogle, ads: Ads) -> None:
    everything = (
        f"SELECT {CLIENT}.status, {CLIENT}.total_event_count, {CLIENT}.successful_event_count, "
        f"{CLIENT}.pending_event_count, {CLIENT}.success_rate, {CLIENT}.pending_rate, {CLIENT}.last_upload_date_time, "
        f"{CLIENT}.daily_summaries, {CLIENT}.job_summaries, {CLIENT}.alerts, {CLIENT}.client FROM {CLIENT}"
    )
    assert ads.rows(everything) == []
    ads.upload(ads.row(order_id="a"), ads.row(order_id=""), ads.row(users=["0" * 64]), job_id=71)
    google.clock.move(timedelta(days=1))
    ads.adjust(ads.adjustment(order_id="a", value=1.0), ads.adjustment(order_id="not-there", value=1.0), job_id=72)
    (row,) = ads.rows(everything)
    summary = row.offline_conversion_upload_client_summary
    assert (summary.total_event_count, summary.successful_event_count, summary.pending_event_count) == (5, 2, 1)
    assert (summary.success_rate, summary.pending_rate) == (0.4, 0.2)
    assert (summary.client, summary.status) == (2, 4)  # Google Ads API; needs attention
    assert summary.last_upload_date_time == "2026-11-21 13:00:00"  # in the account's time zone
    days = [
        (day.upload_date, day.successful_count, day.failed_count, day.pending_count) for day in summary.daily_summaries
    ]
    assert days == [("2026-11-20", 1, 2, 0), ("2026-11-21", 1, 0, 1)]
    jobs = [(job.job_id, job.successful_count, job.failed_count, job.pending_count) for job in summary.job_summaries]
    assert jobs == [(71, 1, 2, 0), (72, 1, 0, 1)]
    alerts = {alert.error.WhichOneof("error_code"): alert.error_percentage for alert in summary.alerts}
    assert alerts == {"string_length_error": 0.2, "conversion_upload_error": 0.2}
    google.clock.move(timedelta(days=1))
    (row,) = ads.rows(everything)
    summary = row.offline_conversion_upload_client_summary
    assert summary.pending_event_count == 0
    assert [job.failed_count for job in summary.job_summaries] == [2, 1]


def test_s28_per_action_and_the_verdicts(google: SandboxGoogle, ads: Ads) -> Any:
    query = f"SELECT {ACTION}.conversion_action_id, {ACTION}.conversion_action_name, {ACTION}.status, {ACTION}.total_event_count FROM {ACTION}"

    def summaries() -> Any:
        rows = [row.offline_conversion_upload_conversion_action_summary for row in ads.rows(query)]
        return [
            (row.conversion_action_id, row.conversion_action_name, row.status, row.total_event_count) for row in rows
        ]

    ads.upload(*(ads.row() for _ in range(30)))
    ads.upload(ads.row(conversion_action=f"customers/{SHOP}/conversionActions/404"))
    assert summaries() == [(1, "Purchase", 2, 30)]  # an unknown action has no summary of its own
    ads.upload(ads.row(order_id=""))
    assert summaries() == [(1, "Purchase", 3, 31)]
    google.clock.move(timedelta(days=29))
    assert summaries() == [(1, "Purchase", 6, 31)]


def test_internal_errors_have_no_alert(google: SandboxGoogle, ads: Ads) -> None:
    from sandbox.google_ads.faults import Fault, FaultKind

    google.state.faults.arm(Fault(kind=FaultKind.ROW_INTERNAL_ERROR))
    ads.upload(ads.row())
    (row,) = ads.rows(f"SELECT {CLIENT}.alerts FROM {CLIENT}")
    assert list(row.offline_conversion_upload_client_summary.alerts) == []
