select
    ---------- ids
    id,
    site_id,
    dedup_key,
    delivery_id,
    event_id,
    ---------- facts
    topic,
    api_version,
    signature,
    body_bytes,
    ---------- times
    landed_week,
    received_at,
    triggered_at
from {{ source('landing', 'raw_events') }}
