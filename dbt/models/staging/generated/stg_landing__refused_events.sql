select
    ---------- ids
    id,
    site_id,
    ---------- facts
    platform,
    reason,
    topic,
    body_bytes,
    ---------- times
    received_at
from {{ source('landing', 'refused_events') }}
