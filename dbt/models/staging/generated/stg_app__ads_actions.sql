select
    ---------- ids
    id,
    ads_account_id,
    action_id,
    ---------- facts
    name,
    action_type,
    click_window_days,
    one_per_click,
    parked_reason,
    parked_code,
    ---------- times
    action_created_at,
    parked_at,
    recheck_at,
    created_at,
    updated_at
from {{ source('app', 'ads_actions') }}
