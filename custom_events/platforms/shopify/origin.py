"""Does a signed body belong to its topic and shop? (docs/reference/platforms.md 1.3)

Shopify's signature covers the body only, with one secret for all shops of an app: a captured body could be sent again
under another topic or shop. What the body itself says is compared where it says something.
"""

from urllib.parse import urlsplit

from custom_events.errors import NotUnderstood
from custom_events.values.deliveries import SiteContext

_GID = "gid://shopify/"
_SHOP_HOST = ".myshopify.com"


def check_kind(admin_graphql_api_id: str | None, kind: str) -> None:
    """Raises NotUnderstood("topic_mismatch") when the body is about another kind of thing (`Order`, `Customer` ...)."""
    if not admin_graphql_api_id or admin_graphql_api_id.startswith(f"{_GID}{kind}/"):
        return
    if admin_graphql_api_id.startswith(_GID):
        named_kind = admin_graphql_api_id[len(_GID) :].partition("/")[0]
        if named_kind != kind:
            raise NotUnderstood("topic_mismatch", f"The topic is about {kind}, the body about another kind of resource")


def check_shop(order_status_url: str | None, site: SiteContext) -> None:
    """Raises NotUnderstood("shop_mismatch") when the body names another *.myshopify.com shop than the site's.

    Shops with a domain of their own have that in the URL: nothing to compare then.
    """
    if not order_status_url or _SHOP_HOST not in order_status_url or not site.shop_domain:
        return
    ours = site.shop_domain.lower()
    if order_status_url.startswith(f"https://{ours}/"):
        return  # nearly always; the parser below costs as much as a fifth of the order
    host = (urlsplit(order_status_url).hostname or "").lower()
    if host.endswith(_SHOP_HOST) and ours.endswith(_SHOP_HOST) and host != ours:
        raise NotUnderstood("shop_mismatch", "order_status_url names another shop than the one that sent it")
