"""The capability probe of the Google Ads API: what the account and its actions allow, read before the first conversion."""

from collections.abc import Sequence
from typing import Any, Final

from custom_events.destinations.findings import ActionFacts, Finding, Findings
from custom_events.destinations.google_ads.reading import rows
from custom_events.values.conversions import AdsAccount

ACCOUNT: Final = (
    "SELECT customer.id, customer.currency_code, customer.time_zone, "
    "customer.conversion_tracking_setting.accepted_customer_data_terms, "
    "customer.conversion_tracking_setting.effective_enablement_setting, "
    "customer.conversion_tracking_setting.google_ads_conversion_customer FROM customer"
)
ACTIONS: Final = (
    "SELECT conversion_action.id, conversion_action.name, conversion_action.type, conversion_action.status, "
    "conversion_action.counting_type, conversion_action.click_through_lookback_window_days, "
    "conversion_action.owner_customer, conversion_action.value_settings.always_use_default_value FROM conversion_action"
)
UPLOAD_CLICKS: Final = 7  # enums.ConversionActionTypeEnum; a test compares these with the installed package
ENABLED: Final = 2
ONE_PER_CLICK: Final = 2
ENHANCED_ON: Final = 3


def read(service: Any, account: AdsAccount, action_ids: Sequence[str], timeout_s: float) -> Findings:
    """Ask for the account and its actions. Raises what the client raises."""
    findings: list[Finding] = []
    for row in rows(service, account, ACCOUNT, timeout_s):
        findings += _account_findings(row.customer)
    by_id = {str(row.conversion_action.id): row.conversion_action for row in rows(service, account, ACTIONS, timeout_s)}
    for action_id in action_ids:
        findings += _action_findings(action_id, by_id.get(action_id), account)
    return Findings(findings=tuple(findings), actions=tuple(_facts(action) for action in by_id.values()))


def _account_findings(customer: Any) -> list[Finding]:
    tracking = customer.conversion_tracking_setting
    terms, enhanced = tracking.accepted_customer_data_terms, tracking.effective_enablement_setting == ENHANCED_ON
    return [
        Finding(
            question="terms_accepted",
            fine=bool(terms),
            sentence="The customer data terms are accepted"
            if terms
            else "Accept the customer data terms: Google Ads, Goals, Conversions, Settings",
        ),
        Finding(
            question="enhanced_conversions",
            fine=enhanced,
            sentence="Enhanced conversions are on: hashed e-mail and phone count"
            if enhanced
            else "Turn on enhanced conversions, or hashed e-mail and phone are refused: Google Ads, Goals, Settings",
        ),
    ]


def _action_findings(action_id: str, action: Any, account: AdsAccount) -> list[Finding]:
    if action is None:
        sentence = f"The conversion action {action_id} does not exist in this account: choose another"
        return [Finding(question="action_exists", fine=False, sentence=sentence, action_id=action_id)]
    findings = [
        Finding(
            question="action_type",
            fine=action.type_ == UPLOAD_CLICKS,
            sentence=f"{action.name} takes imports from clicks"
            if action.type_ == UPLOAD_CLICKS
            else f"{action.name} does not take imports from clicks: choose an action of that type",
            action_id=action_id,
        ),
        Finding(
            question="action_enabled",
            fine=action.status == ENABLED,
            sentence=f"{action.name} is enabled"
            if action.status == ENABLED
            else f"{action.name} is switched off: enable it",
            action_id=action_id,
        ),
    ]
    owner = action.owner_customer.removeprefix("customers/")
    if owner and owner != account.customer_id:
        sentence = f"{action.name} belongs to account {owner}: over the Data Manager API, send through that account"
        findings.append(Finding(question="action_owner", fine=True, sentence=sentence, action_id=action_id))
    if action.value_settings.always_use_default_value:
        sentence = f"{action.name} always uses its default value: what we send as value does not count, and a refund of a part lowers nothing"
        findings.append(Finding(question="action_value", fine=True, sentence=sentence, action_id=action_id))
    return findings


def _facts(action: Any) -> ActionFacts:
    kind = action.DESCRIPTOR.fields_by_name["type_"].enum_type.values_by_number.get(action.type_)
    return ActionFacts(
        action_id=str(action.id),
        name=action.name,
        action_type=kind.name if kind is not None else "UNKNOWN",
        click_window_days=action.click_through_lookback_window_days,
        one_per_click=action.counting_type == ONE_PER_CLICK,
    )
