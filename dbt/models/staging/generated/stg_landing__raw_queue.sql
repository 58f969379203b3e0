select
    ---------- ids
    raw_id,
    site_id,
    ---------- facts
    is_again,
    ---------- times
    landed_week
from {{ source('landing', 'raw_queue') }}
