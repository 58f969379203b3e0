select
    ---------- ids
    ads_account_id,
    action_id,
    ---------- facts
    client,
    status,
    successful,
    failed,
    pending,
    last_upload_at,
    alerts,
    ---------- times
    read_at
from {{ source('app', 'google_upload_status') }}
