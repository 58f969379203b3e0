select
    ---------- ids
    counter_id,
    ---------- facts
    currency,
    events,
    amount,
    falling,
    ---------- times
    day
from {{ source('app', 'counted_days') }}
