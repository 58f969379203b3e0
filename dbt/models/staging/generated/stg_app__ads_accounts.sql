select
    ---------- ids
    id,
    customer_id,
    login_customer_id,
    ---------- facts
    name,
    lane,
    currency,
    time_zone,
    parked_reason,
    paused_reason,
    capabilities,
    parked_code,
    parked_scope,
    parked_lane,
    ---------- times
    parked_at,
    recheck_at,
    paused_until,
    created_at,
    updated_at
from {{ source('app', 'ads_accounts') }}
