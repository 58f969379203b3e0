"""Fields about orders, carts and their line items.

Which platform delivers what: docs/reference/platforms.md 1.2, 1.11, 2.1 and 2.9.
"""

from collections.abc import Iterator

from custom_events.conditions.fields import ALL_PLATFORMS, NOT_SHOPIFY, NOT_WOOCOMMERCE, Field, FieldType, Root, Scope

T = FieldType


def order_fields() -> Iterator[Field]:
    """Every field about orders, carts and line items."""
    yield from _order_money()
    yield from _order_facts()
    yield from _contents()
    yield from _item()


def _order_money() -> Iterator[Field]:
    parts = {
        "total": ("All that was sold, with tax and shipping, after discounts; refunds and removed items do not lower it.", ALL_PLATFORMS),
        "current_total": ("What is left of it by the store's own count, when the event was seen: edits, exchanges, returns.", NOT_WOOCOMMERCE),
        "subtotal": ("Total of the items after discounts, without shipping.", ALL_PLATFORMS),
        "tax": ("Tax of the whole order.", ALL_PLATFORMS),
        "shipping": ("What was paid for shipping, after discounts on it.", ALL_PLATFORMS),
        "shipping_tax": ("Tax of shipping.", ALL_PLATFORMS),
        "discount": ("Sum of all discounts, as a positive amount.", ALL_PLATFORMS),
        "discount_tax": ("Tax that the discounts saved.", NOT_SHOPIFY),
        "shipping_discount": ("The part of the discounts that fell on shipping.", NOT_WOOCOMMERCE),
        "gift_card": ("The part of the total that gift cards paid. On Shopify known only where nothing else paid.", ALL_PLATFORMS),
        "tip": ("A tip, which is part of the total.", NOT_WOOCOMMERCE),
        "paid_amount": ("What was paid so far and not given back: a deposit, until the rest is paid.", ALL_PLATFORMS),
        "refunded": ("Sum of the refunds known when the event was seen, those on their way as well.", ALL_PLATFORMS),
    }  # fmt: skip
    for name, (meaning, platforms) in parts.items():
        yield Field(
            name=f"order.{name}",
            type=T.MONEY,
            meaning=meaning,
            example="200.00",
            root=Root.ORDER,
            expression=f"o.{name}",
            currency="o.currency",
            platforms=platforms,
        )
    less = {
        "total_without_tax": ("Total less tax; missing when either is.", "168.07"),
        "total_without_shipping": ("Total less shipping and its tax; missing when total or shipping is.", "195.00"),
    }
    for name, (meaning, example) in less.items():
        yield Field(
            name=f"order.{name}",
            type=T.MONEY,
            meaning=meaning,
            example=example,
            root=Root.ORDER,
            expression=f"{name}(o)",
            currency="o.currency",
        )
    yield Field(
        name="order.gift_card_share",
        type=T.NUMBER,
        meaning="The share of the total that gift cards paid, 0 to 1; missing when none did.",
        example="0.5",
        root=Root.ORDER,
        expression="gift_card_share(o)",
    )


def _order_facts() -> Iterator[Field]:
    texts = {
        "id": ("The platform's id of the order.", "5123456789012", ALL_PLATFORMS),
        "number": ("The number people see.", "1001", ALL_PLATFORMS),
        "currency": ("ISO 4217 code of the order's amounts.", "EUR", ALL_PLATFORMS),
        "status": ("The platform's own status word.", "processing", ALL_PLATFORMS),
        "financial_status": ("Payment status.", "paid", NOT_WOOCOMMERCE),
        "fulfillment_status": ("Fulfilment status.", "fulfilled", NOT_WOOCOMMERCE),
        "cancel_reason": ("Why it was cancelled, in the platform's word.", "customer", NOT_WOOCOMMERCE),
        "billing_country": ("ISO 3166 code of the billing address.", "DE", ALL_PLATFORMS),
        "billing_postcode": ("Postcode of the billing address.", "10115", ALL_PLATFORMS),
        "shipping_country": ("ISO 3166 code of the shipping address.", "AT", ALL_PLATFORMS),
        "shipping_postcode": ("Postcode of the shipping address.", "1010", ALL_PLATFORMS),
        "source_name": ("Where it was ordered: web, pos, checkout, admin ...", "web", ALL_PLATFORMS),
        "landing_site": ("First page of the visit; of its query click ids and UTM words alone.", "/products/a?gclid=x", ALL_PLATFORMS),
        "referring_site": ("Page that led to the store, without its query.", "https://www.google.com/", ALL_PLATFORMS),
        "parent_id": ("The order or subscription that this one was made from: of a vendor's part, a later payment, a renewal.", "1001", NOT_SHOPIFY),
    }  # fmt: skip
    for name, (meaning, example, platforms) in texts.items():
        yield Field(
            name=f"order.{name}",
            type=T.TEXT,
            meaning=meaning,
            example=example,
            root=Root.ORDER,
            expression=f"o.{name}",
            platforms=platforms,
            is_code=name in ("currency", "billing_country", "shipping_country"),
        )
    flags = {
        "is_exchange": ("Whether items were exchanged for others, as far as it was known when the event was seen.", NOT_WOOCOMMERCE),
        "taxes_included": ("Whether shipping, discount and items hold their tax (see Amounts and tax).", ALL_PLATFORMS),
    }  # fmt: skip
    for name, (meaning, platforms) in flags.items():
        yield Field(
            name=f"order.{name}",
            type=T.BOOLEAN,
            meaning=meaning,
            example="true",
            root=Root.ORDER,
            expression=f"o.{name}",
            platforms=platforms,
        )
    times = {
        "created_at": ("When it was placed.", ALL_PLATFORMS),
        "updated_at": ("When the store last changed it.", ALL_PLATFORMS),
        "paid_at": ("When it was paid.", ALL_PLATFORMS),
        "cancelled_at": ("When it was cancelled.", NOT_WOOCOMMERCE),
    }
    for name, (meaning, platforms) in times.items():
        yield Field(
            name=f"order.{name}",
            type=T.TIME,
            meaning=meaning,
            example="2026-11-01T08:30:00Z",
            root=Root.ORDER,
            expression=f"o.{name}",
            platforms=platforms,
        )
    lists = {
        "tags": ("Tags of the order.", "wholesale", NOT_WOOCOMMERCE),
        "discount_codes": ("Codes that were used.", "WELCOME10", ALL_PLATFORMS),
        "payment_methods": ("Payment methods or gateways.", "paypal", ALL_PLATFORMS),
        "shipping_methods": ("Shipping methods.", "express", ALL_PLATFORMS),
    }
    for name, (meaning, example, platforms) in lists.items():
        yield Field(
            name=f"order.{name}",
            type=T.TEXTS,
            meaning=meaning,
            example=example,
            root=Root.ORDER,
            expression=f"o.{name}",
            platforms=platforms,
        )


def _contents() -> Iterator[Field]:
    for root, prefix in ((Root.ORDER, "order"), (Root.CART, "cart")):
        yield Field(
            name=f"{prefix}.item_count",
            type=T.INTEGER,
            meaning=f"Number of lines of the {prefix}.",
            example="2",
            root=root,
            expression=f"len({root}.items)",
        )
        yield Field(
            name=f"{prefix}.quantity",
            type=T.INTEGER,
            meaning=f"Number of pieces over all lines of the {prefix}.",
            example="3",
            root=root,
            expression=f"pieces({root}.items)",
        )
        for attribute, plural in (("sku", "skus"), ("product_id", "product_ids"), ("variant_id", "variant_ids"),
                                  ("title", "titles"), ("vendor", "vendors"), ("product_type", "product_types")):  # fmt: skip
            yield Field(
                name=f"{prefix}.{plural}",
                type=T.TEXTS,
                meaning=f"The lines' {plural.replace('_', ' ')}, in order.",
                example="VIP-1",
                root=root,
                expression=f"item_texts({root}.items, {attribute!r})",
                platforms=NOT_WOOCOMMERCE if attribute in ("vendor", "product_type") else ALL_PLATFORMS,
            )
        yield Field(
            name=f"{prefix}.categories",
            type=T.TEXTS,
            meaning="Categories of all lines.",
            example="shoes",
            root=root,
            expression=f"item_categories({root}.items)",
            platforms=NOT_SHOPIFY,
        )
    yield Field(
        name="cart.total",
        type=T.MONEY,
        meaning="Total of the cart or checkout.",
        example="80.00",
        root=Root.CART,
        expression="k.total",
        currency="k.currency",
    )
    yield Field(
        name="cart.currency",
        type=T.TEXT,
        meaning="ISO 4217 code of the cart's amounts.",
        example="EUR",
        root=Root.CART,
        expression="k.currency",
        is_code=True,
    )


def _item() -> Iterator[Field]:
    texts = {"product_id": "Id of the product.", "variant_id": "Id of the variant.", "sku": "Stock keeping unit.", "title": "Name of the product.",
             "vendor": "Vendor or brand.", "product_type": "Type of the product."}  # fmt: skip
    for name, meaning in texts.items():
        yield Field(
            name=f"item.{name}",
            type=T.TEXT,
            meaning=meaning,
            example="VIP-1",
            expression=f"i.{name}",
            scope=Scope.ITEM,
            platforms=NOT_WOOCOMMERCE if name in ("vendor", "product_type") else ALL_PLATFORMS,
        )
    yield Field(
        name="item.quantity",
        type=T.INTEGER,
        meaning="Pieces of this line.",
        example="2",
        expression="i.quantity",
        scope=Scope.ITEM,
    )
    money = {"price": ("Price of one piece.", "i.price"), "total": ("Total of the line after its discounts.", "line_total(i)"),
             "discount": ("Discount on this line, positive.", "i.discount"), "tax": ("Tax of the line.", "i.tax")}  # fmt: skip
    for name, (meaning, expression) in money.items():
        yield Field(
            name=f"item.{name}",
            type=T.MONEY,
            meaning=meaning,
            example="50.00",
            expression=expression,
            currency="cur",
            scope=Scope.ITEM,
        )
    yield Field(
        name="item.categories",
        type=T.TEXTS,
        meaning="Categories of the product.",
        example="shoes",
        expression="i.categories",
        scope=Scope.ITEM,
        platforms=NOT_SHOPIFY,
    )
