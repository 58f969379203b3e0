"""The fields themselves. Adding one is adding a line here or in `order_fields.py`; the reference page and the JSON Schema follow.

Which platform delivers what: docs/reference/platforms.md 1.2, 1.11, 2.1, 2.4 and 2.9.
"""

from collections.abc import Iterator

from custom_events.conditions.fields import NOT_WOOCOMMERCE, Field, FieldType, OpenPath, Root, Scope
from custom_events.conditions.order_fields import order_fields
from custom_events.conditions.runtime import WEEKDAYS
from custom_events.values.clicks import ClickCarrier, ClickKind, ConsentStatus
from custom_events.values.deliveries import Platform
from custom_events.values.events import EventType

UTM_PARTS = ("source", "medium", "campaign", "content", "term", "id")

T = FieldType


def _event() -> Iterator[Field]:
    words = tuple(kind.value for kind in EventType)
    yield Field(
        name="event.type",
        type=T.TEXT,
        meaning="What happened; the trigger has chosen among these already.",
        example="order.paid",
        expression="e.type",
        words=words,
    )
    yield Field(
        name="event.occurred_at",
        type=T.TIME,
        meaning="When it happened, by the store's clock.",
        example="2026-11-01T08:30:00Z",
        expression="e.occurred_at",
    )
    yield Field(
        name="event.amount",
        type=T.MONEY,
        meaning="The amount the event is about: of the refund, the subscription, the order or the cart.",
        example="200.00",
        expression="e.amount",
        currency="e.currency",
    )
    yield Field(
        name="event.currency",
        type=T.TEXT,
        meaning="ISO 4217 code of that amount.",
        example="EUR",
        expression="e.currency",
        is_code=True,
    )
    yield Field(
        name="time.hour",
        type=T.INTEGER,
        meaning="Hour of the day in the site's time zone, 0 to 23.",
        example="18",
        expression="local_time(e, f).hour",
        bounds=(0, 23),
    )
    yield Field(
        name="time.weekday",
        type=T.TEXT,
        meaning="Day of the week in the site's time zone.",
        example="friday",
        expression="WEEKDAYS[local_time(e, f).weekday()]",
        words=WEEKDAYS,
    )
    yield Field(
        name="time.day",
        type=T.INTEGER,
        meaning="Day of the month in the site's time zone, 1 to 31.",
        example="1",
        expression="local_time(e, f).day",
        bounds=(1, 31),
    )
    yield Field(
        name="time.month",
        type=T.INTEGER,
        meaning="Month in the site's time zone, 1 to 12.",
        example="12",
        expression="local_time(e, f).month",
        bounds=(1, 12),
    )


def _customer() -> Iterator[Field]:
    yield Field(
        name="customer.id",
        type=T.TEXT,
        meaning="The platform's id of the customer.",
        example="207119551",
        root=Root.CUSTOMER,
        expression="c.id",
    )
    yield Field(
        name="customer.country",
        type=T.TEXT,
        meaning="ISO 3166 code of the customer's country.",
        example="DE",
        root=Root.CUSTOMER,
        expression="c.country",
        is_code=True,
    )
    yield Field(
        name="customer.tags",
        type=T.TEXTS,
        meaning="Tags of the customer.",
        example="vip",
        root=Root.CUSTOMER,
        expression="c.tags",
        platforms=NOT_WOOCOMMERCE,
    )
    yield Field(
        name="customer.created_at",
        type=T.TIME,
        meaning="When the store made the customer's account.",
        example="2026-01-15",
        root=Root.CUSTOMER,
        expression="c.created_at",
    )
    yield Field(
        name="customer.accepts_marketing",
        type=T.BOOLEAN,
        meaning="Newsletter consent; it is not consent to ads.",
        example="true",
        root=Root.CUSTOMER,
        expression="c.accepts_marketing",
    )
    for kind in ("email", "phone"):
        yield Field(
            name=f"customer.has_{kind}",
            type=T.BOOLEAN,
            meaning=f"Whether a usable {kind} is known (hashed).",
            example="true",
            expression=f"(e.customer is not None and e.customer.{kind}_sha256 is not None)",
        )
    yield Field(
        name="customer.known",
        type=T.BOOLEAN,
        meaning="Whether the customer can be recognised again.",
        example="true",
        expression="(e.customer_key is not None)",
    )
    yield Field(
        name="customer.orders_before",
        type=T.INTEGER,
        meaning="Paid orders of this customer before this event. Missing for nobody known.",
        example="0",
        expression="f.orders_before",
        history=True,
    )
    yield Field(
        name="customer.spent_before",
        type=T.MONEY,
        meaning="Total of those orders, in the event's currency.",
        example="500.00",
        expression="f.spent_before",
        currency="e.currency",
        history=True,
    )
    yield Field(
        name="customer.first_seen",
        type=T.TIME,
        meaning="When we first saw this customer at this site.",
        example="2026-01-15",
        expression="f.first_seen",
        history=True,
    )


def _subscription_and_refund() -> Iterator[Field]:
    texts = {"id": "The platform's id of the subscription.", "status": "Status word of the subscription.",
             "interval": "Unit of the period: day, week, month, year.", "currency": "ISO 4217 code of its amount.",
             "order_id": "Order that paid this period.", "origin_order_id": "Order that started it.",
             "error_code": "Why a payment failed."}  # fmt: skip
    for name, meaning in texts.items():
        yield Field(
            name=f"subscription.{name}",
            type=T.TEXT,
            meaning=meaning,
            example="active" if name == "status" else "month",
            root=Root.SUBSCRIPTION,
            expression=f"s.{name}",
            is_code=name == "currency",
        )
    yield Field(
        name="subscription.interval_count",
        type=T.INTEGER,
        meaning="Units in a period.",
        example="3",
        root=Root.SUBSCRIPTION,
        expression="s.interval_count",
    )
    yield Field(
        name="subscription.amount",
        type=T.MONEY,
        meaning="Amount of one period.",
        example="19.00",
        root=Root.SUBSCRIPTION,
        expression="s.amount",
        currency="s.currency",
    )
    for name, meaning in (("created_at", "When it was started."), ("cancelled_at", "When it was cancelled.")):
        yield Field(
            name=f"subscription.{name}",
            type=T.TIME,
            meaning=meaning,
            example="2026-01-15",
            root=Root.SUBSCRIPTION,
            expression=f"s.{name}",
        )
    yield Field(
        name="refund.amount",
        type=T.MONEY,
        meaning="Amount of this refund, positive.",
        example="25.00",
        root=Root.REFUND,
        expression="r.amount",
        currency="e.currency",
    )
    yield Field(
        name="refund.shipping",
        type=T.MONEY,
        meaning="The part of it that was paid for shipping, with its tax.",
        example="5.00",
        root=Root.REFUND,
        expression="r.shipping",
        currency="e.currency",
    )
    yield Field(
        name="refund.is_pending",
        type=T.BOOLEAN,
        meaning="Whether it was on its way, and not there yet, when the event was seen.",
        example="false",
        root=Root.REFUND,
        expression="r.is_pending",
    )
    yield Field(
        name="refund.reason",
        type=T.TEXT,
        meaning="Why it was refunded.",
        example="damaged",
        root=Root.REFUND,
        expression="r.reason",
    )


def _advertising() -> Iterator[Field]:
    yield Field(
        name="click.present",
        type=T.BOOLEAN,
        meaning="Whether a click id is known.",
        example="true",
        expression="bool(e.clicks)",
    )
    yield Field(
        name="click.kind",
        type=T.TEXT,
        meaning="Kind of the best click id.",
        example="gclid",
        root=Root.CLICK,
        expression="b.kind",
        words=tuple(kind.value for kind in ClickKind),
    )
    yield Field(
        name="click.carrier",
        type=T.TEXT,
        meaning="Where the click id was found.",
        example="attribute",
        root=Root.CLICK,
        expression="b.carrier",
        words=tuple(carrier.value for carrier in ClickCarrier),
    )
    yield Field(
        name="click.clicked_at",
        type=T.TIME,
        meaning="When the ad was clicked; known only from our own capture.",
        example="2026-11-01",
        root=Root.CLICK,
        expression="b.clicked_at",
    )
    for part in UTM_PARTS:
        yield Field(
            name=f"utm.{part}",
            type=T.TEXT,
            meaning=f"utm_{part} of the visit.",
            example="google",
            expression=f"e.utm.get({part!r})",
        )
    for kind in ("ad_user_data", "ad_personalization", "ad_storage"):
        yield Field(
            name=f"consent.{kind}",
            type=T.TEXT,
            meaning=f"Consent to {kind}; unknown when nobody said.",
            example="granted",
            expression=f"consent_of(e).{kind}",
            words=tuple(status.value for status in ConsentStatus),
        )
    yield Field(
        name="consent.source",
        type=T.TEXT,
        meaning="Who said so.",
        example="wp_consent_api",
        expression="consent_of(e).source",
    )


FIELDS: tuple[Field, ...] = (
    *_event(), *order_fields(), *_customer(), *_subscription_and_refund(), *_advertising(),
)  # fmt: skip

OPEN_PATHS: tuple[OpenPath, ...] = (
    OpenPath(prefix="note_attributes", meaning="A cart attribute by its name, which may contain dots.",
             example="note_attributes.gift_wrap", expression="e.note_attributes.get({path})", platforms=(Platform.SHOPIFY,)),
    OpenPath(prefix="meta", meaning="An order's meta value by its key, which may contain dots.",
             example="meta._wc_order_attribution_device_type", expression="e.meta.get({path})", platforms=(Platform.WOOCOMMERCE,)),
    OpenPath(prefix="properties", meaning="A value the sender put into the event; dots go deeper, numbers count list elements from 0.",
             example="properties.membership.level", expression="property_at(e, {path})", platforms=(Platform.CUSTOM,)),
    OpenPath(prefix="item.properties", meaning="A line item's property by its name.",
             example="item.properties.engraving", expression="i.properties.get({path})", scope=Scope.ITEM),
)  # fmt: skip
