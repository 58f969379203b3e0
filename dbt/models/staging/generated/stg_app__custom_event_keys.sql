select
    ---------- ids
    assignment_id,
    dedup_key,
    custom_event_id,
    ---------- times
    occurred_at
from {{ source('app', 'custom_event_keys') }}
