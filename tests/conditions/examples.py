"""One event that has a value in every place, for tables of examples."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from custom_events.conditions.facts import Facts
from custom_events.values.clicks import Click, ClickKind, Consent, ConsentStatus
from custom_events.values.events import CommerceEvent, Customer, EventType, LineItem, Order, Refund, Subscription
from custom_events.values.zones import zone

MOMENT = datetime(2026, 3, 6, 23, 30, tzinfo=UTC)  # a Friday in UTC, already Saturday in Berlin
BERLIN = Facts(
    zone=zone("Europe/Berlin"),
    orders_before=2,
    spent_before=Decimal("340.00"),
    first_seen=datetime(2026, 1, 1, tzinfo=UTC),
)

ORDER = Order(
    id="5123456789012",
    number="1001",
    created_at=datetime(2026, 3, 6, 22, 0, tzinfo=UTC),
    updated_at=MOMENT,
    paid_at=MOMENT,
    currency="EUR",
    total=Decimal("250.00"),
    subtotal=Decimal("245.00"),
    tax=Decimal("39.92"),
    shipping=Decimal("5.00"),
    discount=Decimal("10.00"),
    status="Processing",
    items=(
        LineItem(sku="VIP-1", product_id="9", title="Boots", vendor="Acme", quantity=2, total=Decimal("200.00"), price=Decimal("100.00"),
                 categories=("shoes", "winter"), properties={"engraving": "Anna"}),
        LineItem(sku="SOCK", title="Socks", quantity=3, price=Decimal("15.00")),
    ),
    discount_codes=("WELCOME10",),
    payment_methods=("paypal",),
    billing_country="DE",
    billing_postcode="10115",
    shipping_country="AT",
    tags=("wholesale", "Priority"),
    source_name="web",
    landing_site="/p?gclid=x",
)  # fmt: skip
PAID = CommerceEvent(
    type=EventType.ORDER_PAID,
    key="order.paid:5123456789012",
    occurred_at=MOMENT,
    evidence_at=MOMENT,
    order=ORDER,
    customer=Customer(key="c:7", id="7", email_sha256="a" * 64, tags=("vip",), country="DE", accepts_marketing=False),
    clicks=(Click(kind=ClickKind.GCLID, id="Cj0", clicked_at=datetime(2026, 3, 1, tzinfo=UTC)),),
    consent=Consent(ad_user_data=ConsentStatus.GRANTED, source="attribute"),
    utm={"source": "google", "medium": "cpc"},
    note_attributes={"gift.wrap": "yes", "points": "12.50"},
    meta={"_device": "Mobile"},
    properties={
        "level": msgspec.Raw(b'"gold"'),
        "score": msgspec.Raw(b"19.99"),
        "trial": msgspec.Raw(b"false"),
        "a": msgspec.Raw(b'{"b": {"c": [1, "x", {"d": true}]}, "when": "2026-03-05T10:00:00"}'),
        "list": msgspec.Raw(b'["red", "Blue", 3]'),
        "empty": msgspec.Raw(b"[]"),
    },
)  # fmt: skip
REFUNDED = msgspec.structs.replace(
    PAID,
    type=EventType.ORDER_REFUNDED,
    key="order.refunded:5123456789012:1",
    refund=Refund(id="1", order_id=ORDER.id, amount=Decimal("100.00"), currency="EUR", reason="damaged",
                  items=(LineItem(sku="VIP-1", quantity=1, total=Decimal("100.00")),)),
)  # fmt: skip
RENEWED = CommerceEvent(
    type=EventType.SUBSCRIPTION_RENEWED,
    key="subscription.renewed:s1:55",
    occurred_at=MOMENT,
    evidence_at=MOMENT,
    subscription=Subscription(
        id="s1",
        status="active",
        order_id="55",
        interval="month",
        interval_count=3,
        amount=Decimal("19.00"),
        currency="EUR",
    ),
    customer=Customer(key="c:7"),
)
SIGNUP = CommerceEvent(
    type=EventType.CUSTOMER_CREATED, key="customer.created:7", occurred_at=MOMENT, evidence_at=MOMENT
)
