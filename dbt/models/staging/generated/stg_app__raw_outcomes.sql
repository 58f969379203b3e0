select
    ---------- ids
    raw_id,
    site_id,
    ---------- facts
    outcome,
    reason,
    detail,
    new_events,
    ---------- times
    landed_week,
    received_at,
    processed_at
from {{ source('app', 'raw_outcomes') }}
