select
    ---------- ids
    id,
    site_id,
    key,
    order_id,
    customer_key,
    raw_id,
    ---------- facts
    type,
    amount,
    currency,
    is_test,
    facts,
    is_undone,
    ---------- times
    occurred_at,
    evidence_at,
    raw_landed_week,
    created_at
from {{ source('app', 'commerce_events') }}
