select
    ---------- ids
    site_id,
    order_id,
    ---------- times
    changed_at
from {{ source('app', 'value_changes') }}
