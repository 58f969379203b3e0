from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.catalog import ads, audit
from custom_events.errors import InvalidConfiguration, NeedsAction, NotFound
from custom_events.values.conversions import Lane
from tests.catalog.conftest import ME


def _account(connection: sa.Connection, **changes: Any) -> ads.Account:
    given: dict[str, Any] = {"customer_id": "234-567-8901", "name": "B", "lane": Lane.DATA_MANAGER, "actor": ME}
    return ads.create_account(connection, **{**given, **changes})


def test_an_account_is_known_by_its_digits(connection: sa.Connection) -> None:
    made = _account(connection, login_customer_id="999-999-9999", currency="EUR", time_zone="Europe/Paris")
    assert (made.customer_id, made.login_customer_id, made.lane) == ("2345678901", "9999999999", Lane.DATA_MANAGER)
    assert ads.get_account(connection, "2345678901") == made
    assert ads.accounts(connection) == [made]
    with pytest.raises(NeedsAction, match="2345678901 already"):
        _account(connection)
    with pytest.raises(NotFound, match="1111111111"):
        ads.get_account(connection, "1111111111")


@pytest.mark.parametrize(
    ("field", "value"),
    [("customer_id", "12"), ("login_customer_id", "x"), ("currency", "euro"), ("time_zone", "Mars")],
)
def test_fields_of_an_account_are_checked(connection: sa.Connection, field: str, value: str) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        _account(connection, **{field: value})
    assert caught.value.path == field


def test_an_action_is_named_by_account_and_id(connection: sa.Connection, action: str) -> None:
    found = ads.get_action(connection, action)
    assert (found.reference, found.click_window_days) == ("1234567890/77", 30)
    assert ads.actions(connection) == ads.actions(connection, "1234567890") == [found]
    assert audit.entries(connection)[0].subject == "ads_action:1234567890/77"
    with pytest.raises(NotFound, match="That account has: 1234567890/77"):
        ads.get_action(connection, "1234567890/78")
    with pytest.raises(NotFound, match="Create it first"):
        ads.get_action(connection, "2345678901/78")


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("action_id", "conversions/77", InvalidConfiguration),
        ("click_window_days", 91, InvalidConfiguration),
        ("action_id", "77", NeedsAction),
        ("customer_id", "2345678901", NotFound),
    ],
)
def test_fields_of_an_action_are_checked(
    connection: sa.Connection, action: str, field: str, value: Any, error: type[Exception]
) -> None:
    del action
    given: dict[str, Any] = {"customer_id": "1234567890", "action_id": "78", "name": "x", "actor": ME, field: value}
    with pytest.raises(error):
        ads.create_action(connection, **given)


def test_an_account_and_an_action_follow_what_was_changed_at_google(connection: sa.Connection, action: str) -> None:
    made = ads.update_account(connection, "123-456-7890", actor=ME, name="New", lane=Lane.DATA_MANAGER, currency=None)
    assert (made.name, made.lane, made.currency) == ("New", Lane.DATA_MANAGER, None)
    entry = audit.entries(connection, subject="ads_account:1234567890")[0]
    assert entry.detail["changes"] == [
        'name: "Ads" -> "New"',
        'lane: "google_ads" -> "data_manager"',
        'currency: "EUR" -> null',
    ]
    changed = ads.update_action(connection, action, actor=ME, click_window_days=60, name="Bought")
    assert (changed.click_window_days, changed.name) == (60, "Bought")
    before = audit.entries(connection)
    ads.update_account(connection, "1234567890", actor=ME, name="New")
    ads.update_action(connection, action, actor=ME, name="Bought")
    assert audit.entries(connection) == before
    with pytest.raises(InvalidConfiguration, match="these can: name, lane"):
        ads.update_account(connection, "1234567890", actor=ME, parked_reason="x")
    with pytest.raises(InvalidConfiguration, match="1 to 90"):
        ads.update_action(connection, action, actor=ME, click_window_days=91)
    with pytest.raises(InvalidConfiguration, match="name: it is empty"):
        ads.update_account(connection, "1234567890", actor=ME, name=" ")
