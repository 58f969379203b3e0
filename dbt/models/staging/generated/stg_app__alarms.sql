select
    ---------- ids
    id,
    key,
    ---------- facts
    name,
    severity,
    place,
    sentence,
    remedy,
    told,
    told_closed,
    ---------- times
    opened_at,
    seen_at,
    closed_at
from {{ source('app', 'alarms') }}
