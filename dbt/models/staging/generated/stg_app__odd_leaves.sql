select
    ---------- ids
    site_id,
    raw_id,
    ---------- facts
    path,
    bodies,
    ---------- times
    first_seen_at,
    last_seen_at,
    landed_week
from {{ source('app', 'odd_leaves') }}
