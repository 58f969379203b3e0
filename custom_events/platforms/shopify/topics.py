"""Every webhook topic of Shopify that we know, and what is done with it (docs/reference/platforms.md 1.2).

A topic of a family that is of no use to us is ignored, also one that Shopify adds later; any other unknown topic is
parked, so that nothing we should have read disappears.
"""

import msgspec

from custom_events.errors import NotUnderstood
from custom_events.platforms.headers import rfc3339
from custom_events.platforms.parking import Handler
from custom_events.platforms.parse import required_id
from custom_events.platforms.shopify import bodies
from custom_events.platforms.shopify.bodies import ONLY_ID, ORDER_TRANSACTION, SHOP
from custom_events.platforms.shopify.checkouts import understand_cart, understand_checkout
from custom_events.platforms.shopify.customers import understand_customer
from custom_events.platforms.shopify.delivery import TRIGGERED_AT
from custom_events.platforms.shopify.orders import understand_order
from custom_events.platforms.shopify.origin import check_kind
from custom_events.platforms.shopify.refunds import understand_refund
from custom_events.platforms.shopify.subscriptions import understand_billing_attempt, understand_contract
from custom_events.values.deliveries import (
    APP_SCOPES_CHANGED,
    APP_UNINSTALLED,
    Outcome,
    PrivacyRequest,
    RawDelivery,
    SiteContext,
    Understood,
    ignored,
    parked,
)


def _order_deleted(delivery: RawDelivery, _site: SiteContext) -> Understood:
    body = ONLY_ID.decode(delivery.body)
    check_kind(body.admin_graphql_api_id, "Order")
    if body.total_price is not None or body.line_items is not None:
        # Shopify signs the body and not the topic: whoever has one signed order could have it deleted by another header.
        raise NotUnderstood("topic_mismatch", "The topic says that the order was deleted, the body is a whole order")
    return Understood(deleted_order_id=required_id(body.id, "$.id"))


def _transaction(delivery: RawDelivery, _site: SiteContext) -> Understood:
    """The order's own topics tell of every payment and refund, with the state around it; read only to park what is broken."""
    ORDER_TRANSACTION.decode(delivery.body)
    return ignored("told_by_order")


def _app_uninstalled(delivery: RawDelivery, site: SiteContext) -> Understood:
    """The body is the shop: with any other one, which Shopify signs as well, somebody else would be asking. The batch deletes the app's tokens,
    unless the shop has installed it again since."""
    if SHOP.decode(delivery.body).myshopify_domain != site.shop_domain:
        raise NotUnderstood("topic_mismatch", "The topic says that the app was removed, the body is not the shop")
    triggered = rfc3339(delivery.headers.get(TRIGGERED_AT))
    return Understood(outcome=Outcome.IGNORED, reason=APP_UNINSTALLED, shown_at=triggered)


def _asks(kind: PrivacyRequest, detail: str) -> Handler:
    """Of a topic by which a person asks about their data: parked until somebody has carried it out. The topic alone says what to do."""

    def asked(_delivery: RawDelivery, _site: SiteContext) -> Understood:
        return parked(kind, f"{detail} within 30 days: `custom-events privacy list`")

    return asked


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(
        (
            "orders/create",
            "orders/paid",
            "orders/updated",
            "orders/cancelled",
            "orders/fulfilled",
            "orders/partially_fulfilled",
        ),
        understand_order,
    ),
    "orders/delete": _order_deleted,
    "refunds/create": understand_refund,
    "order_transactions/create": _transaction,
    "checkouts/create": understand_checkout,
    "checkouts/update": understand_checkout,
    "carts/create": understand_cart,
    "carts/update": understand_cart,
    **dict.fromkeys(
        ("customers/create", "customers/update", "customers/enable", "customers/disable"), understand_customer
    ),
    **dict.fromkeys(
        (
            f"subscription_contracts/{verb}"
            for verb in ("create", "activate", "update", "pause", "fail", "cancel", "expire")
        ),
        understand_contract,
    ),
    "subscription_billing_attempts/success": understand_billing_attempt,
    "subscription_billing_attempts/failure": understand_billing_attempt,
    "app/uninstalled": _app_uninstalled,
    "customers/redact": _asks(PrivacyRequest.REDACT_CUSTOMER, "A person must be forgotten"),
    "shop/redact": _asks(PrivacyRequest.REDACT_SHOP, "A shop must be forgotten"),
    "customers/data_request": _asks(PrivacyRequest.DATA_REQUEST, "Somebody must be told what is stored about them"),
}

# What each handler's body is, for reading one that has an odd leaf; the others decode none.
BODIES: dict[Handler, type[msgspec.Struct]] = {
    understand_order: bodies.Order,
    _order_deleted: bodies.OnlyId,
    understand_refund: bodies.Refund,
    _transaction: bodies.OrderTransaction,
    understand_checkout: bodies.Checkout,
    understand_cart: bodies.Cart,
    understand_customer: bodies.Customer,
    understand_contract: bodies.Contract,
    understand_billing_attempt: bodies.BillingAttempt,
}

# Topic -> why it is of no use to us. The order matters to nobody.
IGNORED: dict[str, str] = {
    "orders/edited": "no_totals",  # an orders/updated with the totals follows
    "orders/risk_assessment_changed": "no_conversion",
    "orders/shopify_protect_eligibility_changed": "no_conversion",
    "orders/link_requested": "no_conversion",
    "checkouts/delete": "no_conversion",
    "customers/delete": "no_conversion",
    "customers/merge": "no_conversion",
    "customers/purchasing_summary": "no_conversion",
    "customer.tags_added": "no_conversion",
    "customer.tags_removed": "no_conversion",
    "customer.joined_segment": "no_conversion",
    "customer.left_segment": "no_conversion",
    "subscription_billing_attempts/challenged": "awaiting_customer",
    "shop/update": "shop_topic",
    "app/scopes_update": APP_SCOPES_CHANGED,  # the next watch looks at once
}

# What stands before the slash or dot of a topic -> why the whole family is of no use to us.
IGNORED_FAMILIES: dict[str, str] = {
    **dict.fromkeys(
        (
            "products",
            "product_listings",
            "product_feeds",
            "product_publications",
            "variants",
            "collections",
            "collection_listings",
            "collection_publications",
            "inventory_items",
            "inventory_levels",
            "inventory_shipments",
            "inventory_transfers",
            "selling_plan_groups",
            "metafield_definitions",
            "metaobjects",
            "publications",
            "segments",
        ),
        "product_topic",
    ),
    **dict.fromkeys(("app", "app_subscriptions", "app_purchases_one_time", "bulk_operations"), "app_topic"),
    **dict.fromkeys(
        ("shop", "themes", "locations", "locales", "domains", "markets", "channels", "profiles", "audit_events"),
        "shop_topic",
    ),
    **dict.fromkeys(
        (
            "fulfillments",
            "fulfillment_events",
            "fulfillment_orders",
            "fulfillment_holds",
            "reverse_deliveries",
            "reverse_fulfillment_orders",
            "returns",
            "delivery_promise_settings",
        ),
        "fulfilment_topic",
    ),
    **dict.fromkeys(
        (
            "draft_orders",
            "disputes",
            "tender_transactions",
            "payment_schedules",
            "payment_terms",
            "finance_app_staff_member",
            "subscription_billing_cycles",
            "subscription_billing_cycle_edits",
            "customer_payment_methods",
            "customer_account_settings",
            "customer_groups",
            "customers_marketing_consent",
            "customers_email_marketing_consent",
            "customers_whats_app_marketing_consent",
            "companies",
            "company_contacts",
            "company_contact_roles",
            "company_locations",
            "discounts",
            "marketing_events",
        ),
        "no_conversion",
    ),
}
