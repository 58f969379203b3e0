select
    ---------- ids
    site_id,
    sample_raw_id,
    ---------- facts
    kind,
    orders,
    ---------- times
    day,
    found_at
from {{ source('app', 'missing_orders') }}
