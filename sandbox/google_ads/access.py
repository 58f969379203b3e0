"""Who calls, and whether they may: tokens, customers, managers, quotas. No transport in here."""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.google_ads.error_names import Authentication, Authorization, ErrorName, NotAllowlisted, Quota, Request
from sandbox.google_ads.failures import Refused, Status
from sandbox.google_ads.formats import is_customer_id
from sandbox.google_ads.quota import daily_limit
from sandbox.google_ads.seed import Customer, Token
from sandbox.google_ads.state import State

ADS_SCOPE = "https://www.googleapis.com/auth/adwords"
LAST_VERSION_WITHOUT_PROJECT_ERROR = "v24"  # CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION came with v25
_TOKEN_ERRORS: dict[str, ErrorName] = {
    "EXPIRED": Authentication.OAUTH_TOKEN_EXPIRED,
    "REVOKED": Authentication.OAUTH_TOKEN_REVOKED,
    "DISABLED": Authentication.OAUTH_TOKEN_DISABLED,
    "NOT_ADS_USER": Authentication.NOT_ADS_USER,
}
_ANYBODY = Token(token="")


@dataclass(frozen=True)
class Caller:
    """Who calls for which account."""

    token: Token
    customer: Customer

    @property
    def access_level(self) -> str:
        """The level of the calling Cloud project."""
        return self.token.access_level or self.customer.access_level


def find_token(state: State, authorization: str | None) -> Token | ErrorName:
    """The token of an `authorization` header, or why there is none."""
    scheme, _, text = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not text:
        return Authentication.OAUTH_TOKEN_INVALID
    token = state.tokens.get(text)
    if token is None:
        return Authentication.OAUTH_TOKEN_INVALID if state.switches.tokens_strict else _ANYBODY
    return _TOKEN_ERRORS.get(token.status, token)


def may_use(state: State, token: Token, customer: Customer, login_customer_id: str | None) -> bool:
    """Whether the token's user reaches the account: directly, or through the manager named in the header.

    A token without a list of accounts reaches every account that has no manager, and every manager.
    """
    direct = customer.manager_id is None if token.customers is None else customer.customer_id in token.customers
    if login_customer_id in (None, "", customer.customer_id):
        return direct
    return _is_manager_of(state, login_customer_id, customer) and (
        token.customers is None or login_customer_id in token.customers
    )


def reaches(state: State, token: Token, customer: Customer) -> bool:
    """Whether the token's user has any way to the account."""
    if token.customers is None:
        return True
    return any(account in token.customers for account in _line(state, customer))


def same_tree(state: State, customer: Customer, other: Customer) -> bool:
    """Whether two accounts share an owner of their conversions or a topmost manager."""
    if customer.conversion_customer_id == other.conversion_customer_id:
        return True
    return customer.manager_id is not None and _line(state, customer)[-1] == _line(state, other)[-1]


def authorize(state: State, version: str, headers: Mapping[str, str], customer_id: str) -> Caller:
    """Check token, customer and access for a Google Ads API request, in Google's order. Raises `Refused`."""
    token = find_token(state, headers.get("authorization"))
    if isinstance(token, ErrorName):
        raise Refused.of(Status.UNAUTHENTICATED, token)
    if token.scopes is not None and ADS_SCOPE not in token.scopes:
        raise Refused(Status.PERMISSION_DENIED, (), "Request had insufficient authentication scopes.")
    if state.switches.legacy_developer_token_required and not headers.get("developer-token"):
        raise Refused.of(Status.PERMISSION_DENIED, Authorization.DEVELOPER_TOKEN_NOT_APPROVED)
    login = headers.get("login-customer-id")
    if not is_customer_id(customer_id) or (login and not is_customer_id(login)):
        raise Refused.of(Status.INVALID_ARGUMENT, Request.INVALID_CUSTOMER_ID)
    customer = state.customers.get(customer_id)
    if customer is None:
        raise Refused.of(Status.UNAUTHENTICATED, Authentication.CUSTOMER_NOT_FOUND)
    caller = Caller(token, customer)
    refusal = _refusal(state, version, caller, login)
    if refusal is not None:
        raise Refused.of(Status.PERMISSION_DENIED, refusal)
    return caller


def _refusal(state: State, version: str, caller: Caller, login: str | None) -> ErrorName | None:
    customer = caller.customer
    if not may_use(state, caller.token, customer, login):
        return Authorization.USER_PERMISSION_DENIED
    if customer.status == "SUSPENDED":
        return Authorization.ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT
    if customer.status != "ENABLED":
        return Authorization.CUSTOMER_NOT_ENABLED
    if caller.access_level == "TEST" and not customer.test_account:
        older = version <= LAST_VERSION_WITHOUT_PROJECT_ERROR
        return Authorization.ACTION_NOT_PERMITTED if older else Authorization.CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION
    return None


def spend_operation(state: State, caller: Caller) -> None:
    """Use one operation of the project's day and one token of the customer's bucket. Raises `Refused` with the delay."""
    now, switches = state.clock.epoch(), state.switches
    limit = daily_limit(caller.access_level, test_account=caller.customer.test_account)
    delay_s = state.quotas.operations.take(caller.token.project_id, limit, now)
    if delay_s is not None:
        rate_name = f"Operations per day, {caller.access_level.lower()} access"
        raise Refused.quota(Quota.RESOURCE_EXHAUSTED, "DEVELOPER", rate_name, delay_s)
    if switches.customer_requests_per_second:
        delay_s = state.quotas.customers.take(
            caller.customer.customer_id, switches.customer_requests_per_second, switches.customer_request_burst, now
        )
        if delay_s is not None:
            raise Refused.quota(
                Quota.RESOURCE_TEMPORARILY_EXHAUSTED, "ACCOUNT", "Requests per second, customer", delay_s
            )


def refund_operation(state: State, caller: Caller) -> None:
    """Give the operation of a refused request back, where the switches say that such requests are free."""
    if not state.switches.failed_requests_use_quota:
        state.quotas.operations.give_back(caller.token.project_id)


def check_allowlisted(state: State, caller: Caller) -> None:
    """Refuse conversions of accounts that may not import here (since 15 June 2026). Raises `Refused`."""
    if not caller.customer.allowlisted and not state.switches.not_allowlisted_per_row:
        raise Refused.of(Status.PERMISSION_DENIED, NotAllowlisted.CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE)


def _is_manager_of(state: State, manager_id: str | None, customer: Customer) -> bool:
    return manager_id in _line(state, customer)[1:]


def _line(state: State, customer: Customer) -> list[str]:
    """The account and its managers, from the bottom to the top; a manager need not be seeded itself."""
    line = [customer.customer_id]
    manager_id = customer.manager_id
    while manager_id is not None and manager_id not in line:
        line.append(manager_id)
        manager = state.customers.get(manager_id)
        manager_id = None if manager is None else manager.manager_id
    return line
