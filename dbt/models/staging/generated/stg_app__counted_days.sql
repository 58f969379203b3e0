select
    ---------- ids
    counter_id,
    ---------- facts
    currency,
    events,
    amount,
    ---------- times
    day
from {{ source('app', 'counted_days') }}
