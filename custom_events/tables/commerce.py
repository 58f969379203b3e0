"""What understanding makes: outcomes, commerce events, and the state of orders, customers and subscriptions."""

import sqlalchemy as sa

from custom_events.tables.base import APP, METADATA, Amount, JsonText, Time, one_of, site_id, updated_at
from custom_events.tables.landing import landed_week
from custom_events.values.clicks import ClickCarrier, ClickKind
from custom_events.values.deliveries import Outcome

raw_outcomes = sa.Table(
    "raw_outcomes",
    METADATA,
    landed_week("raw_events.landed_week; partition key."),
    sa.Column("raw_id", sa.BigInteger, nullable=False, autoincrement=False, comment="raw_events.id."),
    sa.Column("received_at", Time, nullable=False, comment="raw_events.received_at."),
    site_id(foreign_key=False),
    sa.Column("outcome", sa.Text, nullable=False, comment="understood, parked or ignored."),
    sa.Column("reason", sa.Text, comment="Stable word, for parked and ignored."),
    sa.Column("detail", sa.Text, comment="For people; no personal data."),
    sa.Column("new_events", sa.SmallInteger, nullable=False, comment="Commerce events that were not known before."),
    sa.Column("processed_at", Time, nullable=False, server_default=sa.func.now(), comment="When the batch ran."),
    sa.PrimaryKeyConstraint("landed_week", "raw_id"),
    one_of("outcome", Outcome),
    sa.Index("ix_raw_outcomes_parked", "site_id", "received_at", postgresql_where=sa.text("outcome = 'parked'")),
    schema=APP,
    postgresql_partition_by="RANGE (landed_week)",
    comment="What became of each raw event. One row per raw event.",
)

commerce_events = sa.Table(
    "commerce_events",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False, comment="Surrogate key."),
    sa.Column("occurred_at", Time, nullable=False, comment="The store's clock; partition key."),
    site_id(foreign_key=False),
    sa.Column("type", sa.Text, nullable=False, comment="order.paid, order.refunded ..."),
    sa.Column("key", sa.Text, nullable=False, comment="Natural key within the site; unique through event_keys."),
    sa.Column("evidence_at", Time, nullable=False, comment="The store's clock of the body that showed it."),
    sa.Column("order_id", sa.Text, comment="The order it is about."),
    sa.Column("customer_key", sa.Text, comment="c:<id> or e:<hash>: joins a customer's events."),
    sa.Column("amount", Amount, comment="Amount it is about, in `currency`."),
    sa.Column("currency", sa.Text, comment="ISO 4217 code."),
    sa.Column("is_test", sa.Boolean, nullable=False, comment="A test order: matches nothing."),
    sa.Column("facts", JsonText, nullable=False, comment="The whole event (values/events.py), personal data hashed."),
    sa.Column("raw_id", sa.BigInteger, comment="The raw event that showed it first."),
    sa.Column("raw_landed_week", sa.Date, comment="Its landed_week."),
    sa.Column("created_at", Time, nullable=False, server_default=sa.func.now(), comment="When the batch ran."),
    sa.PrimaryKeyConstraint("occurred_at", "id"),
    sa.Index(None, "site_id", "type", "occurred_at"),
    sa.Index("ix_commerce_events_customer", "site_id", "customer_key", "type", "occurred_at", "key"),
    sa.Index(None, "site_id", "order_id"),
    schema=APP,
    postgresql_partition_by="RANGE (occurred_at)",
    comment="What happened, platform-independent. One row per natural key (site, key).",
)

event_keys = sa.Table(
    "event_keys",
    METADATA,
    site_id(primary_key=True, foreign_key=False),
    sa.Column("key", sa.Text, primary_key=True, comment="Natural key of the commerce event."),
    sa.Column("event_id", sa.BigInteger, nullable=False, comment="commerce_events.id."),
    sa.Column("occurred_at", Time, nullable=False, comment="commerce_events.occurred_at: finds the partition."),
    sa.Column("evidence_at", Time, nullable=False, comment="Store's clock of the evidence behind the event."),
    schema=APP,
    comment="Makes natural keys unique across partitions, for ever. One row per commerce event.",
)

orders = sa.Table(
    "orders",
    METADATA,
    site_id(primary_key=True, foreign_key=False),
    sa.Column("order_id", sa.Text, primary_key=True, comment="The platform's id, as text (64-bit ids)."),
    sa.Column("number", sa.Text, comment="The number people use."),
    sa.Column("ordered_at", Time, comment="Created, by the store's clock; null until a body with it came."),
    sa.Column("state_at", Time, comment="updated_at of the body that gave this state: the newest wins."),
    sa.Column("status", sa.Text, comment="The platform's own word."),
    sa.Column("financial_status", sa.Text, comment="Payment state, platform's word."),
    sa.Column("paid_at", Time, comment="Paid, by the store's clock."),
    sa.Column("cancelled_at", Time, comment="Cancelled, by the store's clock."),
    sa.Column("deleted_at", Time, comment="Deleted in the store."),
    sa.Column("currency", sa.Text, comment="ISO 4217 code."),
    sa.Column("total", Amount, comment="Original total."),
    sa.Column("refunded", Amount, nullable=False, server_default="0", comment="Sum of its refunds."),
    sa.Column("customer_key", sa.Text, comment="c:<id> or e:<hash>."),
    sa.Column("is_test", sa.Boolean, nullable=False, server_default=sa.false(), comment="A test order."),
    updated_at(),
    sa.Index("ix_orders_customer", "site_id", "customer_key", "ordered_at"),
    sa.Index("ix_orders_number", "number"),  # without the site, so that no plan takes it for a customer's orders
    schema=APP,
    comment="State of an order by the store's own clock. One row per order.",
)

order_refunds = sa.Table(
    "order_refunds",
    METADATA,
    site_id(primary_key=True, foreign_key=False),
    sa.Column("order_id", sa.Text, primary_key=True, comment="The order."),
    sa.Column("refund_id", sa.Text, primary_key=True, comment="The platform's id of the refund."),
    sa.Column("amount", Amount, nullable=False, comment="Positive amount."),
    sa.Column("currency", sa.Text, comment="ISO 4217 code, as far as known."),
    sa.Column("refunded_at", Time, comment="By the store's clock, as far as known."),
    sa.CheckConstraint("amount >= 0", name="amount_positive"),
    schema=APP,
    comment="Refunds of orders, whichever body told of them. One row per refund.",
)

subscriptions = sa.Table(
    "subscriptions",
    METADATA,
    site_id(primary_key=True, foreign_key=False),
    sa.Column("subscription_id", sa.Text, primary_key=True, comment="The platform's id."),
    sa.Column("state_at", Time, comment="Clock of the body that gave this state: the newest wins."),
    sa.Column("status", sa.Text, comment="The platform's own word."),
    sa.Column("started_at", Time, comment="By the store's clock."),
    sa.Column("cancelled_at", Time, comment="By the store's clock."),
    sa.Column("customer_key", sa.Text, comment="c:<id> or e:<hash>."),
    sa.Column("origin_order_id", sa.Text, comment="The order it began with."),
    updated_at(),
    schema=APP,
    comment="State of a subscription by the store's own clock. One row per subscription.",
)

customers = sa.Table(
    "customers",
    METADATA,
    site_id(primary_key=True, foreign_key=False),
    sa.Column("customer_key", sa.Text, primary_key=True, comment="c:<id> or e:<hash>."),
    sa.Column("first_seen_at", Time, nullable=False, comment="Earliest event or order known, by the store's clock."),
    sa.Column("email_sha256", sa.Text, comment="Hash of the normalised address."),
    sa.Column("phone_sha256", sa.Text, comment="Hash of the E.164 number."),
    updated_at(),
    schema=APP,
    comment="Customers as their orders and events showed them. One row per customer key.",
)

clicks = sa.Table(
    "clicks",
    METADATA,
    sa.Column("seen_at", Time, nullable=False, comment="The carrying order's own time; partition key."),
    site_id(foreign_key=False),
    sa.Column("kind", sa.Text, nullable=False, comment="gclid, gbraid or wbraid."),
    sa.Column("click_id", sa.Text, nullable=False, comment="The id, exactly as captured."),
    sa.Column("subject", sa.Text, nullable=False, comment="What carried it: order:<id>, checkout:<token> ..."),
    sa.Column("carrier", sa.Text, nullable=False, comment="attribute, landing or pixel."),
    sa.Column("clicked_at", Time, comment="When it was clicked, where our capture wrote it."),
    sa.Column("consent", JsonText, comment="Consent that came with it."),
    sa.PrimaryKeyConstraint("seen_at", "site_id", "subject", "kind", "click_id"),
    one_of("kind", ClickKind),
    one_of("carrier", ClickCarrier),
    sa.Index(None, "site_id", "click_id"),
    schema=APP,
    postgresql_partition_by="RANGE (seen_at)",
    comment="Captured click ids with time and consent. One row per click and what carried it.",
)
