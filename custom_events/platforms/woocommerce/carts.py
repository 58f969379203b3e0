"""Carts and the beginning of a checkout, which only our plugin tells of (docs/reference/woocommerce-plugin.md).

WooCommerce has no webhook for either. A cart's token is the plugin's own: WooCommerce's session has a customer's number, which would make
all carts of a customer one.
"""

import msgspec

from custom_events.platforms import natural_keys
from custom_events.platforms.attributes import flattened
from custom_events.platforms.attribution import attribution
from custom_events.platforms.parse import currency_code, gmt, optional_amount, required_id, wrong_shape
from custom_events.platforms.woocommerce import moments
from custom_events.platforms.woocommerce.bodies import CART_EVENT, CartEvent
from custom_events.platforms.woocommerce.parties import customer_of, line_items, pairs_of, party
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood
from custom_events.values.events import Cart, CommerceEvent, EventType


def understand_item_added(delivery: RawDelivery, site: SiteContext) -> Understood:
    """cart.item_added: one event for the line that was added."""
    event = _event(CART_EVENT.decode(delivery.body), EventType.CART_ITEM_ADDED, site)
    items = event.cart.items if event.cart is not None else ()
    line = (items[0].variant_id or items[0].product_id or items[0].sku) if items else None
    if event.cart is None or line is None:
        raise wrong_shape("$.cart.line_items", "Expected the line that was added, with its product")
    key = natural_keys.of_cart_item(event.cart.token, line)
    return Understood(events=(msgspec.structs.replace(event, key=key),))


def understand_checkout(delivery: RawDelivery, site: SiteContext) -> Understood:
    """checkout.started: one event for each cart whose checkout is opened."""
    return Understood(events=(_event(CART_EVENT.decode(delivery.body), EventType.CHECKOUT_STARTED, site),))


def _event(body: CartEvent, kind: EventType, site: SiteContext) -> CommerceEvent:
    at = moments.built_at(body.custom_events)
    if at is None:
        raise wrong_shape("$.custom_events.at", "Expected a date and time")
    billing = party(body.billing)
    pairs = pairs_of(body.meta_data)
    origin = attribution(pairs, time_zone=site.time_zone)
    cart = Cart(
        token=required_id(body.cart.token, "$.cart.token"),
        created_at=gmt(body.cart.date_created_gmt, "$.cart.date_created_gmt"),
        updated_at=at,
        currency=currency_code(body.cart.currency) or site.currency,
        total=optional_amount(body.cart.total, "$.cart.total"),
        items=line_items(body.cart.line_items),
    )
    return CommerceEvent(
        type=kind,
        key=natural_keys.of_one(kind, cart.token),
        occurred_at=at,
        evidence_at=at,
        is_test=body.custom_events.is_test,
        cart=cart,
        customer=customer_of(body.customer_id, billing, None, site),
        clicks=origin.clicks,
        consent=origin.consent,
        utm=origin.utm,
        meta=flattened(pairs),
    )
