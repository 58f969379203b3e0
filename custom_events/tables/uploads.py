"""Custom events and the ledger of what goes to ads accounts."""

import sqlalchemy as sa

from custom_events.tables import key_places
from custom_events.tables.base import (
    APP,
    METADATA,
    Amount,
    Json,
    JsonText,
    Time,
    a_word,
    identity,
    one_of,
    site_id,
)
from custom_events.values.conversions import UploadKind, UploadState

custom_events = sa.Table(
    "custom_events",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False, comment="Surrogate key."),
    sa.Column("occurred_at", Time, nullable=False, comment="Of the commerce event; partition key."),
    site_id(foreign_key=False),
    sa.Column("assignment_id", sa.BigInteger, nullable=False, comment="site_custom_events.id that was satisfied."),
    sa.Column("definition_revision_id", sa.BigInteger, nullable=False, comment="Revision that decided."),
    sa.Column("assignment_revision_id", sa.BigInteger, nullable=False, comment="Revision that decided."),
    sa.Column("commerce_event_id", sa.BigInteger, nullable=False, comment="commerce_events.id."),
    sa.Column("dedup_key", sa.Text, nullable=False, comment="Unique per assignment through custom_event_keys."),
    sa.Column("order_id", sa.Text, comment="The order, if it is about one."),
    sa.Column("customer_key", sa.Text, comment="The customer, if known."),
    sa.Column("value", Amount, comment="By the assignment's value rule, before refunds."),
    sa.Column("currency", sa.Text, comment="ISO 4217 code of `value`."),
    sa.Column(
        "withheld_reason",
        sa.Text,
        comment="Why matching withholds its conversion; null: it was queued, and says itself what became of it.",
    ),
    sa.Column("withdrawn_at", Time, comment="When it was found to stand no longer; null: it stands."),
    sa.Column("withdrawn_reason", sa.Text, comment="Why: a stable word (values/reasons.py)."),
    sa.Column(
        "created_at",
        Time,
        nullable=False,
        server_default=sa.func.now(),
        comment="When the batch ran: its upload's as well.",
    ),
    sa.Column(
        "withdrawn_by", sa.Text, comment="Natural key of the event that invalidated it, or the name of a replay."
    ),
    sa.Column("upload_id", sa.BigInteger, comment="conversion_uploads.id of its conversion, made at created_at."),
    sa.PrimaryKeyConstraint("occurred_at", "id"),
    sa.Index(None, "assignment_id", "occurred_at"),
    sa.Index(None, "site_id", "order_id"),
    sa.Index(None, "commerce_event_id"),
    sa.Index(None, "created_at", postgresql_using="brin"),
    sa.Index(None, "site_id", "occurred_at", "id"),  # lists (custom_events/browse)
    schema=APP,
    postgresql_partition_by="RANGE (occurred_at)",
    comment="This commerce event satisfied this assignment. One standing row per assignment and dedup key; withdrawn ones stay.",
)

custom_event_keys = sa.Table(
    "custom_event_keys",
    METADATA,
    sa.Column("assignment_id", sa.BigInteger, nullable=False, comment="The assignment."),
    sa.Column("dedup_key", sa.Text, nullable=False, comment="What counts as the same occurrence."),
    sa.Column("custom_event_id", sa.BigInteger, nullable=False, comment="custom_events.id."),
    sa.Column("occurred_at", Time, nullable=False, comment="custom_events.occurred_at: finds the partition."),
    sa.Index("uq_custom_event_keys", sa.text(key_places.of_dedup_key()), "dedup_key", "assignment_id", unique=True),
    schema=APP,
    comment="Makes dedup keys unique across partitions, for ever. One row per custom event that stands.",
)

conversion_uploads = sa.Table(
    "conversion_uploads",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False, comment="Surrogate key."),
    sa.Column("created_at", Time, nullable=False, comment="When it was queued; partition key, never changed."),
    site_id(foreign_key=False),
    sa.Column("assignment_id", sa.BigInteger, nullable=False, comment="site_custom_events.id."),
    sa.Column("custom_event_id", sa.BigInteger, nullable=False, comment="custom_events.id."),
    sa.Column("ads_account_id", sa.BigInteger, comment="Where it goes; null when withheld for want of an action."),
    sa.Column("ads_action_id", sa.BigInteger, comment="ads_actions.id; null when withheld for want of an action."),
    sa.Column("kind", sa.Text, nullable=False, comment="conversion, restatement or retraction."),
    sa.Column("transaction_id", sa.Text, nullable=False, comment="Idempotency key at Google: order id, or a digest."),
    sa.Column("sequence", sa.Integer, nullable=False, comment="0 the conversion, then 1, 2 ... its adjustments."),
    sa.Column("order_id", sa.Text, comment="The order, if it is about one."),
    sa.Column("conversion_at", Time, nullable=False, comment="Conversion time: the order's, not ours."),
    sa.Column("adjusted_at", Time, comment="Adjustment time, strictly rising within a conversion."),
    sa.Column("value", Amount, comment="To send: for restatements the new total."),
    sa.Column("currency", sa.Text, comment="ISO 4217 code."),
    sa.Column("click_kind", sa.Text, comment="gclid, gbraid or wbraid."),
    sa.Column("click_id", sa.Text, comment="The click id."),
    sa.Column("clicked_at", Time, comment="When it was clicked, where known."),
    sa.Column("email_sha256", sa.Text, comment="Hashed identifier."),
    sa.Column("phone_sha256", sa.Text, comment="Hashed identifier."),
    sa.Column("ad_user_data", sa.Text, nullable=False, comment="Consent: granted, denied or unknown."),
    sa.Column("ad_personalization", sa.Text, nullable=False, comment="Consent: granted, denied or unknown."),
    sa.Column("state", sa.Text, nullable=False, comment="Where it stands (values/conversions.py)."),
    sa.Column("reason", sa.Text, comment="Why held, withheld, rejected or expired: a stable word or Google's code."),
    sa.Column("sentence", sa.Text, comment="The same for people."),
    sa.Column("not_before", Time, nullable=False, comment="Not sent before: delay, hold or retry."),
    sa.Column("deadline_at", Time, nullable=False, comment="After this Google refuses it; nearest goes first."),
    sa.Column("lease_until", Time, comment="Claimed until then; afterwards others may resolve it."),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0", comment="Calls that carried it."),
    sa.Column("request_id", sa.BigInteger, comment="upload_requests.id of the last call."),
    sa.Column("settled_at", Time, comment="When it reached a final state."),
    sa.Column("updated_at", Time, nullable=False, server_default=sa.func.now(), comment="When it last changed."),
    sa.Column("click_dropped", sa.Text, comment="Why its click id is not sent: hashed e-mail or phone go alone."),
    sa.Column("new_customer", sa.Boolean, comment="First order of this customer; null: not known, or not to be told."),
    sa.Column("environment", sa.Text, comment="app where the order came from one; null: web."),
    sa.Column("cart", JsonText, comment="What was bought, for the merchant centre; null: none is named for the site."),
    sa.Column(  # for indexes: an answer changes the state and not this, so that the row is written within its page (HOT)
        "waits",
        sa.Boolean,
        sa.Computed(  # as PostgreSQL writes it, with which it is compared
            "state = ANY (ARRAY['new'::text, 'held'::text, 'queued'::text, 'unknown'::text])", persisted=True
        ),
        nullable=False,
        comment="Whether it may be claimed, by its state.",
    ),
    sa.Column(
        "held_reason",
        sa.Text,
        comment="Why it was held when it was withheld: should it go after all, it is held again.",
    ),
    sa.Column("held_sentence", sa.Text, comment="The same for people."),
    sa.Column("held_until", Time, comment="Its not_before at that time."),
    sa.Column(
        "other_clicks",
        JsonText,
        comment="Click ids that may stand for it when Google refuses the one it has, best first; null: none.",
    ),
    sa.Column(
        "unsettled_lane",
        sa.Text,
        comment="API that may have it without having said so: it goes there again. Null: it goes by its account's of today.",
    ),
    sa.Column(
        "consent_pending",
        sa.Boolean,
        nullable=False,
        server_default=sa.false(),
        comment="Held by hand while it waited for a consent that nobody has given: released, it waits for that again.",
    ),
    sa.PrimaryKeyConstraint("created_at", "id"),
    one_of("kind", UploadKind),
    one_of("state", UploadState),
    sa.CheckConstraint("(kind = 'conversion') = (sequence = 0)", name="sequence_of_kind"),
    sa.CheckConstraint("length(transaction_id) BETWEEN 1 AND 64", name="transaction_id_length"),
    sa.Index(  # in the order of claims; `not_before` in it keeps rows that have to wait from being read
        "ix_conversion_uploads_due",
        "ads_account_id",
        sa.text("((created_at - conversion_at) > '1 day'::interval)::integer"),
        "deadline_at",
        "not_before",
        postgresql_where=sa.text("waits"),
    ),
    sa.Index("ix_conversion_uploads_request", "request_id", postgresql_where=sa.text("request_id IS NOT NULL")),
    sa.Index(
        "ix_conversion_uploads_split", "ads_account_id", "request_id", postgresql_where=sa.text("reason = 'split'")
    ),
    sa.Index(
        "ix_conversion_uploads_adjustments",
        "ads_account_id",
        "not_before",
        postgresql_where=sa.text("kind <> 'conversion' AND waits"),
    ),
    # A claim writes each index that holds the row, so none holds conversions by order: their custom event names them.
    sa.Index("ix_conversion_uploads_adjusts", "custom_event_id", postgresql_where=sa.text("kind <> 'conversion'")),
    # What a call carried and no call names any more (queries/uploads.py, SETTLE_UNSENT): few, and reconciliation asks for them.
    sa.Index(
        "ix_conversion_uploads_no_request",
        "created_at",
        postgresql_where=sa.text("request_id IS NULL AND attempts > 0"),
    ),
    # Lists of what has a reason: held, withheld, refused. What is accepted without a word never enters them.
    sa.Index(
        "ix_conversion_uploads_account_reason",
        "ads_account_id",
        "created_at",
        "id",
        "reason",
        postgresql_where=sa.text("reason <> 'split'"),
    ),
    sa.Index(
        "ix_conversion_uploads_site_reason",
        "site_id",
        "created_at",
        "id",
        "reason",
        postgresql_where=sa.text("reason <> 'split'"),
    ),
    schema=APP,
    postgresql_partition_by="RANGE (created_at)",
    comment="The ledger: conversions and adjustments on their way to an ads account. One row per key; never expires.",
)

upload_keys = sa.Table(
    "upload_keys",
    METADATA,
    sa.Column("ads_action_id", sa.BigInteger, nullable=False, comment="ads_actions.id."),
    sa.Column("transaction_id", sa.Text, nullable=False, comment="Idempotency key at Google."),
    sa.Column("sequence", sa.Integer, nullable=False, comment="0 the conversion, then adjustments."),
    sa.Column("upload_id", sa.BigInteger, nullable=False, comment="conversion_uploads.id."),
    sa.Column("created_at", Time, nullable=False, comment="conversion_uploads.created_at: finds the partition."),
    sa.Index(
        "uq_upload_keys",
        sa.text(key_places.of_transaction()),
        "transaction_id",
        "ads_action_id",
        "sequence",
        unique=True,
    ),
    schema=APP,
    comment="One conversion per (action, transaction id), for ever, across partitions. One row per upload with an action.",
)

value_changes = sa.Table(
    "value_changes",
    METADATA,
    sa.Column("site_id", sa.BigInteger, primary_key=True, autoincrement=False, comment="The site."),
    sa.Column("order_id", sa.Text, primary_key=True, comment="The order."),
    sa.Column("changed_at", Time, nullable=False, comment="When its refunds, total or cancellation changed last."),
    schema=APP,
    comment="Orders whose conversions may need another value; the ledger's adjuster takes them. One row per order.",
)

withdrawn_without_order = sa.Table(
    "withdrawn_without_order",
    METADATA,
    sa.Column("custom_event_id", sa.BigInteger, primary_key=True, autoincrement=False, comment="custom_events.id."),
    sa.Column("occurred_at", Time, nullable=False, comment="custom_events.occurred_at: finds the partition."),
    sa.Column("changed_at", Time, nullable=False, comment="When it was withdrawn or corrected last."),
    schema=APP,
    comment="Custom events without an order that were withdrawn or corrected; the ledger's adjuster takes them. One row per event.",
)

upload_requests = sa.Table(
    "upload_requests",
    METADATA,
    identity(),
    sa.Column(
        "ads_account_id", sa.BigInteger, sa.ForeignKey("app.ads_accounts.id"), nullable=False, comment="Account."
    ),
    sa.Column("lane", sa.Text, nullable=False, comment="google_ads or data_manager."),
    sa.Column("kind", sa.Text, nullable=False, comment="conversions or adjustments."),
    sa.Column("rows", sa.Integer, nullable=False, comment="Rows in the request."),
    sa.Column("job_id", sa.BigInteger, comment="Our job id, joins Google's summaries."),
    sa.Column("google_request_id", sa.Text, comment="Google's id of the request."),
    sa.Column("intent_at", Time, nullable=False, comment="When the intent was committed, before the call."),
    sa.Column("answered_at", Time, comment="When the answer was written; null: it never came."),
    sa.Column("outcome", sa.Text, comment="answered, failed or unknown."),
    sa.Column("code", sa.Text, comment="Google's code when the request failed as a whole."),
    sa.Column("sentence", sa.Text, comment="The same for people."),
    sa.Column("next_poll_at", Time, comment="Data Manager: when to ask for the verdict."),
    sa.Column("counts", JsonText, comment="By conversion action, what Google counted in this call; no row is named."),
    sa.Column(
        "shared_verdict",
        sa.Text,
        comment="The verdict of all its rows at answered_at that have no attempt of that time.",
    ),
    sa.Column("shared_rows", sa.Integer, comment="How many rows that were."),
    sa.Column(
        "customer_id", sa.Text, comment="Customer id that was called; null: the account's, before migration 0021."
    ),
    sa.Column("login_customer_id", sa.Text, comment="Manager account through which it was called."),
    a_word("lane"),
    sa.CheckConstraint("shared_verdict IN ('accepted', 'pending')", name="shared_verdict"),
    sa.Index("ix_upload_requests_poll", "next_poll_at", postgresql_where=sa.text("next_poll_at IS NOT NULL")),
    sa.Index("ix_upload_requests_open", "id", postgresql_where=sa.text("outcome IS NULL")),
    sa.Index(None, "ads_account_id", "intent_at"),
    sa.Index("ix_upload_requests_lane", "ads_account_id", "lane"),  # which APIs an account has used
    schema=APP,
    comment="Calls to Google, committed before they are made. One row per call.",
)

upload_stops = sa.Table(
    "upload_stops",
    METADATA,
    sa.Column(
        "ads_account_id",
        sa.BigInteger,
        sa.ForeignKey("app.ads_accounts.id"),
        primary_key=True,
        autoincrement=False,
        comment="Account.",
    ),
    sa.Column("lane", sa.Text, primary_key=True, comment="google_ads or data_manager: the API that refused."),
    sa.Column(
        "concerns",
        sa.Text,
        primary_key=True,
        comment="user_data: what carries hashed e-mail or phone. adjustments. account: all, where it is not the lane of today.",
    ),
    sa.Column("code", sa.Text, comment="Google's code."),
    sa.Column("reason", sa.Text, nullable=False, comment="The same for people, and what to do."),
    sa.Column("since", Time, nullable=False, comment="When it was refused first."),
    sa.Column("recheck_at", Time, comment="When to try whether it is mended; null: it is a pause."),
    sa.Column("until", Time, comment="Of a pause: when it ends by itself."),
    a_word("lane"),
    one_of("concerns", ["account", "user_data", "adjustments"]),
    schema=APP,
    comment="Parts of an ads account to which nothing is sent; the rest goes on. One row per account, API and part.",
)

upload_attempts = sa.Table(
    "upload_attempts",
    METADATA,
    sa.Column("at", Time, nullable=False, comment="When the answer was written; partition key."),
    sa.Column("upload_id", sa.BigInteger, nullable=False, comment="conversion_uploads.id."),
    sa.Column("request_id", sa.BigInteger, nullable=False, comment="upload_requests.id."),
    sa.Column("verdict", sa.Text, nullable=False, comment="accepted, already_there, retry, rejected ..."),
    sa.Column("code", sa.Text, comment="Google's code for this row."),
    sa.Column("sentence", sa.Text, comment="The same in our words."),
    sa.PrimaryKeyConstraint("at", "upload_id", "request_id"),
    sa.Index(None, "upload_id"),
    schema=APP,
    postgresql_partition_by="RANGE (at)",
    comment="Google's answers that differ from what most rows of the request were told. One row per upload, call and time.",
)

audit_entries = sa.Table(
    "audit_entries",
    METADATA,
    identity(),
    sa.Column("at", Time, nullable=False, server_default=sa.func.now(), comment="When."),
    sa.Column("actor", sa.Text, nullable=False, comment="Who."),
    sa.Column("action", sa.Text, nullable=False, comment="What was done: definition.publish, replay.run ..."),
    sa.Column("subject", sa.Text, nullable=False, comment="To what: definition:purchase, site:12 ..."),
    sa.Column("detail", Json, nullable=False, server_default=sa.text("'{}'"), comment="Diff or figures."),
    sa.Column("source", sa.Text, comment="From where: api, console, command line; null: a program by itself."),
    sa.Column("via", sa.Text, comment="By which API key or session; of the command line, by which login."),
    sa.Column("client_address", sa.Text, comment="Network address of whoever did it, where one is known."),
    sa.Column(
        "request_id",
        sa.Text,
        comment="Id of the request, as the logs have it; of the command line, of the run of a verb.",
    ),
    sa.Column("site_id", sa.BigInteger, comment="The site that it was about, where it was one."),
    sa.Column("before", Json, comment="What was stored before, where it was changed or removed."),
    sa.Column("after", Json, comment="What is stored since."),
    sa.Index(None, "subject", "at"),
    sa.Index(None, "site_id", "id"),
    sa.Index(None, "actor", "id"),
    schema=APP,
    comment="Who changed what, and why. One row per change.",
)
