"""The tables of codes: complete for the installed packages, and what the page says."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from custom_events.destinations import error_page, rules
from custom_events.destinations.google_ads import errors, requests
from custom_events.destinations.google_data_manager import codes, verdicts
from custom_events.destinations.google_data_manager import requests as dm_requests
from custom_events.ledger.codes import is_not_understood, is_remark, sentence_of
from custom_events.values import reasons
from custom_events.values.clicks import Click, ClickKind
from custom_events.values.conversions import Conversion, Scope, UploadKind, Verdict

NOW = datetime(2026, 10, 20, 8, 20, tzinfo=UTC)
PAGE = Path(__file__).parents[2] / "docs/reference/google-errors.md"
# Families that may stand beside a row or a request of conversions; any other arrives as a code that no table knows.
WATCHED = {
    "conversion_upload_error", "conversion_adjustment_upload_error", "authentication_error", "authorization_error",
    "quota_error", "internal_error", "not_allowlisted_error", "partial_failure_error", "header_error", "request_error",
    "field_error", "date_error", "string_format_error", "string_length_error", "collection_size_error", "distinct_error",
    "mutate_error", "range_error", "size_limit_error",
}  # fmt: skip


def test_every_family_that_can_occur_has_a_table() -> None:
    assert set(errors.FAMILIES) == WATCHED


@pytest.mark.parametrize("family", sorted(errors.FAMILIES))
def test_every_name_of_the_installed_package_has_a_rule(family: str) -> None:
    from google.ads.googleads.v26.errors.types import errors as installed

    field = installed.ErrorCode.pb().DESCRIPTOR.fields_by_name[family]
    enum, table = errors.FAMILIES[family]
    assert {value.name for value in field.enum_type.values} == set(table)
    assert enum == field.enum_type.name


@pytest.mark.parametrize(
    ("enum", "table", "name"),
    [
        ("ErrorReason", codes.ERROR_REASONS, str),
        ("ProcessingErrorReason", codes.PROCESSING_REASONS, codes.processing_name),
    ],
)
def test_every_reason_of_the_data_manager_has_a_rule(
    enum: str, table: Any, name: Callable[..., Any] | type[str]
) -> None:
    import google.ads.datamanager_v1 as installed

    assert {name(value.name) for value in getattr(installed, enum)} == set(table)


def test_every_remark_of_the_data_manager_has_a_sentence() -> None:
    import google.ads.datamanager_v1 as installed

    assert {codes.warning_name(value.name) for value in installed.WarningReason} == set(codes.WARNING_REASONS)


def test_families_of_row_errors_are_those_of_the_diagnostics() -> None:
    """Google's own list of what can be wrong with an uploaded row."""
    from google.ads.googleads.v26.resources.types import offline_conversion_upload_client_summary as summary

    oneof = summary.OfflineConversionError.pb().DESCRIPTOR.oneofs_by_name["error_code"]
    assert {field.name for field in oneof.fields} <= set(errors.FAMILIES)


def test_a_rule_is_one_sentence_without_a_full_stop() -> None:
    for rule in [*errors.RULES.values(), *codes.RULES.values()]:
        assert rule.sentence
        assert not rule.sentence.endswith(".")
        assert rule.verdict is not Verdict.HOLD or rule.hold_s is not None


def test_numbers_are_those_of_the_installed_enums() -> None:
    from google.ads import datamanager_v1 as dm
    from google.ads.googleads.v26 import enums

    consent = enums.ConsentStatusEnum.ConsentStatus
    assert set(requests.CONSENT.values()) == {consent.GRANTED, consent.DENIED}
    assert enums.ConversionEnvironmentEnum.ConversionEnvironment.WEB == requests.ENVIRONMENT_WEB
    customer = enums.ConversionCustomerTypeEnum.ConversionCustomerType
    assert (customer.NEW, customer.RETURNING) == (requests.CUSTOMER_NEW, requests.CUSTOMER_RETURNING)
    kinds = enums.ConversionAdjustmentTypeEnum.ConversionAdjustmentType
    assert set(requests.ADJUSTMENT_TYPES.values()) == {kinds.RETRACTION, kinds.RESTATEMENT}
    assert enums.UserIdentifierSourceEnum.UserIdentifierSource.FIRST_PARTY == requests.FIRST_PARTY
    assert set(dm_requests.CONSENT.values()) == {dm.ConsentStatus.CONSENT_GRANTED, dm.ConsentStatus.CONSENT_DENIED}
    assert (dm.EventSource.WEB, dm.Encoding.HEX) == (dm_requests.SOURCE_WEB, dm_requests.ENCODING_HEX)
    assert dm.ProductAccount.AccountType.GOOGLE_ADS == dm_requests.ACCOUNT_GOOGLE_ADS
    assert (dm.CustomerType.NEW, dm.CustomerType.RETURNING) == (
        dm_requests.CUSTOMER_NEW,
        dm_requests.CUSTOMER_RETURNING,
    )
    status = dm.RequestStatusPerDestination.RequestStatus
    assert (status.SUCCESS, status.FAILED, status.PARTIAL_SUCCESS) == (
        verdicts.SUCCESS,
        verdicts.FAILED,
        verdicts.PARTIAL_SUCCESS,
    )


def test_an_unknown_code_waits_for_a_person() -> None:
    rule = rules.lookup(errors.RULES, "ConversionUploadError.NEW_THING")
    assert (rule.verdict, rule.scope) == (Verdict.FIX, Scope.ROW)
    assert "ConversionUploadError.NEW_THING" in rule.sentence


def conversion(**changes: Click | datetime) -> Conversion:
    values = {
        "upload_id": 1,
        "kind": UploadKind.CONVERSION,
        "action_id": "7",
        "transaction_id": "A",
        "occurred_at": NOW,
    }
    return Conversion(**(values | changes))


def test_a_hold_counts_from_the_click_where_it_is_known() -> None:
    rule = errors.RULES["ConversionUploadError.TOO_RECENT_EVENT"]
    click = Click(kind=ClickKind.GCLID, id="x", clicked_at=NOW)
    known = rules.answer(
        rule, "ConversionUploadError.TOO_RECENT_EVENT", conversion(click=click), NOW + timedelta(hours=1)
    )
    assert known.sentence == "Google accepts this click 6 hours after it happened: 2026-10-20 14:20 UTC"
    unknown = rules.answer(rule, "ConversionUploadError.TOO_RECENT_EVENT", conversion(), NOW)
    assert unknown.retry_at == NOW + timedelta(hours=6)
    passed = rules.answer(
        rule, "ConversionUploadError.TOO_RECENT_EVENT", conversion(click=click), NOW + timedelta(hours=7)
    )
    assert passed.retry_at == NOW + timedelta(hours=7, seconds=30)


def test_a_hold_counts_from_the_actions_making() -> None:
    code = "ConversionUploadError.TOO_RECENT_CONVERSION_ACTION"
    row = conversion(action_created_at=NOW - timedelta(hours=2))
    assert rules.answer(errors.RULES[code], code, row, NOW).retry_at == NOW + timedelta(hours=4)


def test_the_page_is_made_from_the_tables() -> None:
    assert PAGE.read_text(encoding="utf-8") == error_page.render()


def test_names_of_codes() -> None:
    assert errors.code_of("field_error", "REQUIRED") == "FieldError.REQUIRED"
    assert errors.code_of("feed_item_error", "X") == "FeedItemError.X"
    assert codes.processing_name("PROCESSING_ERROR_OPERATING_ACCOUNT_MISMATCH_FOR_AD_IDENTIFIER").startswith(
        "OPERATING"
    )
    assert codes.processing_name("OTHER") == "OTHER"


def test_what_stands_in_reason_has_a_sentence_whoever_wrote_it() -> None:
    assert sentence_of("FieldError.REQUIRED") == errors.RULES["FieldError.REQUIRED"].sentence
    assert sentence_of(reasons.OUR_ERROR) == reasons.meaning(reasons.OUR_ERROR)
    assert sentence_of("WarningReason.GENERIC") == codes.WARNINGS["WarningReason.GENERIC"]
    assert sentence_of("nobody_knows") == "see the rows' sentences: custom-events uploads list"


def test_which_reasons_are_remarks_and_which_nobody_understands() -> None:
    assert [is_remark(reason) for reason in ("WarningReason.GENERIC", "FieldError.REQUIRED", None)] == [
        True,
        False,
        False,
    ]
    not_understood = ("FieldError.NEVER_HEARD_OF", "FieldError.UNKNOWN", "FieldError.REQUIRED")
    assert [is_not_understood(reason) for reason in not_understood] == [True, True, True]
    understood = (reasons.OUR_ERROR, "AuthorizationError.USER_PERMISSION_DENIED", "InternalError.TRANSIENT_ERROR")
    assert [is_not_understood(reason) for reason in understood] == [False, False, False]


def test_a_click_that_google_refuses_is_looked_for_in_parts_before_the_next_one_is_tried() -> None:
    code = "ProcessingErrorReason.INVALID_GCLID"
    row = Conversion(
        upload_id=5,
        kind=UploadKind.CONVERSION,
        action_id="8001",
        transaction_id="1",
        occurred_at=NOW,
        has_other_clicks=True,
    )
    refused = rules.answer(codes.RULES[code], code, row, NOW)
    assert (refused.verdict, refused.sentence) == (Verdict.DROP_CLICK, codes.RULES[code].sentence + rules.NEXT_CLICK)
    in_parts = rules.Rule(Verdict.SPLIT, "Which one is not known")
    assert rules.answer(in_parts, code, row, NOW).verdict is Verdict.SPLIT
