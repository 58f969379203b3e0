"""A store is connected from the terminal: its address, its secrets, its first delivery."""

import hashlib
import json
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
import zstandard
from cryptography.fernet import Fernet

from custom_events.catalog import audit, signing, sites
from tests.cli.conftest import Run

KEY = Fernet.generate_key().decode()
LAND = """
WITH landed AS (
  INSERT INTO landing.raw_events (landed_week, site_id, topic, dedup_key, signature, headers, body, body_bytes)
  VALUES (date_trunc('week', now() AT TIME ZONE 'UTC')::date, :site, 'order.paid', :key, 'verified', '{"a": "b"}', :body, :size)
  RETURNING id, landed_week, site_id)
INSERT INTO landing.raw_queue (raw_id, landed_week, site_id) SELECT * FROM landed RETURNING raw_id
"""
REFUSE = "INSERT INTO landing.refused_events (received_at, site_id, platform, reason) VALUES (now(), :site, 'custom', :reason)"


def land(engine: sa.Engine, site: int, body: bytes = b"{}", name: str = "a") -> int:
    key = hashlib.sha256(name.encode()).digest()[:16]
    with engine.begin() as connection:
        values = {"site": site, "key": key, "body": zstandard.compress(body), "size": len(body)}
        return connection.execute(sa.text(LAND), values).scalar_one()


@pytest.fixture
def added(run: Run, database: str) -> str:
    result = run(
        *("site", "add", "--platform", "custom", "--name", "My shop", "--domain", "shop.example", "--author", "anna"),
        DATABASE_URL=database,
        CUSTOM_EVENTS_SECRET_KEY=KEY,
        CUSTOM_EVENTS_RECEIVER_URL="https://events.example/",
    )
    assert result.exit_code == 0, result.output
    return result.output


def test_a_site_gets_an_address_and_a_secret_that_is_shown_once(added: str, engine: sa.Engine) -> None:
    with engine.connect() as connection:
        site = sites.called(connection, "shop.example")
        assert sites.called(connection, site.site_key) == sites.called(connection, str(site.id)) == site
        shown = added.partition("Secret (shown once): ")[2].strip()
        assert signing.holds(connection, site.id, shown, key=KEY.encode())
    assert f"https://events.example/webhooks/custom/{site.site_key}" in added


@pytest.mark.parametrize(
    ("platform", "domain", "told"),
    [
        ("shopify", "my-shop.myshopify.com", "site secret add"),
        ("woocommerce", "woo.example", "Secret (shown once)"),
        ("woocommerce", "woo.example", "Connection string for our plugin (it holds the secret): custom-events-1:"),
    ],
)
def test_what_to_enter_in_the_store(run: Run, database: str, platform: str, domain: str, told: str) -> None:
    given = ("site", "add", "--platform", platform, "--name", "S", "--domain", domain, "--country", "DE")
    result = run(*given, DATABASE_URL=database, CUSTOM_EVENTS_SECRET_KEY=KEY)
    assert f"/webhooks/{platform}/" in result.output
    assert told in result.output


@pytest.mark.usefixtures("added")
def test_secrets_are_added_rotated_listed_and_revoked(run: Run, database: str, engine: sa.Engine) -> None:
    def secret(*arguments: str, given: str | None = None) -> str:
        result = run("site", "secret", *arguments, given=given, DATABASE_URL=database, CUSTOM_EVENTS_SECRET_KEY=KEY)
        assert result.exit_code == 0, result.output
        return result.output

    assert "Secret 2 of site" in secret("add", "shop.example", "--key-id", "k2", given="pasted-from-the-store\n")
    with engine.connect() as connection:
        site = sites.called(connection, "shop.example")
        assert signing.holds(connection, site.id, "pasted-from-the-store", key=KEY.encode())
    new = secret("rotate", "shop.example").partition("Secret (shown once): ")[2].strip()
    listed = secret("list", "shop.example").splitlines()
    assert [line.split()[0] for line in listed] == ["1", "2", "3"]
    assert ["until removed" in line for line in listed] == [False, False, True]
    assert "pasted-from-the-store" not in "".join(listed)
    secret("revoke", "shop.example", "2")
    assert len(secret("list", "shop.example").splitlines()) == 2
    with engine.connect() as connection:
        assert signing.holds(connection, site.id, new, key=KEY.encode())
        assert not signing.holds(connection, site.id, "pasted-from-the-store", key=KEY.encode())
    missing = run("site", "secret", "revoke", "shop.example", "99", DATABASE_URL=database)
    assert (missing.exit_code, missing.output) == (
        1,
        f"Error: Site {site.id} has no secret 99: `custom-events site secret list {site.id}` shows those it has.\n",
    )


@pytest.mark.usefixtures("added")
def test_sites_are_listed_paused_and_resumed(run: Run, database: str, engine: sa.Engine) -> None:
    assert "My shop (shop.example)" in run("site", "list", DATABASE_URL=database).output
    off = run("site", "pause", "shop.example", "--author", "anna", DATABASE_URL=database)
    assert "is paused: what it sends is taken" in off.output
    assert ", paused" in run("site", "list", DATABASE_URL=database).output
    assert "is active" in run("site", "resume", "shop.example", "--author", "anna", DATABASE_URL=database).output
    with engine.connect() as connection:
        site = sites.called(connection, "shop.example")
    land(engine, site.id)
    (row,) = json.loads(run("site", "list", "--json", DATABASE_URL=database).output)["sites"]
    assert (row["site_key"], row["is_active"]) == (site.site_key, True)
    assert row["last_delivery_at"]
    unknown = run("site", "pause", "nobody", DATABASE_URL=database)
    assert unknown.exit_code == 1
    assert f'There is no site "nobody" (an id, a key or a shop domain). There are: {site.site_key}' in unknown.output


@pytest.mark.usefixtures("added")
def test_a_removed_site_is_brought_back_by_resume(run: Run, database: str, engine: sa.Engine) -> None:
    removed = run("site", "remove", "shop.example", "--author", "anna", DATABASE_URL=database)
    assert "is removed: what it sends is refused" in removed.output
    assert ", removed" in run("site", "list", DATABASE_URL=database).output
    with engine.connect() as connection:
        since = sites.called(connection, "shop.example").removed_at
    run("site", "pause", "shop.example", DATABASE_URL=database)
    run("site", "remove", "shop.example", DATABASE_URL=database)
    with engine.connect() as connection:
        assert sites.called(connection, "shop.example").removed_at == since
    run("site", "resume", "shop.example", DATABASE_URL=database)
    with engine.connect() as connection:
        back = sites.called(connection, "shop.example")
        actions = [one.action for one in audit.entries(connection, subject=f"site:{back.id}", limit=2)]
    assert (back.is_active, back.removed_at) == (True, None)
    assert actions == ["site.resume", "site.remove"]


def test_no_sites_yet(run: Run, database: str) -> None:
    assert run("site", "list", DATABASE_URL=database).output == "There are no sites yet: custom-events site add\n"


@pytest.mark.usefixtures("added")
def test_waiting_ends_with_the_first_delivery(run: Run, database: str, engine: sa.Engine) -> None:
    """Deliveries go on coming until the waiting has ended, whenever it began."""
    with engine.connect() as connection:
        site = sites.called(connection, "shop.example").id
    ended = threading.Event()

    def store() -> None:
        number = 0
        while not ended.wait(0.05):
            number += 1
            with engine.begin() as connection:
                connection.execute(sa.text(REFUSE), {"site": site, "reason": "wrong_signature"})
                connection.execute(sa.text(REFUSE), {"site": None, "reason": "no_such_site"})
            if number > 40:
                land(engine, site, name=str(number))

    sender = threading.Thread(target=store)
    sender.start()
    try:
        result = run("site", "wait", "shop.example", DATABASE_URL=database)
    finally:
        ended.set()
        sender.join()
    assert result.exit_code == 0
    assert "the signature fits none of the site's secrets" in result.output
    assert "belongs to no site" in result.output
    assert "landed: order.paid, raw:" in result.output


@pytest.mark.usefixtures("added")
def test_waiting_ends_when_nothing_comes(run: Run, database: str) -> None:
    result = run("site", "wait", "shop.example", "--seconds", "0", DATABASE_URL=database)
    assert result.exit_code == 1
    assert "nothing landed" in result.output


def test_a_raw_event_is_shown_and_saved(run: Run, database: str, engine: sa.Engine, tmp_path: Path) -> None:
    body = b'{"name": "caf\\u00e9 \xff"}'
    number = land(engine, 7, body)
    shown = run("raw", "show", str(number), "--author", "anna", DATABASE_URL=database).output
    assert shown.startswith(f"raw:{number} of site 7, received ")
    assert "a: b\n" in shown
    assert '{"name": "caf\\u00e9 \\xff"}' in shown
    saved = run("raw", "save", str(number), "--folder", "kept", "--author", "anna", DATABASE_URL=database)
    assert saved.output == f"kept/{number}.json: {len(body)} bytes of site 7, topic order.paid\n"
    assert (tmp_path / "kept" / f"{number}.json").read_bytes() == body
    assert json.loads((tmp_path / "kept" / f"{number}.headers.json").read_text()) == {"a": "b"}
    again = run("raw", "save", str(number), "--folder", "kept", DATABASE_URL=database)
    assert "exists already" in again.output
    with engine.connect() as connection:
        found = connection.execute(sa.text("SELECT actor, action, subject FROM app.audit_entries ORDER BY id")).all()
    assert found == [
        ("anna", "raw_event.show", f"raw_event:{number}"),
        ("anna", "raw_event.save", f"raw_event:{number}"),
    ]


@pytest.mark.parametrize("number", ["99", str(2**63), str(10**30), "0"])
def test_a_raw_event_that_is_not_kept(run: Run, database: str, number: str) -> None:
    result = run("raw", "show", number, DATABASE_URL=database)
    assert result.exit_code == 1
    assert f"No raw event {number} is kept" in result.output


def test_a_folder_that_cannot_be_written(run: Run, database: str, engine: sa.Engine, tmp_path: Path) -> None:
    number = land(engine, 7)
    (tmp_path / "file").write_text("")
    result = run("raw", "save", str(number), "--folder", "file/inside", DATABASE_URL=database)
    assert result.exit_code == 1
    assert "cannot be written" in result.output


REQUEST = """
INSERT INTO app.privacy_requests (raw_id, landed_week, site_id, kind, received_at, due_at)
VALUES (77, '2026-11-16', 7, 'redact_customer', '2026-11-20 12:00+00', '2026-12-20 12:00+00')
"""


def test_requests_about_data_are_listed_and_closed(run: Run, database: str, engine: sa.Engine) -> None:
    assert run("privacy", "list", DATABASE_URL=database).output == "No open requests.\n"
    with engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO app.sites (id, site_key, platform, name) VALUES (7, 'seven', 'custom', 'S')")
        )
        connection.execute(sa.text(REQUEST))
    shown = run("privacy", "list", DATABASE_URL=database).output
    assert shown == "raw:77  redact_customer  site seven, received 2026-11-20, due 2026-12-20\n"
    closed = run("privacy", "done", "77", "--note", "by hand", "--author", "anna", DATABASE_URL=database)
    assert closed.output == "Request 77 is closed.\n"
    assert " by anna: by hand" in run("privacy", "list", "--all", DATABASE_URL=database).output
    (row,) = json.loads(run("privacy", "list", "--all", "--json", DATABASE_URL=database).output)["requests"]
    assert (row["raw_id"], row["done_by"]) == (77, "anna")
    assert run("privacy", "done", "78", "--note", "x", DATABASE_URL=database).exit_code == 1
