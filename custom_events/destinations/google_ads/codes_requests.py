"""Codes that concern a whole request: who calls, from which project, within which quota. Every name of the installed package."""

from typing import Final

from custom_events.destinations.rules import RATE_PAUSE_S, Rule, fix, retry
from custom_events.values.conversions import Scope, Verdict

_HOUR_S = 3600
_OURS = "The request was built wrongly: report it with what `custom-events explain` shows"
_GRANT = "Google's permission for our user is gone: grant access again, then release the account"
_SUNSET = "The developer token is refused, though Google ignores it since September 2026: unset it"
_NO_REASON = "Google gave no reason: look at the request id in Google's support tools"
_READS = "This concerns reading, not uploading: report it with what `custom-events explain` shows"

AUTHENTICATION: Final[dict[str, Rule]] = {
    "UNSPECIFIED": fix(_NO_REASON),
    "UNKNOWN": fix(_NO_REASON),
    "AUTHENTICATION_ERROR": fix(_GRANT, Scope.PROJECT),
    "CLIENT_CUSTOMER_ID_INVALID": fix("The customer id is not ten digits: correct the ads account"),
    "CUSTOMER_NOT_FOUND": fix("Google knows no account with this customer id: correct the ads account"),
    "GOOGLE_ACCOUNT_DELETED": fix(
        "The Google account behind our access was deleted: grant access with another", Scope.PROJECT
    ),
    "GOOGLE_ACCOUNT_COOKIE_INVALID": fix(_GRANT, Scope.PROJECT),
    "GOOGLE_ACCOUNT_AUTHENTICATION_FAILED": fix(_GRANT, Scope.PROJECT),
    "GOOGLE_ACCOUNT_USER_AND_ADS_USER_MISMATCH": fix(_GRANT, Scope.PROJECT),
    "LOGIN_COOKIE_REQUIRED": fix(_GRANT, Scope.PROJECT),
    "LOGIN_COOKIE_INVALID": fix(_GRANT, Scope.PROJECT),
    "NOT_ADS_USER": fix(
        "Our Google user belongs to no ads account: invite it, or the service account, in Google Ads", Scope.PROJECT
    ),
    "OAUTH_TOKEN_INVALID": fix(_GRANT, Scope.PROJECT),
    "OAUTH_TOKEN_EXPIRED": retry("The access token had just expired; a new one is fetched", 1),
    "OAUTH_TOKEN_DISABLED": fix(
        "Google disabled our access token: check the Cloud project's OAuth client", Scope.PROJECT
    ),
    "OAUTH_TOKEN_REVOKED": fix(_GRANT, Scope.PROJECT),
    "OAUTH_TOKEN_HEADER_INVALID": fix(_OURS),
    "INVALID_EMAIL_ADDRESS": fix(_GRANT, Scope.PROJECT),
    "USER_ID_INVALID": fix(_GRANT, Scope.PROJECT),
    "TWO_STEP_VERIFICATION_NOT_ENROLLED": fix("Our Google user must turn on two-step verification", Scope.PROJECT),
    "ADVANCED_PROTECTION_NOT_ENROLLED": fix("Our Google user must join Google's Advanced Protection", Scope.PROJECT),
    "ORGANIZATION_NOT_RECOGNIZED": fix(
        "Google does not recognise the Cloud project's organization: check the project", Scope.PROJECT
    ),
    "ORGANIZATION_NOT_APPROVED": fix("The Cloud project's organization is not approved: ask Google", Scope.PROJECT),
    "ORGANIZATION_NOT_ASSOCIATED_WITH_DEVELOPER_TOKEN": fix(_SUNSET),
    "DEVELOPER_TOKEN_INVALID": fix(_SUNSET),
}

AUTHORIZATION: Final[dict[str, Rule]] = {
    "UNSPECIFIED": fix(_NO_REASON),
    "UNKNOWN": fix(_NO_REASON),
    "USER_PERMISSION_DENIED": fix(
        "Our user may not use this account: invite it there, or set the manager account it is reached through"
    ),
    "DEVELOPER_TOKEN_NOT_ON_ALLOWLIST": fix(_SUNSET),
    "DEVELOPER_TOKEN_PROHIBITED": fix(_SUNSET),
    "DEVELOPER_TOKEN_NOT_APPROVED": fix(_SUNSET),
    "PROJECT_DISABLED": fix("The Google Ads API is disabled in the Cloud project: enable it", Scope.PROJECT),
    "AUTHORIZATION_ERROR": fix("Google does not let us use this account: check its access settings"),
    "ACTION_NOT_PERMITTED": fix(
        "The Cloud project is approved for test accounts only: ask Google for a higher access level"
    ),
    "INCOMPLETE_SIGNUP": fix("The account's sign-up at Google Ads is not finished"),
    "CUSTOMER_NOT_ENABLED": fix("The account is cancelled or not yet enabled in Google Ads"),
    "MISSING_TOS": fix("The terms of service of the Google Ads API must be signed in the API centre", Scope.PROJECT),
    "CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION": fix(
        "The Cloud project is approved for test accounts only: ask Google for a higher access level", Scope.PROJECT
    ),
    "INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION": fix(
        "The manager account does not manage this account: correct the manager's id"
    ),
    "SERVICE_ACCESS_DENIED": fix("The account may not use conversion uploads: ask Google"),
    "ACCESS_DENIED_FOR_ACCOUNT_TYPE": fix("This type of account takes no conversions: name a client account"),
    "METRIC_ACCESS_DENIED": fix(_READS),
    "CLOUD_PROJECT_NOT_UNDER_ORGANIZATION": fix("The Cloud project must belong to an organization", Scope.PROJECT),
    "ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT": fix("Google suspended the account: see Google Ads for the reason"),
}

QUOTA: Final[dict[str, Rule]] = {
    "UNSPECIFIED": retry(_NO_REASON, RATE_PAUSE_S, Scope.ACCOUNT),
    "UNKNOWN": retry(_NO_REASON, RATE_PAUSE_S, Scope.ACCOUNT),
    "RESOURCE_EXHAUSTED": retry("The Cloud project's operations for 24 hours are used up", _HOUR_S, Scope.PROJECT),
    "ACCESS_PROHIBITED": fix("Google bars the Cloud project for too many requests: ask Google", Scope.PROJECT),
    "RESOURCE_TEMPORARILY_EXHAUSTED": retry("Too many requests in a short time", RATE_PAUSE_S, Scope.ACCOUNT),
    "EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION": retry(_READS, RATE_PAUSE_S, Scope.ACCOUNT),
    "EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION": retry(_READS, _HOUR_S, Scope.ACCOUNT),
    "PAYMENTS_PROFILE_ACTIVATION_RATE_LIMIT_EXCEEDED": retry(_READS, _HOUR_S, Scope.ACCOUNT),
}

INTERNAL: Final[dict[str, Rule]] = {
    "UNSPECIFIED": retry("An error inside Google"),
    "UNKNOWN": retry("An error inside Google"),
    "INTERNAL_ERROR": retry("An error inside Google"),
    "ERROR_CODE_NOT_PUBLISHED": fix("Google's reason is not published: ask Google with the request id", Scope.ROW),
    "TRANSIENT_ERROR": retry("A passing error inside Google"),
    "DEADLINE_EXCEEDED": retry("Google did not finish in time"),
}

NOT_ALLOWLISTED: Final[dict[str, Rule]] = {
    "UNSPECIFIED": fix(_NO_REASON),
    "UNKNOWN": fix(_NO_REASON),
    "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE": fix(
        "Google takes no imports over the Google Ads API from this account: set its lane to data_manager"
    ),
}

PARTIAL_FAILURE: Final[dict[str, Rule]] = {
    "UNSPECIFIED": fix(_NO_REASON),
    "UNKNOWN": fix(_NO_REASON),
    "PARTIAL_FAILURE_MODE_REQUIRED": fix(_OURS),
}

HEADER: Final[dict[str, Rule]] = {
    "UNSPECIFIED": fix(_NO_REASON),
    "UNKNOWN": fix(_NO_REASON),
    "INVALID_LOGIN_CUSTOMER_ID": fix("The manager account's id is not ten digits: correct it"),
    "INVALID_LINKED_CUSTOMER_ID": fix(_OURS),
}

_REQUEST_OURS = (
    "RESOURCE_NAME_MISSING",
    "RESOURCE_NAME_MALFORMED",
    "BAD_RESOURCE_ID",
    "OPERATION_REQUIRED",
    "RESOURCE_NOT_FOUND",
    "REQUIRED_FIELD_MISSING",
    "IMMUTABLE_FIELD",
    "CANNOT_MODIFY_FOREIGN_FIELD",
    "INVALID_ENUM_VALUE",
)
_REQUEST_READS = (
    "INVALID_PAGE_TOKEN",
    "EXPIRED_PAGE_TOKEN",
    "INVALID_PAGE_SIZE",
    "PAGE_SIZE_NOT_SUPPORTED",
    "VALIDATE_ONLY_REQUEST_HAS_PAGE_TOKEN",
    "CANNOT_RETURN_SUMMARY_ROW_FOR_REQUEST_WITHOUT_METRICS",
    "CANNOT_RETURN_SUMMARY_ROW_FOR_VALIDATE_ONLY_REQUESTS",
    "INCONSISTENT_RETURN_SUMMARY_ROW_VALUE",
    "TOTAL_RESULTS_COUNT_NOT_ORIGINALLY_REQUESTED",
)

REQUEST: Final[dict[str, Rule]] = {
    "UNSPECIFIED": fix(_NO_REASON),
    "UNKNOWN": fix(_NO_REASON),
    **{name: fix(_OURS) for name in _REQUEST_OURS},
    **{name: fix(_READS) for name in _REQUEST_READS},
    "INVALID_CUSTOMER_ID": fix("The customer id is not ten digits, or no such account exists: correct the ads account"),
    "TOO_MANY_MUTATE_OPERATIONS": Rule(Verdict.SPLIT, "Google takes fewer rows in one request"),
    "TOO_MANY_ACTION_OPERATIONS": Rule(Verdict.SPLIT, "Google takes fewer rows in one request"),
    "CANNOT_BE_EXECUTED_BY_MANAGER_ACCOUNT": fix("A manager account takes no conversions: name a client account"),
    "DEVELOPER_TOKEN_PARAMETER_MISSING": fix("Google asks for a developer token: set GOOGLE_ADS_DEVELOPER_TOKEN"),
    "LOGIN_CUSTOMER_ID_PARAMETER_MISSING": fix("Set the manager account through which this account is reached"),
    "RPC_DEADLINE_TOO_SHORT": retry(
        "Google wanted more time than the call allowed: raise CUSTOM_EVENTS_UPLOAD_TIMEOUT_S"
    ),
    "UNSUPPORTED_VERSION": fix("Google ended this version of its API: update google-ads", Scope.PROJECT),
    "CLOUD_PROJECT_NOT_FOUND": fix("Google does not know the Cloud project of our credentials", Scope.PROJECT),
}
