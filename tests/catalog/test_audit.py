from collections.abc import Callable

import msgspec
import pytest
import sqlalchemy as sa

from custom_events.catalog import ads, audit, signing, sites
from custom_events.catalog.sites import Site
from custom_events.values.conversions import Lane
from tests.catalog.conftest import ME


def test_entries_come_newest_first_in_pages(connection: sa.Connection) -> None:
    for number in range(5):
        audit.record(connection, actor="me", action="thing.do", subject=f"thing:{number % 2}", detail={"n": number})
    first = audit.entries(connection, limit=2)
    second = audit.entries(connection, before_id=first[-1].id, limit=10)
    assert [entry.detail["n"] for entry in (*first, *second)] == [4, 3, 2, 1, 0]
    assert [entry.detail["n"] for entry in audit.entries(connection, subject="thing:0")] == [4, 2, 0]


def test_an_entry_says_from_where_it_came(connection: sa.Connection) -> None:
    origin = audit.Origin(source="api", via="api key ce_1", client_address="192.0.2.7", request_id="r-1")
    with audit.coming_from(origin):
        audit.record(connection, actor="me", action="thing.do", subject="thing:1", before={"a": 1}, after={"a": 2})
    audit.record(connection, actor="me", action="thing.do", subject="thing:2")
    columns = "source, via, client_address, request_id, before, after"
    rows = connection.execute(sa.text(f"SELECT {columns} FROM app.audit_entries ORDER BY id DESC LIMIT 2")).all()
    assert [tuple(row) for row in rows] == [
        (None, None, None, None, None, None),
        ("api", "api key ce_1", "192.0.2.7", "r-1", {"a": 1}, {"a": 2}),
    ]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE app.audit_entries SET actor = 'x'", "DELETE FROM app.audit_entries", "TRUNCATE app.audit_entries"],
)
def test_the_trail_only_grows(
    connection: sa.Connection, refused_by_database: Callable[[str], str], statement: str
) -> None:
    audit.record(connection, actor="me", action="thing.do", subject="thing:1")
    assert "only added to" in refused_by_database(statement)


def test_each_change_of_the_catalog_says_what_was_stored_before_and_after(
    connection: sa.Connection, site: Site, key: bytes
) -> None:
    secret = signing.add(connection, site.id, "a-secret-of-a-store", key=key, actor=ME, key_id="k1")
    signing.remove(connection, site.id, secret.id, actor=ME)
    sites.pause(connection, site.id, actor=ME)
    ads.create_account(connection, customer_id="9876543210", name="A", lane=Lane.GOOGLE_ADS, actor=ME)
    ads.update_account(connection, "9876543210", name="B", actor=ME)
    ads.create_action(connection, customer_id="9876543210", action_id="7", name="P", actor=ME)
    ads.update_action(connection, "9876543210/7", click_window_days=30, actor=ME)
    found = {one.action: (one.before, one.after) for one in audit.entries(connection)}
    shown = msgspec.to_builtins(secret)
    assert found["secret.add"] == (None, shown)
    assert found["secret.remove"] == (shown, None)
    assert found["site.pause"] == (
        {"is_active": True, "removed_at": None},
        {"is_active": False, "removed_at": None},
    )
    assert found["ads_account.update"] == ({"name": "A"}, {"name": "B"})
    assert found["ads_action.update"] == ({"click_window_days": 90}, {"click_window_days": 30})
    for made in ("ads_account.create", "ads_action.create"):
        before, after = found[made]
        assert before is None
        assert after is not None
        assert after["name"]
    assert "a-secret-of-a-store" not in str(found)
