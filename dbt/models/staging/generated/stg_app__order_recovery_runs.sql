select
    ---------- ids
    id,
    site_id,
    ---------- facts
    orders_read,
    orders_missing,
    orders_landed,
    problem,
    ---------- times
    started_at,
    ended_at,
    since,
    until
from {{ source('app', 'order_recovery_runs') }}
