"""Which hosts are Shopify shops, and where a shop's own addresses are.

A shop's domain comes from outside (an install link, a signed question, a token), and we call the host that it names with our secret: only
a name of this one pattern is ever called (docs/decisions/0054-the-shopify-app.md).
"""

import re
from typing import Final
from urllib.parse import urlsplit

from custom_events.errors import InvalidConfiguration
from custom_events.values.hosts import is_local

SUFFIX: Final = ".myshopify.com"
RULE: Final = "the shop's own name before .myshopify.com, northlight-demo.myshopify.com for example"
_SHOP: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?\.myshopify\.com\Z")


def is_shop(domain: str) -> bool:
    """Whether this is a shop's domain, in lower case: nothing but one label before `.myshopify.com`."""
    return _SHOP.match(domain) is not None


def checked_shop(domain: str | None) -> str:
    """The shop's domain in lower case. Raises InvalidConfiguration for whatever is none: no other host is called."""
    name = (domain or "").strip().lower()
    if not is_shop(name):
        raise InvalidConfiguration(f"{name[:80]!r} is no shop of Shopify's; {RULE}", path="shop")
    return name


def shop_url(shop: str, base_url: str | None = None) -> str:
    """Where the shop is reached, without a slash at its end. `base_url` stands in for Shopify (setting `shopify_url`): shops are then paths
    below it. Raises InvalidConfiguration for a domain that is no shop's, and for a stand-in that is neither https nor on this machine."""
    name = checked_shop(shop)
    if base_url is None:
        return f"https://{name}"
    place = urlsplit(base_url)
    if place.scheme != "https" and not is_local(place.hostname or ""):
        raise InvalidConfiguration(
            "an https address, or one of this machine, is needed", path="CUSTOM_EVENTS_SHOPIFY_URL"
        )
    return f"{base_url.rstrip('/')}/{name}"
