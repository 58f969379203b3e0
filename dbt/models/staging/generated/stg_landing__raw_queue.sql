select
    ---------- ids
    raw_id,
    site_id,
    ---------- times
    landed_week
from {{ source('landing', 'raw_queue') }}
