"""What people change by forms: with the faults beside the fields, with what somebody else did in between, with a word on what came of it."""

import re

import httpx
import sqlalchemy as sa

from custom_events.catalog import assignments, raw_events, sites
from custom_events.operations.runner import Runner
from tests.console.api.ledger_rows import CREATED_AT, upload
from tests.console.api.raw_rows import parked_delivery
from tests.console.api.world import PASSWORD, World


def moved(browser: httpx.Client, answer: httpx.Response) -> str:
    """The page that a change leads to."""
    assert answer.status_code == 303, answer.text
    return browser.get(str(answer.url.join(answer.headers["location"]))).text


def hidden(text: str, name: str) -> str:
    """A hidden field's value."""
    found = re.search(rf'name="{name}"[^>]*? value="([^"]*)"', text)
    assert found is not None, name
    return found[1].replace("&#34;", '"')


def test_a_site_is_made_and_its_secret_shown_once(browser: httpx.Client, engine: sa.Engine) -> None:
    assert "WooCommerce plugin" in browser.get("/sites/new").text
    form = browser.get("/sites/new?way=custom").text
    given = {
        "way": "custom",
        "name": "Shop Hamburg",
        "currency": "euro",
        "time_zone": "Mars",
        "site_key": hidden(form, "site_key"),
    }
    wrong = browser.post("/sites/new", data=given)
    assert wrong.status_code == 422
    assert "Mars" in wrong.text
    assert 'value="Shop Hamburg"' in wrong.text
    assert 'id="e-time_zone"' in wrong.text
    assert 'id="e-currency"' in wrong.text
    good = {**given, "currency": "eur", "time_zone": "Europe/Berlin"}
    made = browser.post("/sites/new", data=good)
    assert made.status_code == 200
    secret = re.search(r'id="secret">([^<]+)<', made.text)
    assert secret is not None
    again = browser.post("/sites/new", data=good)
    assert again.status_code == 409  # the key in its address is taken: no second site
    with engine.connect() as connection:
        (site,) = sites.search(connection, text="Hamburg")
    page = browser.get(f"/sites/{site.id}").text
    assert secret[1] not in page
    rotated = browser.post(f"/sites/{site.id}/rotate").text
    assert 'id="secret"' in rotated
    assert browser.post("/sites/new", data={"way": "fax", "name": "x"}).status_code == 422
    assert "is active" in moved(browser, browser.post(f"/sites/{site.id}/resume"))


def test_the_connection_string_of_our_plugin_is_shown_once(browser: httpx.Client) -> None:
    given = {"way": "woocommerce", "name": "Hats", "time_zone": "UTC"}
    made = browser.post("/sites/new", data=given).text
    shown = re.search(r'id="connection">(custom-events-1:[A-Za-z0-9_-]+)<', made)
    assert shown is not None


def test_an_assignment_is_made_overridden_published_and_switched(
    browser: httpx.Client, world: World, engine: sa.Engine
) -> None:
    new = {"site_id": str(world.mine.id), "definition_key": "big_order", "label": "from the shop"}
    for wrong in ({"site_id": ""}, {"site_id": "999999"}, {"definition_key": "none_such"}):
        answer = browser.post("/assignments/new", data={**new, **wrong})
        assert answer.status_code in (404, 409, 422)
    made = browser.post("/assignments/new", data=new)
    path = made.headers["location"].removeprefix("..")
    assert "It is a draft" in moved(browser, made)
    tag = hidden(browser.get(f"{path}/edit").text, "if_match")
    wrong = browser.post(f"{path}/edit", data={"if_match": tag, "on-priority": "on", "overrides.priority": '"high"'})
    assert wrong.status_code == 422
    assert 'id="e-overrides.priority"' in wrong.text
    given = {
        "if_match": tag,
        "on-priority": "on",
        "overrides.priority": "5",
        "on-group": "on",
        "overrides.group": "value",
        "reason": "first",
    }
    page = moved(browser, browser.post(f"{path}/edit", data=given))
    assert "5</ins>" in page
    stale = browser.post(f"{path}/edit", data={**given, "overrides.priority": "6"})
    assert stale.status_code == 412
    assert "came in between" in stale.text
    assert 'value="6"' in stale.text
    page = moved(browser, browser.post(f"{path}/publish/2"))
    assert "overridden here" in page
    assert "It is disabled" in moved(browser, browser.post(f"{path}/disable", data={"reason": "too often"}))
    assert "It is enabled" in moved(browser, browser.post(f"{path}/enable"))
    with engine.begin() as connection:
        number = int(path.rpartition("/")[2])
        assignments.change(connection, number, {}, author="bea")
        assignments.publish(connection, number, 3, by="ana")
    assert "has the overrides of revision 2" in moved(browser, browser.post(f"{path}/rollback/2"))
    tag = hidden(browser.get(f"{path}/edit").text, "if_match")
    same = {
        "if_match": tag,
        "on-priority": "on",
        "overrides.priority": "5",
        "on-group": "on",
        "overrides.group": "value",
    }
    assert "Nothing differs" in moved(browser, browser.post(f"{path}/edit", data=same))


def test_uploads_are_held_released_and_sent_again(browser: httpx.Client, world: World, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        waits, refused = (
            upload(connection, world.mine.id, "77"),
            upload(connection, world.mine.id, "78", state="rejected", reason="EXPIRED_EVENT", settled_at=CREATED_AT),
        )
    page = moved(browser, browser.post(f"/uploads/{waits}/hold", data={"why": "a test order"}))
    assert "Held by hand: a test order" in page
    assert "It is held until" in page
    assert "It is held until" not in browser.get(f"/uploads/{waits}").text  # told once
    assert "It is released" in moved(browser, browser.post(f"/uploads/{waits}/release"))
    assert "sent again" in moved(browser, browser.post(f"/uploads/{refused}/retry"))
    assert browser.post(f"/uploads/{refused}/retry").status_code == 409
    assert waits in browser.get(f"/uploads?site_id={world.mine.id}&state=held").text  # until the next run
    assert waits not in browser.get(f"/uploads?site_id={world.mine.id}&state=rejected").text


def test_parked_deliveries_are_understood_once_more(
    browser: httpx.Client, world: World, engine: sa.Engine, runner: Runner
) -> None:
    with engine.begin() as connection:
        numbers = [
            parked_delivery(connection, world.mine.id, f'{{"id": {n}}}'.encode(), "unknown_topic")
            for n in range(20, 24)
        ]
    page = browser.get(f"/parked?site_id={world.mine.id}").text
    assert "unknown topic" in page
    assert "Switch the webhook off" in page
    assert "parked" in browser.get(f"/deliveries/{numbers[0]}").text
    assert "is understood once more" in moved(browser, browser.post(f"/deliveries/{numbers[0]}/replay"))
    assert browser.post(f"/deliveries/{numbers[0]}/replay").status_code == 409
    assert f'action="deliveries/{numbers[1]}/replay"' in page  # one of the group
    of_site = browser.post(f"/sites/{world.mine.id}/parked/replay", data={"reason": "unknown_topic"})
    assert "data-follow" in moved(browser, of_site)
    assert runner.run_next()
    assert "3 deliveries were put back" in browser.get(str(of_site.url.join(of_site.headers["location"]))).text
    of_all = browser.post("/parked/replay")
    assert runner.run_next()
    assert "0 deliveries were put back" in browser.get(str(of_all.url.join(of_all.headers["location"]))).text
    with engine.connect() as connection:
        assert raw_events.fate(connection, numbers[1]).is_waiting
        assert not raw_events.fate(connection, world.raw_events[0]).is_waiting  # a request about personal data stays
    assert "raw_event.replay" in browser.get(f"/audit?site_id={world.mine.id}").text


def test_a_body_is_shown_to_whom_may_and_the_trail_has_it(browser: httpx.Client, world: World) -> None:
    number = world.raw_events[0]
    page = browser.get(f"/deliveries/{number}/body").text
    assert "customers/redact" in page
    assert f"raw_event:{number}" in browser.get("/audit?noun=raw_event").text


def test_people_are_made_disabled_and_enabled(browser: httpx.Client, world: World) -> None:
    new = {"login": "carl@example.org", "display_name": "Carl", "role": "viewer", "site_id": str(world.mine.id)}
    assert browser.post("/people/new", data={**new, "role": "king"}).status_code == 422
    short = browser.post("/people/new", data={**new, "password": "x"})
    assert short.status_code == 422
    made = browser.post("/people/new", data=new)
    page = moved(browser, made)
    assert "may sign in" in page
    path = made.headers["location"].removeprefix("..")
    assert "Nobody signs in as this person" in moved(browser, browser.post(f"{path}/disable"))
    assert "They may sign in again" in moved(browser, browser.post(f"{path}/enable"))
    assert "is good no longer" in moved(browser, browser.post(f"/api-keys/{world.spare.id}/revoke"))


def test_an_ads_account_is_held_and_released(browser: httpx.Client, world: World) -> None:
    page = moved(browser, browser.post("/ads-accounts/1234567890/hold", data={"why": "prices are wrong"}))
    assert "prices are wrong" in page
    assert "sent for this account again" in moved(browser, browser.post("/ads-accounts/1234567890/release"))


def test_ones_own_sessions_end_and_the_theme_is_kept(browser: httpx.Client) -> None:
    browser.post("/account/theme", data={"theme": "dark"})
    assert 'data-theme="dark"' in browser.get("/account").text
    browser.post("/account/theme", data={"theme": "pink"})
    assert 'data-theme="system"' in browser.get("/account").text
    assert browser.post("/account/sessions/999999/end").status_code == 404


def test_a_person_changes_their_own_password(browser: httpx.Client) -> None:
    assert 'name="current"' in browser.get("/account").text
    chosen = {"current": PASSWORD, "password": "four other words of hers"}
    wrong = browser.post("/account/password", data={**chosen, "current": "no"})
    assert wrong.status_code == 422
    assert 'id="e-current"' in wrong.text
    assert chosen["password"] not in wrong.text
    assert "password is changed" in moved(browser, browser.post("/account/password", data=chosen))
    back = {"current": chosen["password"], "password": PASSWORD}  # the file's other tests sign in by it
    assert browser.post("/account/password", data=back).status_code == 303
