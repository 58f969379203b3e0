select
    ---------- ids
    custom_event_id,
    ---------- times
    occurred_at,
    changed_at
from {{ source('app', 'withdrawn_without_order') }}
