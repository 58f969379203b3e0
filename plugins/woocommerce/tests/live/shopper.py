"""A shopper who comes by an ad, and buys by the block checkout: through the shop's pages, as a browser does."""

import json
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

import httpx

CLICK: Final = "EAIaIQobChMI-live-shopper_2"
EMAIL: Final = "custom-events-live@example.org"  # as in class-live-shop.php: by it the order is removed
PATIENCE_S: Final = 60.0
STORE: Final = "/wp-json/wc/store/v1"


def buys(url: str, product: int) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Buy a product with cash on delivery; topic, id and facts of what the plugin has to tell of it. Raises httpx' errors and RuntimeError."""
    with httpx.Client(base_url=url, timeout=PATIENCE_S, trust_env=False, follow_redirects=True) as browser:
        front = browser.get("/", params={"gclid": CLICK}).raise_for_status().text
        if "assets/clicks.js" not in front:
            raise RuntimeError("The front page does not load the plugin's script: is the plugin active?")
        # What the script would write; a shop without a consent plugin assumes what its settings say.
        click = {"gclid": CLICK, "landing_page": f"/?gclid={CLICK}"}
        browser.cookies.set("custom_events_click", quote(json.dumps(click)))
        nonce = browser.get(f"{STORE}/cart").raise_for_status().headers["nonce"]
        _post(browser, nonce, "/cart/add-item", {"id": product, "quantity": 3})
        yield "cart.item_added", 0, {"cart.line_items.0.quantity": 3, "click.gclid": CLICK}
        browser.get("/checkout/").raise_for_status()
        yield "checkout.started", 0, {"cart.line_items.0.quantity": 3}
        name = {"first_name": "Ana", "last_name": "Lima", "address_1": "Rua 1", "city": "Lisboa"}
        address = {**name, "postcode": "1100-148", "country": "PT", "state": "", "phone": "912345678"}
        order = {"billing_address": {**address, "email": EMAIL}, "shipping_address": address, "payment_method": "cod"}
        bought = _post(browser, nonce, "/checkout", order)
        facts = {"status": "pending", "line_items.0.quantity": 3, "click.gclid": CLICK, "billing.country": "PT"}
        yield "order.created", bought["order_id"], facts
        yield "order.paid", bought["order_id"], {"custom_events.to": "processing", "payment_method": "cod"}


def _post(browser: httpx.Client, nonce: str, path: str, document: dict[str, Any]) -> dict[str, Any]:
    answer = browser.post(f"{STORE}{path}", headers={"Nonce": nonce}, json=document)
    if answer.is_error:
        raise RuntimeError(f"{path} answered {answer.status_code}: {answer.text[:500]}")
    known: dict[str, Any] = answer.json()
    return known
