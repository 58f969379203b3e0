select
    ---------- ids
    counter_id,
    key,
    customer_key,
    ---------- facts
    amount,
    currency,
    ---------- times
    occurred_at,
    day
from {{ source('app', 'counted_events') }}
