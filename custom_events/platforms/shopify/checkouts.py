"""Checkouts and carts: what happens before there is an order (docs/reference/platforms.md 1.2 and 1.8).

A checkout is told of once the shopper left contact details. A cart is told of on the online store only, and knows
neither customer nor attributes; one event for each line, since a body shows the whole cart and not what was added.
"""

from custom_events.platforms import natural_keys, people
from custom_events.platforms.attributes import flattened, named
from custom_events.platforms.attribution import NOTHING, attribution
from custom_events.platforms.parse import amount, currency_code, optional_id, optional_utc, required_id, utc
from custom_events.platforms.shopify import bodies
from custom_events.platforms.shopify.bodies import CART, CHECKOUT, CartLine
from custom_events.platforms.shopify.lines import address_of, item_pairs, line_item, line_items, split_tags
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood, ignored
from custom_events.values.events import Cart, CommerceEvent, Customer, EventType


def understand_checkout(delivery: RawDelivery, site: SiteContext) -> Understood:
    """checkouts/create and checkouts/update: `checkout.started`, when the checkout was made."""
    body = CHECKOUT.decode(delivery.body)
    token = required_id(body.token, "$.token")
    pairs = named(body.note_attributes)
    origin = attribution(pairs, body.landing_site, item_pairs(body.line_items), site.time_zone)
    cart = Cart(
        token=token,
        created_at=utc(body.created_at),
        updated_at=utc(body.updated_at),
        currency=currency_code(body.currency) or site.currency,
        total=amount(body.total_price, "$.total_price"),
        items=line_items(body.line_items),
    )
    event = CommerceEvent(
        type=EventType.CHECKOUT_STARTED,
        key=natural_keys.of_one(EventType.CHECKOUT_STARTED, token),
        occurred_at=utc(body.created_at),
        evidence_at=utc(body.updated_at),
        cart=cart,
        customer=_customer(body, site),
        clicks=origin.clicks,
        consent=origin.consent,
        utm=origin.utm,
        note_attributes=flattened(pairs),
    )
    return Understood(events=(event,))


def understand_cart(delivery: RawDelivery, site: SiteContext) -> Understood:
    """carts/create and carts/update: `cart.item_added` for each line, when the body first showed it."""
    body = CART.decode(delivery.body)
    token = required_id(body.token or body.id, "$.token")
    events: dict[str, CommerceEvent] = {}
    for line in body.line_items or ():
        event = _item_added(body, token, line, site)
        events.setdefault(event.key, event)
    return Understood(events=tuple(events.values())) if events else ignored("empty_cart")


def _item_added(body: bodies.Cart, token: str, line: CartLine, site: SiteContext) -> CommerceEvent:
    """The line as a cart of its own, so that conditions and value are about what was added and not what lay there before.

    Line item properties are the only place where a cart may hold a click id.
    """
    item = line_item(line)
    shop_money = line.price_set.shop_money if line.price_set else None
    which = optional_id(line.key) or item.variant_id or item.product_id
    updated_at = utc(body.updated_at)
    origin = attribution((), None, item_pairs([line]), site.time_zone) if line.properties else NOTHING
    return CommerceEvent(
        type=EventType.CART_ITEM_ADDED,
        key=natural_keys.of_cart_item(token, which or required_id(line.id, "$.line_items[].key")),
        occurred_at=updated_at,
        evidence_at=updated_at,
        cart=Cart(
            token=token,
            created_at=utc(body.created_at),
            updated_at=updated_at,
            currency=(currency_code(shop_money.currency_code) if shop_money else None) or site.currency,
            total=item.total,
            items=(item,),
        ),
        clicks=origin.clicks,
        consent=origin.consent,
    )


def _customer(body: bodies.Checkout, site: SiteContext) -> Customer | None:
    who = body.customer or bodies.Customer()
    places = [
        place
        for place in map(address_of, (body.billing_address, body.shipping_address, who.default_address))
        if place is not None
    ]
    return people.customer(
        id=who.id,
        emails=(body.email, who.email),
        phones=(body.phone, who.phone, *(place.phone for place in places)),
        countries=(*(place.country_code for place in places), site.default_country),
        tags=split_tags(who.tags),
        created_at=optional_utc(who.created_at),
        accepts_marketing=body.buyer_accepts_marketing,
    )
