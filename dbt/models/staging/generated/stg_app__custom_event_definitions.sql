select
    ---------- ids
    id,
    key,
    ---------- facts
    name,
    description,
    is_system,
    ---------- times
    created_at,
    updated_at
from {{ source('app', 'custom_event_definitions') }}
