select
    ---------- ids
    site_id,
    subscription_id,
    customer_key,
    origin_order_id,
    ---------- facts
    status,
    ---------- times
    state_at,
    started_at,
    cancelled_at,
    updated_at
from {{ source('app', 'subscriptions') }}
