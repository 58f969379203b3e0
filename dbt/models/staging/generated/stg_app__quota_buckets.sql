select
    ---------- facts
    name,
    tokens,
    pace,
    hours,
    ---------- times
    refilled_at,
    history_until
from {{ source('app', 'quota_buckets') }}
