"""What machines are measured on: sites of five rules each, their signed deliveries, and the sandbox's Google that knows their accounts."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg

from benchmarks.bodies import shopify_orders
from benchmarks.pipeline_world import DEFINITIONS, configure
from benchmarks.posting import Delivery
from custom_events import secrets
from custom_events.platforms.shopify.delivery import signed_headers
from custom_events.settings import Settings
from sandbox.google_ads.click_ids import make_click_id

SECRET: Final = b"secret-of-every-site-of-the-machines"
CLICKED: Final = timedelta(days=8)  # before now: before every order of bodies.py
_CLICK: Final = re.compile(rb"Cj0KCQ[\w-]+")
# What must be nothing when all work is done. Uploads wait for ever where our own rules hold them.
_WAITING: Final = """
SELECT (SELECT count(*) FROM landing.raw_queue),
  (SELECT count(*) FROM app.conversion_uploads WHERE state IN ('new', 'queued', 'claimed', 'sent', 'unknown')),
  (SELECT count(*) FROM app.conversion_uploads WHERE state = 'accepted')
"""
# A conversion as Google knows it: an order's, in one action of one account.
_ACCEPTED: Final = """
SELECT a.customer_id, c.action_id, u.transaction_id FROM app.conversion_uploads u
JOIN app.ads_accounts a ON a.id = u.ads_account_id JOIN app.ads_actions c ON c.id = u.ads_action_id WHERE u.state = 'accepted'
"""
_STATES: Final = "SELECT state, count(*) FROM app.conversion_uploads GROUP BY 1 ORDER BY 1"


def prepare(url: str, settings: Settings, sites: int) -> None:
    """Sites with their rules and one secret for all."""
    configure(url, sites)
    token = secrets.encrypt(SECRET, secrets.key(settings))
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO app.site_secrets (site_id, secret_encrypted) SELECT id, %s FROM app.sites", [token]
        )


def write_seed(file: Path, sites: int) -> None:
    """The accounts and conversion actions that `configure` names, for the sandbox's Google."""
    seed = {
        "customers": [{"customer_id": _customer(site)} for site in range(sites)],
        "actions": [
            {"customer_id": _customer(site), "action_id": f"{site + 1}0{place}"}
            for site in range(sites)
            for place in range(1, len(DEFINITIONS) + 1)
        ],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(seed))


def deliveries(count: int, sites: int, first: int = 0) -> Iterator[Delivery]:
    """So many paid orders, one of each site in turn, signed; numbers count from `first` and are never used twice."""
    now = datetime.now(UTC)
    for number, plain in enumerate(shopify_orders(count, seed=first + 1, sites=sites, first=first), start=first):
        site = number % sites
        click = make_click_id("gclid", _customer(site), now - CLICKED, number).encode()
        body = _CLICK.sub(click, plain)
        name = sha256(b"%d" % number).hexdigest()[:32]
        headers = signed_headers(
            body,
            SECRET,
            topic="orders/paid",
            shop_domain=f"shop-{site}.myshopify.com",
            webhook_id=name,
            triggered_at=now,
        )
        lines = [
            f"POST /webhooks/shopify/shop-{site + 1} HTTP/1.1",
            *(f"{key}: {value}" for key, value in headers.items()),
        ]
        head = "\r\n".join([*lines, "host: receiver", f"content-length: {len(body)}", "\r\n"]).encode()
        yield Delivery(head + body, body)


def _customer(site: int) -> str:
    return f"2{site + 1:09d}"


def waiting(url: str) -> tuple[int, int, int]:
    """Deliveries that wait to be understood, conversions that are due or under way, conversions that Google has accepted."""
    with psycopg.connect(url) as connection:
        row = connection.execute(_WAITING).fetchone()
        assert row is not None
        return row[0], row[1], row[2]


def at_google(url: str, google: str) -> dict[str, Any]:
    """The ledger's accepted conversions laid beside those that the sandbox has: missing there, there twice, states of all."""
    uploaded = [
        (conversion["customer_id"], conversion["action_id"], conversion["order_id"])
        for conversion in httpx.get(f"{google}/control/dump", timeout=60, trust_env=False).json()["conversions"]
    ]
    with psycopg.connect(url) as connection:
        accepted = set(connection.execute(_ACCEPTED))
        states = dict(connection.execute(_STATES).fetchall())
    return {
        "accepted": len(accepted),
        "not_at_google": len(accepted - set(uploaded)),
        "twice_at_google": len(uploaded) - len(set(uploaded)),
        "states": states,
    }
