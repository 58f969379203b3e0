"""Google's side: ads accounts, and the conversion actions in them that assignments may name."""

import re
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

import msgspec
import sqlalchemy as sa

from custom_events.catalog import audit
from custom_events.errors import InvalidConfiguration, NeedsAction, NotFound
from custom_events.queries import ads as queries
from custom_events.values.conversions import Lane

_CUSTOMER_ID = re.compile(r"\d{10}\Z")
_ACTION_ID = re.compile(r"\d{1,20}\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
WINDOW_LIMIT_DAYS = 90  # click-through window, as Google allows it


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A Google Ads account. `parked_reason`: why nothing is sent to it until a person acts."""

    id: int
    customer_id: str
    name: str
    lane: Lane
    login_customer_id: str | None
    currency: str | None
    time_zone: str
    parked_reason: str | None
    parked_at: datetime | None


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """A conversion action. `reference` is how configurations name it."""

    id: int
    ads_account_id: int
    customer_id: str
    action_id: str
    name: str
    action_type: str
    click_window_days: int
    one_per_click: bool
    action_created_at: datetime | None

    @property
    def reference(self) -> str:
        """`<customer id>/<action id>`."""
        return f"{self.customer_id}/{self.action_id}"


def create_account(
    connection: sa.Connection,
    *,
    customer_id: str,
    name: str,
    lane: Lane,
    actor: str,
    login_customer_id: str | None = None,
    currency: str | None = None,
    time_zone: str = "UTC",
) -> Account:
    """A new account; customer ids may be written 123-456-7890.

    Raises InvalidConfiguration for a field that cannot be used, NeedsAction when the account is known already.
    """
    if currency is not None and not _CURRENCY.match(currency):
        raise InvalidConfiguration(f'"{currency}" is not an ISO 4217 code, EUR for example', path="currency")
    if time_zone not in available_timezones():
        raise InvalidConfiguration(f'"{time_zone}" is not an IANA name, Europe/Berlin for example', path="time_zone")
    values = {
        "customer_id": _customer_id(customer_id, "customer_id"),
        "name": name,
        "lane": lane.value,
        "login_customer_id": _customer_id(login_customer_id, "login_customer_id") if login_customer_id else None,
        "currency": currency,
        "time_zone": time_zone,
    }
    if queries.add_account(connection, values) is None:
        raise NeedsAction(f"There is an ads account {values['customer_id']} already.")
    audit.record(
        connection,
        actor=actor,
        action="ads_account.create",
        subject=f"ads_account:{values['customer_id']}",
        detail=values,
    )
    return get_account(connection, customer_id)


def get_account(connection: sa.Connection, customer_id: str) -> Account:
    """The account of this customer id. Raises NotFound."""
    digits = _customer_id(customer_id, "customer_id")
    row = queries.account(connection, digits)
    if row is None:
        raise NotFound(f"There is no ads account {digits}.", what="ads account")
    return msgspec.convert(row, Account, from_attributes=True)


def accounts(connection: sa.Connection) -> list[Account]:
    """Every account."""
    return [msgspec.convert(row, Account, from_attributes=True) for row in queries.accounts(connection)]


def create_action(
    connection: sa.Connection,
    *,
    customer_id: str,
    action_id: str,
    name: str,
    actor: str,
    action_type: str = "UPLOAD_CLICKS",
    click_window_days: int = WINDOW_LIMIT_DAYS,
    one_per_click: bool = False,
    action_created_at: datetime | None = None,
) -> Action:
    """A conversion action of an account we know.

    Raises NotFound for the account, InvalidConfiguration for a field, NeedsAction when the action is known already.
    """
    account = get_account(connection, customer_id)
    if not _ACTION_ID.match(action_id):
        raise InvalidConfiguration(f'"{action_id}" is not Google\'s numeric id of an action', path="action_id")
    if not 1 <= click_window_days <= WINDOW_LIMIT_DAYS:
        raise InvalidConfiguration(
            f"{click_window_days} is outside Google's 1 to {WINDOW_LIMIT_DAYS} days", path="click_window_days"
        )
    values: dict[str, Any] = {
        "ads_account_id": account.id,
        "action_id": action_id,
        "name": name,
        "action_type": action_type,
        "click_window_days": click_window_days,
        "one_per_click": one_per_click,
        "action_created_at": action_created_at,
    }
    reference = f"{account.customer_id}/{action_id}"
    if queries.add_action(connection, values) is None:
        raise NeedsAction(f"There is an action {reference} already.")
    detail = {"name": name, "action_type": action_type, "click_window_days": click_window_days}
    audit.record(connection, actor=actor, action="ads_action.create", subject=f"ads_action:{reference}", detail=detail)
    return get_action(connection, reference)


def get_action(connection: sa.Connection, reference: str) -> Action:
    """The action named `<customer id>/<action id>`. Raises NotFound, naming the account's actions."""
    customer_id, _, action_id = reference.partition("/")
    row = queries.action(connection, customer_id, action_id)
    if row is None:
        known = ", ".join(action.reference for action in actions(connection, customer_id))
        raise NotFound(
            f"There is no conversion action {reference}. {f'That account has: {known}' if known else 'Create it first'}.",
            what="ads action",
        )
    return msgspec.convert(row, Action, from_attributes=True)


def actions(connection: sa.Connection, customer_id: str | None = None) -> list[Action]:
    """The actions of one account, or of all."""
    return [msgspec.convert(row, Action, from_attributes=True) for row in queries.actions(connection, customer_id)]


def _customer_id(given: str, path: str) -> str:
    digits = given.replace("-", "").strip()
    if not _CUSTOMER_ID.match(digits):
        raise InvalidConfiguration(f'"{given}" is not a customer id of ten digits, 123-456-7890 for example', path=path)
    return digits
