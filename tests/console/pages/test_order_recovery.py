"""The card of a site's page on which missing orders are counted and the store's key is entered."""

import httpx
import sqlalchemy as sa

from custom_events.catalog import sites
from custom_events.values.deliveries import Platform
from tests.console.pages.test_changes import moved

KEY = {"consumer_key": "ck_" + "1" * 40, "consumer_secret": "cs_" + "2" * 40}


def test_a_key_on_the_sites_page(browser: httpx.Client, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        site = sites.create(
            connection, platform=Platform.WOOCOMMERCE, name="Woo", actor="test", shop_domain="woo.example"
        ).id
    page = browser.get(f"/sites/{site}").text
    assert (
        "no key of the store&#39;s own API was entered" in page or "no key of the store's own API was entered" in page
    )
    refused = browser.post(f"/sites/{site}/store-api-key", data={"consumer_key": "x"})
    assert refused.status_code == 422
    moved(browser, browser.post(f"/sites/{site}/store-api-key", data={**KEY, "store_url": ""}))
    with engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO app.missing_orders VALUES (:site, '2026-11-20', 'refund_deleted', 3, 9, now())"),
            {"site": site},
        )
        connection.execute(
            sa.text("INSERT INTO app.order_recoveries VALUES (:site, now(), now(), 'It refuses the key', now())"),
            {"site": site},
        )
    page = browser.get(f"/sites/{site}").text
    for words in (
        "by the key that ends in <code>1111111</code>",
        "a refund is stored that the store lists no longer",
        "delivery 9",
        "It refuses the key",
    ):
        assert words in page
    assert KEY["consumer_secret"] not in page
    moved(browser, browser.post(f"/sites/{site}/store-api-key/remove"))
    page = browser.get(f"/sites/{site}/edit").text
    assert "Orders are known at Google by" in page


def test_the_key_of_a_bigcommerce_store_has_its_own_names(browser: httpx.Client, engine: sa.Engine) -> None:
    assert "Hooks of a store name its orders" in browser.get("/sites/new?way=bigcommerce").text
    with engine.begin() as connection:
        site = sites.create(connection, platform=Platform.BIGCOMMERCE, name="Big", actor="test").id
    page = browser.get(f"/sites/{site}").text
    assert "Store hash" in page
    assert "Access token" in page
    given = {"consumer_key": "abc123", "consumer_secret": "t" * 31, "store_url": ""}
    moved(browser, browser.post(f"/sites/{site}/store-api-key", data=given))
    page = browser.get(f"/sites/{site}").text
    assert "https://api.bigcommerce.com/stores/abc123" in page
    assert given["consumer_secret"] not in page


def test_quiet_traffic_on_the_overview(browser: httpx.Client, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        site = sites.create(connection, platform=Platform.CUSTOM, name="Silent", actor="test").id
        connection.execute(
            sa.text(
                "INSERT INTO app.quiet_traffic VALUES (:place, 'store', now(), 8, 0, 240, now(), 9), ('account:1234567890', 'lane:google_ads', now(), 8, 0, 240, NULL, NULL)"
            ),
            {"place": f"site:{site}"},
        )
    page = browser.get("/").text
    assert "all that it sends: 0 in 8 h, usual 240" in page
    assert "lane:google_ads: 0 in 8 h" in page
