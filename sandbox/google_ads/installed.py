"""Enums of the installed Google packages, looked up once: every name the sandbox uses must exist there.

An upgrade that drops or renames one stops the sandbox at start (LookupError) instead of letting it answer with something
Google no longer says. Error names are in error_names.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

UNKNOWN = "UNKNOWN"
SERVED_VERSIONS = ("v23", "v24", "v25", "v26")  # what google-ads 34 ships


class EnumTable:
    """Names and numbers of one installed enum."""

    def __init__(self, descriptor: Any, used: Iterable[str]) -> None:
        self.names = {value.number: value.name for value in descriptor.values}
        self._numbers = {value.name: value.number for value in descriptor.values}
        for name in used:
            if name not in self._numbers:
                raise LookupError(f"the installed {descriptor.full_name} has no {name}: teach the sandbox its new name")

    def name(self, number: int) -> str:
        """The name of a number; UNKNOWN for one the package does not know."""
        return self.names.get(number, UNKNOWN)

    def number(self, name: str) -> int:
        """The number of a name. Raises LookupError for a name the package does not know."""
        try:
            return self._numbers[name]
        except KeyError:
            raise LookupError(f"{name} is none of {', '.join(self._numbers)}") from None


@dataclass(frozen=True)
class AdsEnums:
    """The enums of the Google Ads API that appear in requests, in state and in resources."""

    consent: EnumTable
    customer_type: EnumTable
    environment: EnumTable
    adjustment_type: EnumTable
    action_type: EnumTable
    action_status: EnumTable
    action_category: EnumTable
    counting_type: EnumTable
    customer_status: EnumTable
    tracking_status: EnumTable
    enhanced_conversions: EnumTable
    upload_client: EnumTable
    upload_status: EnumTable


@dataclass(frozen=True)
class DataManagerEnums:
    """The enums of the Data Manager API."""

    consent: EnumTable
    customer_type: EnumTable
    event_source: EnumTable
    encoding: EnumTable
    account_type: EnumTable
    error_reason: EnumTable
    processing_error_reason: EnumTable
    warning_reason: EnumTable
    request_status: EnumTable


@cache
def ads_enums() -> AdsEnums:
    """Look up the Google Ads API's enums in the installed v26. Raises LookupError for a name that is missing."""
    from google.ads.googleads import v26
    from google.ads.googleads.v26.services.types import conversion_adjustment_upload_service as adjustments
    from google.ads.googleads.v26.services.types import conversion_upload_service as conversions
    from google.ads.googleads.v26.services.types import google_ads_service

    del v26
    click = conversions.ClickConversion.pb().DESCRIPTOR.fields_by_name
    adjustment = adjustments.ConversionAdjustment.pb().DESCRIPTOR.fields_by_name
    row = google_ads_service.GoogleAdsRow.pb().DESCRIPTOR.fields_by_name
    action = row["conversion_action"].message_type.fields_by_name
    customer = row["customer"].message_type.fields_by_name
    tracking = customer["conversion_tracking_setting"].message_type.fields_by_name
    summary = row["offline_conversion_upload_client_summary"].message_type.fields_by_name
    consent = click["consent"].message_type.fields_by_name["ad_user_data"]
    return AdsEnums(
        consent=EnumTable(consent.enum_type, ["UNSPECIFIED", "UNKNOWN", "GRANTED", "DENIED"]),
        customer_type=EnumTable(click["customer_type"].enum_type, ["UNSPECIFIED", "NEW", "RETURNING"]),
        environment=EnumTable(click["conversion_environment"].enum_type, ["UNSPECIFIED", "APP", "WEB"]),
        adjustment_type=EnumTable(
            adjustment["adjustment_type"].enum_type, ["UNSPECIFIED", "RETRACTION", "RESTATEMENT", "ENHANCEMENT"]
        ),
        action_type=EnumTable(action["type_"].enum_type, ["UPLOAD_CLICKS", "WEBPAGE", "SALESFORCE"]),
        action_status=EnumTable(action["status"].enum_type, ["ENABLED", "REMOVED", "HIDDEN"]),
        action_category=EnumTable(action["category"].enum_type, ["PURCHASE"]),
        counting_type=EnumTable(action["counting_type"].enum_type, ["ONE_PER_CLICK", "MANY_PER_CLICK"]),
        customer_status=EnumTable(customer["status"].enum_type, ["ENABLED", "CANCELED", "SUSPENDED", "CLOSED"]),
        tracking_status=EnumTable(
            tracking["conversion_tracking_status"].enum_type,
            ["CONVERSION_TRACKING_MANAGED_BY_SELF", "CONVERSION_TRACKING_MANAGED_BY_ANOTHER_MANAGER"],
        ),
        enhanced_conversions=EnumTable(tracking["enablement_setting"].enum_type, ["OFF", "ON"]),
        upload_client=EnumTable(summary["client"].enum_type, ["GOOGLE_ADS_API"]),
        upload_status=EnumTable(
            summary["status"].enum_type, ["EXCELLENT", "GOOD", "NEEDS_ATTENTION", "NO_RECENT_UPLOAD"]
        ),
    )


@cache
def data_manager_enums() -> DataManagerEnums:
    """Look up the Data Manager API's enums in the installed package. Raises LookupError for a name that is missing."""
    import google.ads.datamanager_v1 as data_manager
    from google.ads.datamanager_v1.types import processing_errors

    from sandbox.google_ads.data_manager_reasons import ProcessingReason, Reason, Warned

    event = data_manager.Event.pb().DESCRIPTOR.fields_by_name
    request = data_manager.IngestEventsRequest.pb().DESCRIPTOR.fields_by_name
    status = data_manager.RequestStatusPerDestination.pb().DESCRIPTOR.fields_by_name
    account = data_manager.ProductAccount.pb().DESCRIPTOR.fields_by_name
    file = data_manager.IngestEventsRequest.pb().DESCRIPTOR.file.pool
    consent = request["consent"].message_type.fields_by_name["ad_user_data"]
    warning = processing_errors.FieldWarning.pb().DESCRIPTOR.fields_by_name["reason"]
    processing = processing_errors.ErrorCount.pb().DESCRIPTOR.fields_by_name["reason"]
    return DataManagerEnums(
        consent=EnumTable(consent.enum_type, ["CONSENT_STATUS_UNSPECIFIED", "CONSENT_GRANTED", "CONSENT_DENIED"]),
        customer_type=EnumTable(
            event["user_properties"].message_type.fields_by_name["customer_type"].enum_type,
            ["CUSTOMER_TYPE_UNSPECIFIED", "NEW", "RETURNING"],
        ),
        event_source=EnumTable(event["event_source"].enum_type, ["WEB", "APP"]),
        encoding=EnumTable(request["encoding"].enum_type, ["HEX", "BASE64"]),
        account_type=EnumTable(account["account_type"].enum_type, ["GOOGLE_ADS"]),
        error_reason=EnumTable(file.FindEnumTypeByName("google.ads.datamanager.v1.ErrorReason"), Reason),
        processing_error_reason=EnumTable(processing.enum_type, ProcessingReason),
        warning_reason=EnumTable(warning.enum_type, Warned),
        request_status=EnumTable(
            status["request_status"].enum_type, ["SUCCESS", "PROCESSING", "FAILED", "PARTIAL_SUCCESS"]
        ),
    )
