select
    ---------- ids
    ads_account_id,
    ---------- facts
    lane,
    concerns,
    code,
    reason,
    ---------- times
    since,
    recheck_at,
    until
from {{ source('app', 'upload_stops') }}
