"""Which topics our app subscribes to in a shop, and which scope each needs (docs/reference/platforms.md 1.2).

`plugins/shopify` says the same to Shopify's command line; a test holds both equal, and every topic here has a handler in `topics.py`.
"""

from collections.abc import Collection
from typing import Final

_ORDERS: Final = "read_orders"
_CUSTOMERS: Final = "read_customers"
_OWN_SUBSCRIPTIONS: Final = "read_own_subscription_contracts"  # only of contracts that this very app owns

# Topic -> the scope without which Shopify refuses it. Those without an entry of their own in conditions or states are left out.
SCOPE_OF_TOPIC: Final[dict[str, str]] = {
    **dict.fromkeys(
        (
            "orders/create",
            "orders/paid",
            "orders/updated",
            "orders/cancelled",
            "orders/fulfilled",
            "orders/delete",
            "refunds/create",
            "checkouts/create",
            "checkouts/update",
            "carts/create",
            "carts/update",
        ),
        _ORDERS,
    ),
    "customers/create": _CUSTOMERS,
    "customers/update": _CUSTOMERS,
    **dict.fromkeys(
        (
            "subscription_contracts/create",
            "subscription_contracts/update",
            "subscription_contracts/cancel",
            "subscription_billing_attempts/success",
            "subscription_billing_attempts/failure",
        ),
        _OWN_SUBSCRIPTIONS,
    ),
}
LIFE: Final = ("app/uninstalled", "app/scopes_update")  # of the app itself: no scope
COMPLIANCE: Final = ("customers/data_request", "customers/redact", "shop/redact")  # in the settings file only
SCOPES: Final = ("read_orders", "read_customers", "write_pixels", "read_customer_events")


def topics_with(scopes: Collection[str]) -> tuple[str, ...]:
    """The topics to register in a shop that has given these scopes."""
    readable = _readable(scopes)
    return (*(topic for topic, scope in SCOPE_OF_TOPIC.items() if scope in readable), *LIFE)


def missing_scopes(scopes: Collection[str]) -> tuple[str, ...]:
    """Those of `SCOPES` that a shop has not given."""
    readable = _readable(scopes)
    return tuple(scope for scope in SCOPES if scope not in readable)


def enum_of(topic: str) -> str:
    """What the GraphQL Admin API calls a topic: ORDERS_CREATE."""
    return topic.replace("/", "_").replace(".", "_").upper()


def _readable(scopes: Collection[str]) -> set[str]:
    """The scopes with what they hold: a scope to write holds the one to read."""
    return {*scopes, *(f"read_{scope.removeprefix('write_')}" for scope in scopes if scope.startswith("write_"))}
