select
    ---------- ids
    id,
    site_id,
    definition_id,
    ---------- facts
    label,
    is_active,
    ---------- times
    created_at,
    updated_at
from {{ source('app', 'site_custom_events') }}
