select
    ---------- ids
    id,
    site_id,
    assignment_id,
    definition_revision_id,
    assignment_revision_id,
    commerce_event_id,
    dedup_key,
    order_id,
    customer_key,
    upload_id,
    ---------- facts
    value,
    currency,
    withheld_reason,
    withdrawn_reason,
    withdrawn_by,
    ---------- times
    occurred_at,
    withdrawn_at,
    created_at
from {{ source('app', 'custom_events') }}
