"""Sites: how each stands, connecting one in steps, its settings and secrets; and what its ads account allows."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from console.api.routes import ads_accounts
from console.pages.ask import ROWS
from custom_events import secrets
from custom_events.browse.site_health import site_health
from custom_events.catalog import assignments, definitions, signing, sites
from custom_events.catalog.sites import Site
from custom_events.settings import Settings
from custom_events.values.conversions import Lane
from custom_events.values.deliveries import Platform
from tests.console.api.ledger_rows import ACTION_ID, CUSTOMER_ID
from tests.console.api.raw_rows import parked_delivery
from tests.console.api.test_ads_accounts import Lanes
from tests.console.api.world import World
from tests.console.pages.test_changes import hidden, moved

_REFUSED = sa.text("""
INSERT INTO landing.refused_events (received_at, site_id, platform, reason, topic, body_bytes)
VALUES (now(), :site, 'custom', :reason, 'order.paid', 10)
""")
_ALARM = sa.text("""
INSERT INTO app.alarms (key, name, severity, place, sentence, remedy, opened_at, seen_at)
VALUES (:key, 'ParkedDeliveries', 'warning', jsonb_build_object('site', CAST(:key AS text)), 'x', 'y', now(), now())
""")
_SITE = sa.text("INSERT INTO app.sites (site_key, platform, name) VALUES (:key, 'custom', :name)")
_LANDED = sa.text("""
INSERT INTO landing.raw_queue (raw_id, landed_week, site_id) SELECT id, landed_week, site_id FROM landing.raw_events WHERE id = :id
""")


def shop(connection: sa.Connection, name: str) -> Site:
    return sites.create(connection, platform=Platform.CUSTOM, name=name, actor="test")


def test_health_says_what_is_wrong_with_each_site(
    browser: httpx.Client, engine: sa.Engine, world: World, settings: Settings
) -> None:
    action = f"{CUSTOMER_ID}/{ACTION_ID}"
    with engine.begin() as connection:
        well, new = shop(connection, "Well"), shop(connection, "New")
        signing.add(connection, well.id, "a secret of a store", key=secrets.key(settings), actor="test")
        definitions.create(
            connection, key="well", name="Well", config={"trigger": ["order.paid"], "ads_action": action}, author="test"
        )
        definitions.publish(connection, "well", 1, by="test")
        assignments.assign(connection, well.id, "well", "all", author="test", publish_now=True)
        assignments.assign(connection, well.id, "well", "not", author="test", overrides={"ads_action": None})
        parked_delivery(connection, well.id, b'{"id": 1}', "malformed")
        connection.execute(_ALARM, {"key": well.site_key})
        now = datetime.now(UTC)
        health = site_health(connection, [well.id, new.id], now + timedelta(seconds=1))
        assert site_health(connection, [], now) == {}
    assert (health[well.id].parked, health[well.id].alarms, health[well.id].enabled) == (1, 1, 2)
    assert health[well.id].lanes == (Lane.GOOGLE_ADS,)
    assert health[well.id].last_delivery_at is not None
    assert health[well.id].newest_secret_at is not None
    assert (health[new.id].last_delivery_at, health[new.id].newest_secret_at, health[new.id].lanes) == (None, None, ())
    page = browser.get("/sites").text
    assert "Google Ads API" in page
    assert f'href="sites/{new.id}/connect">none yet' in page
    assert '<span class="mark bad">none</span>' in page


def test_a_shopify_store_is_connected_before_its_secret_is_known(browser: httpx.Client, engine: sa.Engine) -> None:
    form = browser.get("/sites/new?way=shopify").text
    given = {"way": "shopify", "name": "Shop Jena", "shop_domain": "jena.myshopify.com", "currency": "EUR"}
    made = browser.post("/sites/new", data={**given, "time_zone": "UTC", "site_key": hidden(form, "site_key")})
    assert made.status_code == 200, made.text
    assert "The store shows the secret" in made.text
    assert 'id="secret"' not in made.text
    with engine.connect() as connection:
        site = sites.by_domain(connection, "jena.myshopify.com")
    waits = browser.get(f"/sites/{site.id}/connect").text
    assert "It has no secret yet" in waits
    assert "Nothing landed in the last hour" in waits
    assert 'hx-trigger="every 2s"' in waits
    path = f"/sites/{site.id}/secrets"
    assert browser.post(path).status_code == 422
    assert browser.post(path, data={"secret": "short"}).status_code == 422
    kept = browser.post(path, data={"secret": "as the store shows it", "connecting": "yes"})
    page = moved(browser, kept)
    assert "It has no secret yet" not in page
    assert "The secret is kept" in page
    assert "as the store shows it" not in page
    shown = browser.get(f"/sites/{site.id}").text
    revoke = re.search(rf'action="(?:\.\./)*(sites/{site.id}/secrets/\d+/revoke)"', shown)
    assert revoke is not None
    assert "good no longer" in moved(browser, browser.post(f"/{revoke[1]}"))


def test_waiting_says_what_is_wrong_and_ends_with_the_first_event(browser: httpx.Client, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        site = shop(connection, "Waits")
        for reason in ("wrong_signature", "wrong_signature", "too_old"):
            connection.execute(_REFUSED, {"site": site.id, "reason": reason})
    path = f"/sites/{site.id}/connect"
    page = browser.get(path).text
    assert "2 refused: wrong signature" in page
    assert "The signature fits none of the site&#39;s secrets: enter the same secret" in page
    assert "1 refused: too old" in page
    with engine.begin() as connection:
        number = parked_delivery(connection, site.id, b'{"id": 5}', "unknown_topic")
    page = browser.get(path).text
    assert "Waits is connected" in page
    assert "It was not understood: unknown topic" in page
    assert "Switch the webhook off" in page
    assert "hx-get" not in page
    for outcome, said in (("ignored", "of no use here"), ("understood", "gave 2 events")):
        with engine.begin() as connection:
            change = "UPDATE app.raw_outcomes SET outcome = :outcome, reason = NULL, new_events = 2 WHERE raw_id = :id"
            connection.execute(sa.text(change), {"outcome": outcome, "id": number})
        assert said in browser.get(path).text
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM app.raw_outcomes WHERE raw_id = :id"), {"id": number})
        connection.execute(_LANDED, {"id": number})
    page = browser.get(path).text
    assert "It is being understood" in page
    assert "hx-get" in page  # until it is known what it was


def test_settings_are_changed_and_nobody_is_overwritten(browser: httpx.Client, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        site = shop(connection, "Changed")
    path = f"/sites/{site.id}/edit"
    given: dict[str, Any] = {
        "if_match": hidden(browser.get(path).text, "if_match"),
        "name": "Changed by hand",
        "currency": "eur",
        "time_zone": "Europe/Berlin",
        "default_country": "de",
        "consent_default": "denied",
        "payment_lost": "hold",
        "take_test_orders": "on",
    }
    wrong = browser.post(path, data={**given, "currency": "euro", "default_country": "Germany"})
    assert wrong.status_code == 422
    assert 'id="e-currency"' in wrong.text
    assert 'id="e-default_country"' in wrong.text
    page = moved(browser, browser.post(path, data=given))
    assert "Changed by hand" in page
    assert "consent is <strong>denied</strong>" in page
    with engine.connect() as connection:
        stored = sites.get(connection, site.id)
    assert (stored.currency, stored.settings.default_country, stored.settings.payment_lost) == ("EUR", "DE", "hold")
    assert stored.settings.take_test_orders
    stale = browser.post(path, data={**given, "name": "Mine"})
    assert stale.status_code == 412
    assert "Somebody else changed the site" in stale.text
    assert 'value="Mine"' in stale.text


def test_lists_of_a_platform_are_words_with_commas_between(browser: httpx.Client, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        woo = sites.create(connection, platform=Platform.WOOCOMMERCE, name="Woo", actor="test")
        shopify = sites.create(
            connection, platform=Platform.SHOPIFY, name="Shopify", shop_domain="lists.myshopify.com", actor="test"
        )
    path = f"/sites/{woo.id}/edit"

    def form(text: str) -> dict[str, str]:
        return {
            "if_match": hidden(text, "if_match"),
            "name": "Woo",
            "time_zone": "UTC",
            "consent_default": "unknown",
            "payment_lost": "retract",
        }

    page = browser.get(path).text
    assert "subscription_sources" not in page
    given = {**form(page), "cod_paid_when": "own", "cod_paid_statuses": "delivered, collected delivered"}
    moved(browser, browser.post(path, data={**given, "payment_lost_statuses": "disputed,charged-back"}))
    with engine.connect() as connection:
        stored = sites.get(connection, woo.id).settings
    assert stored.cod_paid_when == ("delivered", "collected")
    assert stored.payment_lost_statuses == ("disputed", "charged-back")
    page = browser.get(path).text
    assert 'value="delivered, collected"' in page
    assert 'value="disputed, charged-back"' in page
    for statuses in ("", "wc-delivered"):
        wrong = browser.post(path, data={**form(page), "cod_paid_when": "own", "cod_paid_statuses": statuses})
        assert wrong.status_code == 422
        assert 'id="e-cod_paid_statuses"' in wrong.text
    moved(browser, browser.post(path, data={**form(page), "cod_paid_when": "completed", "payment_lost_statuses": ""}))
    with engine.connect() as connection:
        stored = sites.get(connection, woo.id).settings
    assert stored.cod_paid_when == "completed"
    assert stored.payment_lost_statuses == ()

    path = f"/sites/{shopify.id}/edit"
    page = browser.get(path).text
    assert 'value="subscription_contract"' in page
    assert "cod_paid_when" not in page
    given = {
        **form(page),
        "shop_domain": "lists.myshopify.com",
        "subscription_sources": "recharge, subscription_contract",
    }
    moved(browser, browser.post(path, data=given))
    with engine.connect() as connection:
        stored = sites.get(connection, shopify.id).settings
    assert stored.subscription_sources == ("recharge", "subscription_contract")


def test_consent_is_said_in_sentences_with_who_uses_which(browser: httpx.Client, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        site = shop(connection, "Consents")
        assignments.assign(
            connection,
            site.id,
            "big_order",
            "all",
            author="test",
            overrides={"consent_needed": "granted"},
            publish_now=True,
        )
    page = browser.get(f"/sites/{site.id}").text
    assert "Nothing goes without a yes." in page
    assert "1 assignment</span>" in page
    assert f"bulk-changes/new?action=change&amp;all=yes&amp;site_id={site.id}&amp;setting=consent_needed" in page
    form = browser.get(f"/bulk-changes/new?action=change&all=yes&site_id={site.id}&setting=consent_needed").text
    assert re.search(r'name="how-consent_needed" value="override" checked', form)


def test_what_an_account_allows_is_asked_and_kept(
    browser: httpx.Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/ads-accounts/{CUSTOMER_ID}"
    assert "Google was never asked" in browser.get(path).text
    assert browser.post(f"{path}/probe").status_code == 409  # without credentials
    monkeypatch.setattr(ads_accounts, "destinations", lambda _: {Lane.GOOGLE_ADS: Lanes()})
    page = moved(browser, browser.post(f"{path}/probe"))
    assert "Something is in the way" in page
    assert "They may be imported." in page
    assert f"Action {ACTION_ID}" in page


@pytest.fixture(scope="module")
def sorted_sites(engine: sa.Engine) -> dict[str, list[str]]:
    """More sites than a page has, by what the list is sorted by: their names in that order."""
    numbers = range(100, 100 + ROWS + 10)
    made = [f"Sorted {number}" for number in reversed(numbers)]
    with engine.begin() as connection:
        for name in made:
            values = {"key": name.lower().replace(" ", "-"), "name": name}
            connection.execute(_SITE, values)
    return {"id": made, "-id": made[::-1], "name": made[::-1], "-name": made}


@pytest.mark.parametrize("sort", ["name", "-name", "id", "-id"])
def test_the_list_is_sorted_by_its_heads_page_by_page(
    browser: httpx.Client, sorted_sites: dict[str, list[str]], sort: str
) -> None:
    shown, path = list[str](), f"/sites?search=sorted-&sort={sort}"
    while path:
        page = browser.get(path).text
        shown += re.findall(r'data-label="Site"><a href="sites/\d+">(Sorted \d+)', page)
        assert f'aria-sort="{"descending" if sort.startswith("-") else "ascending"}"' in page
        assert f'<input type="hidden" name="sort" value="{sort}">' in page  # filters keep it
        following = re.search(r'rel="next" href="(\?[^"]+)"', page)
        path = f"/sites{unescape(following[1])}" if following else ""
    assert shown == sorted_sites[sort]


def test_heads_of_the_list_lead_to_the_other_order(browser: httpx.Client) -> None:
    page = browser.get("/sites?state=active").text
    assert '<th scope="col" aria-sort="ascending"><a class="sort" href="?state=active&amp;sort=-name">Site</a>' in page
    assert '<a class="sort" href="?state=active&amp;sort=id">Made</a>' in page
    assert 'href="?sort=name">Site</a>' in browser.get("/sites?sort=-name").text
    assert browser.get("/sites?sort=currency").status_code == 422
