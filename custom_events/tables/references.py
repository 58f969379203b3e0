"""What refers to what without a foreign key: tables filled by the thousand a second, and partitions (decision 0005).

The schema page draws these, and a test looks for rows that refer to nothing.
"""

import msgspec
import sqlalchemy as sa

from custom_events.tables import (
    beacons,
    commerce,
    counting,
    definitions,
    landing,
    odd_leaves,
    privacy,
    recovery,
    sites,
    traffic,
    uploads,
)


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of `table` name a row of `target` in `column`; null names none. `back`: the target names them as well, which is drawn."""

    table: sa.Table
    column: str
    target: sa.Table
    target_column: str = "id"
    back: bool = False


_OF_A_SITE = (
    landing.raw_events,
    landing.refused_events,
    landing.duplicate_deliveries,
    commerce.commerce_events,
    commerce.orders,
    commerce.subscriptions,
    commerce.customers,
    commerce.clicks,
    beacons.beacons,
    odd_leaves.odd_leaves,
    privacy.privacy_requests,
    privacy.forgotten_subjects,
    uploads.custom_events,
)

UNENFORCED: tuple[Reference, ...] = (
    *(Reference(table=table, column="site_id", target=sites.sites) for table in _OF_A_SITE),
    Reference(table=landing.raw_queue, column="raw_id", target=landing.raw_events),
    Reference(table=commerce.raw_outcomes, column="raw_id", target=landing.raw_events),
    Reference(table=beacons.beacons, column="raw_id", target=landing.raw_events),
    Reference(table=recovery.missing_orders, column="sample_raw_id", target=landing.raw_events),
    Reference(table=traffic.traffic_hours, column="sample_raw_id", target=landing.raw_events),
    Reference(table=traffic.quiet_traffic, column="sample_raw_id", target=landing.raw_events),
    Reference(table=commerce.commerce_events, column="raw_id", target=landing.raw_events),
    Reference(table=odd_leaves.odd_leaves, column="raw_id", target=landing.raw_events),
    Reference(table=privacy.privacy_requests, column="raw_id", target=landing.raw_events),
    Reference(
        table=privacy.forgotten_subjects, column="raw_id", target=privacy.privacy_requests, target_column="raw_id"
    ),
    Reference(table=commerce.event_keys, column="event_id", target=commerce.commerce_events),
    Reference(table=commerce.order_consents, column="order_id", target=commerce.orders, target_column="order_id"),
    Reference(table=commerce.order_refunds, column="order_id", target=commerce.orders, target_column="order_id"),
    Reference(table=commerce.commerce_events, column="order_id", target=commerce.orders, target_column="order_id"),
    Reference(
        table=commerce.commerce_events,
        column="customer_key",
        target=commerce.customers,
        target_column="customer_key",
    ),
    Reference(table=uploads.custom_events, column="assignment_id", target=definitions.site_custom_events),
    Reference(table=uploads.custom_events, column="definition_revision_id", target=definitions.definition_revisions),
    Reference(table=uploads.custom_events, column="assignment_revision_id", target=definitions.assignment_revisions),
    Reference(table=uploads.custom_events, column="commerce_event_id", target=commerce.commerce_events),
    Reference(table=uploads.custom_events, column="upload_id", target=uploads.conversion_uploads, back=True),
    Reference(table=uploads.custom_event_keys, column="custom_event_id", target=uploads.custom_events),
    Reference(table=uploads.conversion_uploads, column="custom_event_id", target=uploads.custom_events),
    Reference(table=uploads.conversion_uploads, column="ads_account_id", target=sites.ads_accounts),
    Reference(table=uploads.conversion_uploads, column="ads_action_id", target=sites.ads_actions),
    Reference(table=uploads.conversion_uploads, column="request_id", target=uploads.upload_requests),
    Reference(table=uploads.upload_keys, column="upload_id", target=uploads.conversion_uploads),
    Reference(table=uploads.value_changes, column="order_id", target=commerce.orders, target_column="order_id"),
    Reference(table=counting.threshold_counters, column="assignment_id", target=definitions.site_custom_events),
    Reference(
        table=counting.threshold_counters, column="definition_revision_id", target=definitions.definition_revisions
    ),
    Reference(
        table=counting.threshold_counters, column="assignment_revision_id", target=definitions.assignment_revisions
    ),
    Reference(table=counting.counted_events, column="counter_id", target=counting.threshold_counters),
    Reference(table=counting.counted_days, column="counter_id", target=counting.threshold_counters),
    Reference(table=uploads.withdrawn_without_order, column="custom_event_id", target=uploads.custom_events),
    Reference(table=uploads.upload_attempts, column="upload_id", target=uploads.conversion_uploads),
    Reference(table=uploads.upload_attempts, column="request_id", target=uploads.upload_requests),
)
