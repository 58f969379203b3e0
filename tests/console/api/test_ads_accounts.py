"""Ads accounts and conversion actions: known, changed, probed, stopped and let go on."""

from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from console.api.routes import ads_accounts
from custom_events.catalog import ads
from custom_events.destinations.findings import Finding, Findings
from custom_events.values.conversions import Lane
from tests.console.api.conftest import problem
from tests.console.api.ledger_rows import ACTION_ID, CUSTOMER_ID, upload
from tests.console.api.world import World

PATH = "/api/v1/ads-accounts"
ACCOUNT = f"{PATH}/{CUSTOMER_ID}"
ACTION = f"{ACCOUNT}/actions/{ACTION_ID}"
NEW = {"customer_id": "234-567-8901", "name": "Second", "lane": "data_manager", "currency": "EUR"}


def test_an_account_is_made_changed_and_listed(admin: httpx.Client, world: World) -> None:
    made = admin.post(PATH, json=NEW)
    assert made.status_code == 201, made.text
    path = made.headers["location"]
    assert path.endswith("/2345678901")
    problem(admin.post(PATH, json=NEW), 409)
    headers = {"If-Match": made.headers["etag"]}
    changed = admin.patch(path, json={"name": "Other", "login_customer_id": "345-678-9012"}, headers=headers)
    assert (changed.json()["name"], changed.json()["login_customer_id"]) == ("Other", "3456789012")
    assert problem(admin.patch(path, json={"name": "x"}, headers=headers), 412)["theirs"]["name"] == "Other"
    assert [account["customer_id"] for account in admin.get(PATH).json()["items"]] == [CUSTOMER_ID, "2345678901"]
    first = admin.get(PATH, params={"limit": 1}).json()
    second = admin.get(PATH, params={"limit": 1, "after": first["next"]}).json()
    assert [account["customer_id"] for account in (*first["items"], *second["items"])] == [CUSTOMER_ID, "2345678901"]
    assert second["next"] is None
    assert admin.get(f"{PATH}/234-567-8901").json() == changed.json()
    wrong = {**NEW, "customer_id": "12", "currency": "euro", "name": ""}
    errors = problem(admin.post(PATH, json=wrong), 422)["errors"]
    assert {error["field"] for error in errors} == {"customer_id", "currency", "name"}
    problem(admin.get(f"{PATH}/9999999999"), 404)


STATES = sa.text("""
UPDATE app.ads_accounts SET parked_reason = CASE WHEN customer_id LIKE '81%' THEN 'x' END,
  paused_until = CASE WHEN customer_id LIKE '80%' THEN CAST('1999-01-01' AS timestamptz) ELSE '2999-01-01' END
WHERE customer_id IN ('8000000001', '8100000002', '8200000003')
""")
CHOSEN = (
    ({"search": "Searched"}, "123"),
    ({"search": "searched_1"}, "1"),
    ({"search": "810-000"}, "2"),
    ({"search": "8200000003"}, "3"),
    ({"search": "searched", "lane": "data_manager"}, "23"),
    ({"search": "searched", "state": "sending"}, "1"),
    ({"search": "searched", "state": "paused"}, "3"),
    ({"search": "searched", "state": "parked"}, "2"),
    ({"search": "searched", "state": "parked", "lane": "google_ads"}, ""),
)


def test_accounts_are_searched_and_filtered_page_by_page(admin: httpx.Client, world: World) -> None:
    with world.engine.begin() as connection:
        for number, lane in ((8000000001, "google_ads"), (8100000002, "data_manager"), (8200000003, "data_manager")):
            name = f"Searched_{number % 10}"
            ads.create_account(connection, customer_id=str(number), name=name, lane=Lane(lane), actor="tests")
        connection.execute(STATES)
    for filters, ends in CHOSEN:
        listed = list[str]()
        chosen = {**filters, "limit": "1"}
        while True:
            page = admin.get(PATH, params=chosen).json()
            listed += [account["customer_id"][-1] for account in page["items"]]
            if page["next"] is None:
                break
            chosen["after"] = page["next"]
        assert "".join(listed) == ends, filters
    problem(admin.get(PATH, params={"state": "odd"}), 422)


def test_an_action_is_made_changed_and_listed(admin: httpx.Client, world: World) -> None:
    made = admin.post(f"{ACCOUNT}/actions", json={"action_id": "7002", "name": "Subscription"})
    assert made.status_code == 201, made.text
    path = made.headers["location"]
    headers = {"If-Match": made.headers["etag"]}
    assert admin.patch(path, json={"click_window_days": 30}, headers=headers).json()["click_window_days"] == 30
    problem(admin.patch(path, json={"click_window_days": 7}, headers=headers), 412)
    errors = problem(admin.patch(path, json={"click_window_days": 91}, headers={"If-Match": "*"}), 422)["errors"]
    assert [error["field"] for error in errors] == ["click_window_days"]
    assert [action["action_id"] for action in admin.get(f"{ACCOUNT}/actions").json()["items"]] == [ACTION_ID, "7002"]
    problem(admin.get(f"{ACCOUNT}/actions/9999"), 404)


def test_an_account_and_an_action_are_held_and_go_on(admin: httpx.Client, world: World) -> None:
    for path in (ACCOUNT, ACTION):
        held = admin.post(f"{path}/hold", json={"why": "prices are wrong"}).json()
        assert held["parked_reason"].startswith("Held by hand: prices are wrong (")
        assert held["parked_at"] is not None
    standing = admin.get(f"{ACCOUNT}/standing").json()
    assert standing["parked_actions"][0]["action_id"] == ACTION_ID
    assert standing["conversions"]["queued"] == 2
    assert admin.post(f"{ACTION}/release").json()["parked_reason"] is None
    assert admin.post(f"{ACCOUNT}/release").json()["parked_reason"] is None


def test_rows_of_an_account_go_now_or_once_more(admin: httpx.Client, world: World) -> None:
    with world.engine.begin() as connection:
        upload(connection, world.mine.id, "2", state="rejected", reason="EXPIRED_EVENT")
    retried = admin.post(f"{ACCOUNT}/uploads/retry", json={"reason": "EXPIRED_EVENT"})
    assert retried.json() == {"rows": 1}
    problem(admin.post(f"{ACCOUNT}/uploads/retry", json={"reason": "ANOTHER"}), 404)
    site = f"/api/v1/sites/{world.mine.id}"
    assert admin.post(f"{site}/uploads/hold", json={"why": "x", "order_id": "2"}).json() == {"rows": 1}
    assert admin.post(f"{ACCOUNT}/uploads/release", json={"order_id": "2"}).json() == {"rows": 1}
    problem(admin.post(f"{ACCOUNT}/uploads/release", json={"order_id": "nowhere"}), 404)


class Lanes:
    """A way to the platform on which all is well, but for an action."""

    def probe(self, *_: Any, **__: Any) -> Findings:
        """Two findings."""
        return Findings(
            findings=(
                Finding(question="may_import", fine=True, sentence="They may be imported."),
                Finding(question="action_exists", fine=False, sentence="There is none.", action_id=ACTION_ID),
            )
        )


def test_a_probe_says_what_is_in_the_way(admin: httpx.Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ads_accounts, "destinations", lambda _: {Lane.GOOGLE_ADS: Lanes()})
    found = admin.post(f"{ACCOUNT}/probe").json()
    assert found["fine"] is False
    assert [(one["question"], one["fine"]) for one in found["findings"]][:2] == [
        ("may_import", True),
        ("action_exists", False),
    ]


def test_without_credentials_a_probe_says_what_is_missing(admin: httpx.Client, world: World) -> None:
    assert problem(admin.post(f"{ACCOUNT}/probe"), 409)["detail"]
