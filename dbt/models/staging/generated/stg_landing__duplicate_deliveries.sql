select
    ---------- ids
    site_id,
    dedup_key,
    ---------- facts
    topic,
    ---------- times
    received_at
from {{ source('landing', 'duplicate_deliveries') }}
