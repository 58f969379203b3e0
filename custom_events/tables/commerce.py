"""What understanding makes: outcomes, commerce events, and the state of orders, customers and subscriptions."""

import sqlalchemy as sa

from custom_events.tables import key_places
from custom_events.tables.base import APP, METADATA, Amount, JsonText, Time, one_of, site_id, updated_at
from custom_events.tables.landing import landed_week
from custom_events.values.clicks import ClickCarrier, ClickKind, ConsentStatus
from custom_events.values.deliveries import Outcome

raw_outcomes = sa.Table(
    "raw_outcomes",
    METADATA,
    landed_week("raw_events.landed_week; partition key."),
    sa.Column("raw_id", sa.BigInteger, nullable=False, autoincrement=False, comment="raw_events.id."),
    sa.Column("received_at", Time, nullable=False, comment="raw_events.received_at."),
    site_id(foreign_key=False),
    sa.Column("outcome", sa.Text, nullable=False, comment="understood, parked or ignored."),
    sa.Column(
        "reason",
        sa.Text,
        comment="Stable word, for parked and ignored; site_paused: understood, and its events match nothing.",
    ),
    sa.Column("detail", sa.Text, comment="For people; no personal data."),
    sa.Column("new_events", sa.SmallInteger, nullable=False, comment="Commerce events that were not known before."),
    sa.Column("processed_at", Time, nullable=False, server_default=sa.func.now(), comment="When the batch ran."),
    sa.PrimaryKeyConstraint("landed_week", "raw_id"),
    one_of("outcome", Outcome),
    sa.Index("ix_raw_outcomes_parked", "site_id", "received_at", postgresql_where=sa.text("outcome = 'parked'")),
    sa.Index(
        None, "site_id", "received_at", "raw_id"
    ),  # lists (custom_events/browse): of a site, of all, parked ones of all
    sa.Index(None, "received_at", "raw_id"),
    sa.Index("ix_raw_outcomes_parked_newest", "received_at", "raw_id", postgresql_where=sa.text("outcome = 'parked'")),
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
    sa.Column("raw_id", sa.BigInteger, comment="The raw event whose body is the oldest that shows it."),
    sa.Column("raw_landed_week", sa.Date, comment="Its landed_week."),
    sa.Column("created_at", Time, nullable=False, server_default=sa.func.now(), comment="When the batch ran."),
    sa.Column(
        "is_undone",
        sa.Boolean,
        nullable=False,
        server_default=sa.false(),
        comment="A later body took it back: it matches nothing and counts nowhere.",
    ),
    sa.Column(
        "packed",
        sa.LargeBinary,
        comment="Its order, and its customer where customer_key names one, compressed (values/packed_facts.py); null: `facts` has all.",
    ),
    sa.PrimaryKeyConstraint("occurred_at", "id"),
    sa.Index(None, "site_id", "type", "occurred_at"),
    sa.Index("ix_commerce_events_customer", "site_id", "customer_key", "type", "occurred_at", "key"),
    sa.Index(None, "site_id", "order_id"),
    sa.Index(None, "site_id", "occurred_at", "id"),  # lists
    schema=APP,
    postgresql_partition_by="RANGE (occurred_at)",
    comment="What happened, platform-independent. One row per natural key (site, key).",
)

event_keys = sa.Table(
    "event_keys",
    METADATA,
    site_id(foreign_key=False),
    sa.Column("key", sa.Text, nullable=False, comment="Natural key of the commerce event."),
    sa.Column("event_id", sa.BigInteger, nullable=False, comment="commerce_events.id."),
    sa.Column("occurred_at", Time, nullable=False, comment="commerce_events.occurred_at: finds the partition."),
    sa.Column("evidence_at", Time, nullable=False, comment="Store's clock of the evidence behind the event."),
    sa.Column("parts", sa.BigInteger, comment="Which parts the event has, as bits; null: not known, it is looked at."),
    sa.Index("uq_event_keys", sa.text(key_places.of_event_key()), "key", "site_id", unique=True),
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
    sa.Column("paid_at", Time, comment="Paid, by the store's clock; null when the newest body that says so undid it."),
    sa.Column("cancelled_at", Time, comment="Cancelled, by the store's clock; null when it is not, or not any more."),
    sa.Column(
        "deleted_at",
        Time,
        comment="Deleted in the store, and not shown since; a WooCommerce order in the trash has that status.",
    ),
    sa.Column("currency", sa.Text, comment="ISO 4217 code."),
    sa.Column("total", Amount, comment="Original total."),
    sa.Column(
        "refunded",
        Amount,
        nullable=False,
        server_default="0",
        comment="Given back: the sum of its refunds that count, or all of it where the store says so.",
    ),
    sa.Column("customer_key", sa.Text, comment="c:<id> or e:<hash>."),
    sa.Column("is_test", sa.Boolean, nullable=False, server_default=sa.false(), comment="A test order."),
    updated_at(),
    sa.Column("current_total", Amount, comment="What it is worth now by the store's own count; null: it does not say."),
    sa.Column("payment_lost_at", Time, comment="Paid, then failed, voided, charged back or disputed."),
    sa.Column("payment_state_at", Time, comment="Clock of the newest body that says whether it is paid."),
    sa.Column("cancellation_state_at", Time, comment="Clock of the newest body that says whether it is cancelled."),
    sa.Column("refunds_listed_at", Time, comment="Clock of the newest body that lists all refunds."),
    sa.Column("shown_at", Time, comment="When the newest body was sent, where bodies are built as they are sent."),
    sa.Column(
        "has_undone",
        sa.Boolean,
        nullable=False,
        server_default=sa.false(),
        comment="Events of it are stored that are undone.",
    ),
    sa.Column("ad_user_data", sa.Text, comment="Consent by all its bodies: denied, else granted; null: none says."),
    sa.Column("ad_personalization", sa.Text, comment="Likewise."),
    sa.Column(
        "said_digest",
        sa.LargeBinary,
        comment="Digest of the newest body where the row is what that says: a body that says the same is known by it; null: not known.",
    ),
    sa.Index("ix_orders_customer", "site_id", "customer_key", "ordered_at"),
    sa.Index("ix_orders_number", "number"),  # without the site, so that no plan takes it for a customer's orders
    schema=APP,
    # Each further body of an order writes its row anew. With room for the next version in its page no index is written (decision 64).
    postgresql_with={"fillfactor": 50},
    comment="State of an order by the store's own clock. One row per order.",
)

order_consents = sa.Table(
    "order_consents",
    METADATA,
    site_id(primary_key=True, foreign_key=False),
    sa.Column("order_id", sa.Text, primary_key=True, comment="The order."),
    sa.Column(
        "ad_user_data", sa.Text, nullable=False, comment="By all its bodies: denied, else granted, else unknown."
    ),
    sa.Column("ad_personalization", sa.Text, nullable=False, comment="Likewise."),
    sa.Column("said_at", Time, comment="Store's clock of the newest body that says so; null: said before this row."),
    sa.Column("source", sa.Text, comment="Who gave that answer, as far as the body says."),
    sa.Column(  # a look before a call at Google asks for what was written since the claim
        "written_by", sa.BigInteger, nullable=False, comment="Transaction that wrote it last: pg_current_xact_id()."
    ),
    updated_at(),
    one_of("ad_user_data", ConsentStatus),
    one_of("ad_personalization", ConsentStatus),
    sa.Index(None, "written_by"),
    schema=APP,
    comment="Consent of orders whose bodies do not all say the same; the others' stands in the events. One row per such order.",
)

order_refunds = sa.Table(
    "order_refunds",
    METADATA,
    site_id(primary_key=True, foreign_key=False),
    sa.Column("order_id", sa.Text, primary_key=True, comment="The order."),
    sa.Column("refund_id", sa.Text, primary_key=True, comment="The platform's id of the refund."),
    sa.Column(
        "amount", Amount, nullable=False, comment="By the newest body that tells of it; 0: nothing was given back."
    ),
    sa.Column("currency", sa.Text, comment="ISO 4217 code, as far as known."),
    sa.Column("refunded_at", Time, comment="By the store's clock, as far as known."),
    sa.Column(
        "seen_at",
        Time,
        comment="Clock of the newest body that tells of it; older than orders.refunds_listed_at: it is gone.",
    ),
    sa.Column("items", JsonText, comment="Its lines (values/events.py, LineItem), where a body names them."),
    sa.Column(
        "shipping", Amount, comment="The part of it that was paid for shipping, with its tax; null: nobody says."
    ),
    sa.Column("has_failed", sa.Boolean, comment="By the newest body: it gave nothing back and took nothing out."),
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
    sa.Index("ix_customers_email", "email_sha256", postgresql_using="hash"),  # search; a hash is asked for whole
    sa.Index("ix_customers_phone", "phone_sha256", postgresql_using="hash"),
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
    sa.Index("ix_clicks_click_id", "click_id", postgresql_using="hash"),  # search
    schema=APP,
    postgresql_partition_by="RANGE (seen_at)",
    comment="Captured click ids with time and consent. One row per click and what carried it.",
)
