"""What a sandbox starts with: accounts, conversion actions, tokens and switches, as one plain JSON document."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from sandbox.google_ads.switches import Switches

AccessLevel = Literal["TEST", "EXPLORER", "BASIC", "STANDARD"]
TokenStatus = Literal["GOOD", "EXPIRED", "REVOKED", "DISABLED", "NOT_ADS_USER"]
_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Customer(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An ads account. Account ids are text; dashes in them are dropped."""

    customer_id: str
    name: str = "Sandbox account"
    currency: str = "EUR"
    time_zone: str = "Europe/Berlin"
    status: Literal["ENABLED", "CANCELED", "SUSPENDED", "CLOSED"] = "ENABLED"
    is_manager: bool = False
    manager_id: str | None = None  # reached through this manager: login-customer-id is needed
    conversion_customer_id: str = ""  # owns the conversion actions; itself when empty
    access_level: AccessLevel = "STANDARD"  # of the calling project, unless the token names its own
    test_account: bool = False
    allowlisted: bool = True  # may import conversions through the Google Ads API
    terms_accepted: bool = True
    enhanced_conversions: bool = True
    data_policy_prohibits: bool = False
    session_attributes_allowlisted: bool = False

    def __post_init__(self) -> None:
        self.customer_id = _digits(self.customer_id)
        self.manager_id = None if self.manager_id is None else _digits(self.manager_id)
        self.conversion_customer_id = _digits(self.conversion_customer_id or self.customer_id)


class Action(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A conversion action. `click_through_lookback_window_days` is 1-90; values are in `currency`."""

    customer_id: str
    action_id: str
    name: str = "Purchase"
    type: str = "UPLOAD_CLICKS"
    category: str = "PURCHASE"
    status: Literal["ENABLED", "REMOVED", "HIDDEN"] = "ENABLED"
    counting_type: Literal["ONE_PER_CLICK", "MANY_PER_CLICK"] = "MANY_PER_CLICK"
    click_through_lookback_window_days: int = 30
    default_value: float = 1.0
    currency: str | None = None
    always_use_default_value: bool = False
    primary_for_goal: bool = True
    created_at: datetime = _LONG_AGO

    def __post_init__(self) -> None:
        self.customer_id = _digits(self.customer_id)


class Token(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An access token. `customers`: accounts its user may use directly (None: all); `scopes`: None for all."""

    token: str
    status: TokenStatus = "GOOD"
    project_id: str = "sandbox-project"
    access_level: AccessLevel | None = None
    customers: list[str] | None = None
    scopes: list[str] | None = None

    def __post_init__(self) -> None:
        if self.customers is not None:
            self.customers = [_digits(customer) for customer in self.customers]


class SandboxSeed(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The whole document. `matched_users`: SHA-256 hex of e-mails and phones that Google can tie to a click."""

    customers: list[Customer] = []
    actions: list[Action] = []
    tokens: list[Token] = []
    matched_users: list[str] = []
    switches: Switches = msgspec.field(default_factory=Switches)


def read_seed(document: bytes | str) -> SandboxSeed:
    """Decode a seed from JSON. Raises msgspec.ValidationError that names the path of what is wrong."""
    return msgspec.json.decode(document, type=SandboxSeed)


def read_seed_file(path: Path) -> SandboxSeed:
    """Read a seed from a JSON file."""
    return read_seed(path.read_bytes())


def default_seed() -> SandboxSeed:
    """One account (123-456-7890) with a purchase and a subscription action: enough to try a client out."""
    customer = Customer(customer_id="1234567890", name="Sandbox shop")
    return SandboxSeed(
        customers=[customer],
        actions=[
            Action(customer_id="1234567890", action_id="7001", name="Purchase"),
            Action(customer_id="1234567890", action_id="7002", name="Subscription", category="SUBSCRIBE_PAID"),
        ],
    )


def _digits(customer_id: str) -> str:
    return customer_id.replace("-", "")
