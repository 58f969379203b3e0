"""The same verbs beside the database and from afar, by the API of a server: one output, one set of assertions for both."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from cli.afar import server
from cli.main import HERE_ONLY
from cli.main import main as command
from tests.backtest.conftest import PastWorld, paid_order
from tests.cli.conftest import URL, Ask, Run
from tests.cli.test_site import land
from tests.cli.test_uploads import GROUND
from tests.cli.test_watch import parked
from tests.console.api.raw_rows import privacy_delivery


def test_people_and_keys(ask: Ask) -> None:
    assert "Nobody can sign in yet" in ask("user", "list")
    ask("site", "add", "--platform", "custom", "--name", "Shop", "--domain", "shop.example")
    ask("user", "add", "first", "--role", "administrator", given="four words and more\n")
    roles = ("--role", "administrator", "--role", "editor@shop.example")
    made = ask("user", "add", "Ana@example.org", *roles, given="four words and more\n")
    assert made == "ana@example.org may sign in: administrator of all sites, editor of site 1.\n"
    assert ask("user", "role", "ana@example.org", "--role", "publisher") == "ana@example.org: publisher of all sites.\n"
    assert "new password" in ask("user", "password", "ana@example.org", given="another four words")
    assert "Nobody signs in as ana" in ask("user", "disable", "ana@example.org")
    assert "(disabled since" in ask("user", "list")
    assert "may sign in" in ask("user", "enable", "ana@example.org")
    assert 'no person "nobody"' in ask("user", "disable", "nobody", code=1)
    person, _ = json.loads(ask("user", "list", "--json"))["people"]
    assert person["grants"] == [{"role": "publisher", "site_id": None}]
    words = ("--role", "viewer", "--days", "9", "--owner", "ana@example.org")
    prefix = ask("api-key", "make", "deploy", *words).split()[-1][:11]
    assert f"{prefix}  deploy: viewer of all sites; never used; ends " in ask("api-key", "list")
    assert "good no longer" in ask("api-key", "revoke", prefix)
    assert "; revoked " in ask("api-key", "list")
    assert "no API key" in ask("api-key", "revoke", "ce_00000000", code=1)


def test_sites_and_secrets(ask: Ask, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask("site", "list") == "There are no sites yet: custom-events site add\n"
    words = ("--name", "My shop", "--domain", "shop.example", "--currency", "EUR", "--country", "DE")
    added = ask("site", "add", "--platform", "custom", *words)
    assert "Site 1, key " in added
    assert "Secret (shown once): " in added
    assert "currency" in ask("site", "add", "--platform", "custom", "--name", "S", "--currency", "euro", code=1)
    assert "is paused: what it sends is taken" in ask("site", "pause", "shop.example", "--reason", "a move")
    assert "My shop (shop.example), paused\n" in ask("site", "list")
    assert "is active" in ask("site", "resume", "1")
    assert "never sent" in ask("site", "list")
    assert "Secret 2 of site 1 is good" in ask("site", "secret", "add", "1", "--key-id", "k2", given="from-the-store\n")
    assert "Secret (shown once): " in ask("site", "secret", "rotate", "shop.example")
    listed = ask("site", "secret", "list", "1").splitlines()
    assert ["until removed" in line for line in listed] == [False, False, True]
    assert "good no longer" in ask("site", "secret", "revoke", "1", "2")
    assert "has no secret 99" in ask("site", "secret", "revoke", "1", "99", code=1)
    assert "nothing landed" in ask("site", "wait", "1", "--seconds", "0", code=1)
    land(engine, 1)
    (row,) = json.loads(ask("site", "list", "--json"))["sites"]
    assert row["last_delivery_at"]
    assert 'There is no site "nobody"' in ask("site", "wait", "nobody", code=1)
    assert "is removed: what it sends is refused" in ask("site", "remove", "shop.example")


def test_definitions_and_assignments(ask: Ask, database: str, engine: sa.Engine) -> None:
    world = PastWorld(database, engine)
    shop = world.site()
    world.assign(shop, world.define("bought"), "all orders")
    world.draft("bought", priority=3)
    assert "bought                   bought: published, revision 1 applies, 2 is the newest\n" in ask(
        "definition", "list"
    )
    assert ask("definition", "diff", "bought") == "From revision 1 to revision 2:\n  priority: added 3\n"
    assert ask("definition", "diff", "bought", "--from", "2", "--to", "2").startswith("No difference from revision 2")
    assert json.loads(ask("definition", "diff", "bought", "--json"))["lines"] == ["priority: added 3"]
    assert ask("definition", "publish", "bought") == "Revision 2 of definition bought applies.\n"
    assert "not a draft" in ask("definition", "publish", "bought", "1", code=1)
    back = ask("definition", "rollback", "bought", "1", "--reason", "too often")
    assert back == "Revision 3 of definition bought, with the settings of 1, applies.\n"
    listed = ask("definition", "revisions", "bought").splitlines()
    assert [line.split()[:2] for line in listed] == [["3", "published"], ["2", "retired"], ["1", "retired"]]
    assert ": too often; published " in listed[0]
    assert 'There is no definition "nothing"' in ask("definition", "publish", "nothing", code=1)
    assert len(json.loads(ask("assignment", "list", "--site", "1", "--json"))["assignments"]) == 1
    assert "bought, all orders, on site 1: active, revision 1 applies\n" in ask("assignment", "list")
    assert "has no revision 7" in ask("assignment", "rollback", "1", "7", code=1)
    assert "with the settings of 1, applies" in ask("assignment", "rollback", "1", "1")
    assert len(json.loads(ask("assignment", "revisions", "1", "--json"))["revisions"]) == 2
    assert "is no id" in ask("assignment", "diff", "x", code=2)
    assert "is no key" in ask("definition", "diff", "X", code=2)


def test_uploads(ask: Ask, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execution_options(no_parameters=True).exec_driver_sql(GROUND)
        connection.execute(
            sa.text("INSERT INTO app.sites (id, site_key, platform, name) VALUES (1, 'shop', 'custom', 'S')")
        )
    again = "custom-events uploads release 123-456-7890"
    assert ask("uploads", "hold", "123-456-7890", "prices") == f"123-456-7890 is held. Its conversions wait: {again}\n"
    assert ": Held by hand: prices (" in ask("uploads", "list")
    assert ask("uploads", "release", "123-456-7890") == "123-456-7890 goes on.\n"
    assert ask("uploads", "retry", "1234567890", "--reason", "code-1") == "1 rows go once more.\n"
    assert ask("uploads", "retry", "1234567890") == "2 rows go once more.\n"
    assert "1 rows are held" in ask("uploads", "hold", "1234567890", "a test", "--order", "2")
    assert "1 rows go now" in ask("uploads", "release", "1234567890", "--order", "2")
    assert "rows are held" in ask("uploads", "hold", "1234567890", "x", "--site", "shop")
    assert "rows go now" in ask("uploads", "release", "1234567890", "--site", "shop", "--held")
    assert "Action 7001 of 1234567890 is held" in ask("uploads", "hold", "1234567890", "x", "--action", "7001")
    assert "Action 7001 of 1234567890 goes on" in ask("uploads", "release", "1234567890", "--action", "7001")
    assert "Google" in ask("uploads", "probe", "1234567890", code=1)
    assert "no conversion action" in ask("uploads", "hold", "1234567890", "x", "--action", "9", code=1)


def test_what_is_looked_at(ask: Ask, database: str, engine: sa.Engine, tmp_path: Path) -> None:
    world = PastWorld(database, engine)
    shop, action = world.site(), world.action()
    world.assign(shop, world.define("bought"), ads_action=action)
    world.order(shop, 1, 5)
    world.drain()
    assert "The sums agree." in ask("status") or "do NOT agree" in ask("status")
    assert json.loads(ask("status", "--json"))["commerce_events"]
    told = ask("explain", "1", "--site", "1")
    assert "order.paid:1" in told
    assert json.loads(ask("explain", "order.paid:1", "--assignment", "1", "--json"))["site_id"] == 1
    assert ask("explain", "order.paid:99", code=1).startswith("Error: ")
    stored = ask("test-rule", "--event", "order.paid:1", "--site", "1", "--definition", "bought")
    assert "bought" in stored
    (tmp_path / "order.json").write_text(json.dumps(paid_order(2, 5)))
    (tmp_path / "vip.yaml").write_text("name: VIP\ntrigger: [order.paid]\n")
    words = ("test-rule", "order.json", "--platform", "shopify", "--topic", "orders/paid", "--config", "vip.yaml")
    assert ask(*words) == ask(*words)
    assert json.loads(ask(*words, "--site", "1", "--json"))["tried"]
    assert "openapi" in json.loads(ask("openapi"))
    overridden = ("--assignment", "1@1", "--overrides", "stricter.yaml", "--site", "1")
    (tmp_path / "stricter.yaml").write_text("click_window_days: 3\n")
    assert "bought" in ask("test-rule", "--event", "order.paid:1", *overridden)
    with engine.begin() as connection:
        number = privacy_delivery(connection, shop, b'{"id": 1}')
    assert f"raw:{number}  " in ask("privacy", "list")
    assert '{"id": 1}' in ask("raw", "show", str(number))
    assert "is closed" in ask("privacy", "done", str(number), "--note", "by script")
    assert ask("privacy", "list") == "No open requests.\n"


def test_rule_tests_from_afar_need_a_site_and_json(run: Run, console: None, key: str, tmp_path: Path) -> None:
    (tmp_path / "broken").write_text("[1]")
    (tmp_path / "vip.yaml").write_text("name: VIP\ntrigger: [order.paid]\n")
    words = ("--server", URL, "test-rule")
    found = run(*words, "--event", "order.paid:1", "--definition", "bought", CUSTOM_EVENTS_API_KEY=key)
    assert (found.exit_code, "name it with --site" in found.output) == (1, True)
    words = (*words, "broken", "--platform", "shopify", "--topic", "orders/paid", "--config", "vip.yaml")
    found = run(*words, CUSTOM_EVENTS_API_KEY=key)
    assert (found.exit_code, "The body is no JSON object" in found.output) == (1, True)


def test_alarms(ask: Ask, run: Run, database: str, engine: sa.Engine, way: str) -> None:
    assert ask("watch", "--no-tell") == "Nothing is wrong.\n"
    parked(engine)
    assert run("watch", "--no-tell", DATABASE_URL=database).exit_code == 1  # the server's watcher looks
    assert "AccountParked: Nothing is sent to ads account 1234567890" in ask("watch", "--no-tell", code=1)


def test_the_author_is_whose_key_it_is(run: Run, console: None, key: str, engine: sa.Engine) -> None:
    words = ("--server", URL, "site", "add", "--platform", "custom", "--name", "Shop")
    named = run(*words, "--author", "somebody", CUSTOM_EVENTS_API_KEY=key)
    assert (named.exit_code, "the server writes whose key it is" in named.output) == (2, True)
    assert run(*words, CUSTOM_EVENTS_API_KEY=key).exit_code == 0
    with engine.connect() as connection:
        actor, source = connection.execute(
            sa.text("SELECT actor, source FROM app.audit_entries WHERE action = 'site.create'")
        ).one()
    assert (actor, source) == ("test", "api")  # who made the key


@pytest.mark.parametrize("verb", HERE_ONLY)
def test_verbs_that_do_not_go_say_why(run: Run, verb: str) -> None:
    found = run("--server", URL, verb)
    assert found.exit_code == 2
    assert f"`custom-events {verb}` does not go by --server: {HERE_ONLY[verb]}.\n" in found.output
    assert command.commands is not None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--server", URL, "status"), "needs an API key"),
        (("--server", "events.example", "status"), "is no address of a server"),
        (("--server", URL, "status", "--exact"), "--exact does not go by --server"),
        (("--server", URL, "watch", "--test"), "--test does not go by --server"),
        (("--server", URL, "uploads", "reconcile"), "`uploads reconcile` does not go by --server"),
    ],
)
def test_what_is_missing_is_said(run: Run, words: tuple[str, ...], said: str) -> None:
    found = run(*words, CUSTOM_EVENTS_API_KEY="")
    assert found.exit_code == 2
    assert said in found.output


def test_a_key_from_a_file_that_is_good_no_longer(run: Run, console: None, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("ce_00000000_wrong\n")
    found = run("--server", URL, "--key-file", "key", "status")
    assert found.exit_code == 0  # on a machine of one's own figures are open
    found = run("--server", URL, "--key-file", "key", "user", "list")
    assert (found.exit_code, found.output) == (
        1,
        "Error: Sign in, or send an API key that is good (Authorization: Bearer ...).\n",
    )


def refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("Connection refused", request=request)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (refuse, "The server does not answer: Connection refused"),
        (lambda _: httpx.Response(502, html="<h1>Bad gateway</h1>"), "answers 502, and not as the API"),
        (lambda _: httpx.Response(418, json={}), "answers 418, and not as the API"),
    ],
)
def test_a_server_that_is_none_of_ours(
    run: Run, monkeypatch: pytest.MonkeyPatch, answer: Callable[[httpx.Request], httpx.Response], said: str
) -> None:
    monkeypatch.setattr(server, "transport", httpx.MockTransport(answer))
    found = run("--server", "http://events.example", "user", "list", CUSTOM_EVENTS_API_KEY="ce_1_x")
    assert found.exit_code == 1
    assert said in found.output
    assert "use https" in found.output
