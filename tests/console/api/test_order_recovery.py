"""The key of a store's API and what was missing, by the API and on the site's page."""

import httpx
import sqlalchemy as sa

from custom_events.catalog import sites
from custom_events.values.deliveries import Platform
from tests.console.api.conftest import problem

KEY = {"consumer_key": "ck_" + "1" * 40, "consumer_secret": "cs_" + "2" * 40}


def woocommerce(engine: sa.Engine) -> int:
    with engine.begin() as connection:
        made = sites.create(
            connection, platform=Platform.WOOCOMMERCE, name="Woo", actor="test", shop_domain="woo.example"
        )
        return made.id


def test_a_key_is_entered_and_removed_and_never_read_back(admin: httpx.Client, engine: sa.Engine) -> None:
    site = f"/api/v1/sites/{woocommerce(engine)}"
    assert admin.get(f"{site}/order-recovery").json()["key"] is None
    answer = admin.post(f"{site}/store-api-key", json=KEY)
    assert answer.status_code == 201
    assert (answer.json()["store_url"], answer.json()["key_ending"]) == ("https://woo.example", "1111111")
    shown = admin.get(f"{site}/order-recovery")
    assert shown.json()["key"]["key_ending"] == "1111111"
    assert KEY["consumer_secret"] not in shown.text + answer.text
    assert admin.delete(f"{site}/store-api-key").status_code == 204
    problem(admin.delete(f"{site}/store-api-key"), 404)


def test_what_cannot_be_a_key_is_refused(admin: httpx.Client, engine: sa.Engine) -> None:
    site = f"/api/v1/sites/{woocommerce(engine)}"
    refused = problem(admin.post(f"{site}/store-api-key", json={**KEY, "store_url": "http://10.0.0.1"}), 422)
    assert "https" in str(refused)
