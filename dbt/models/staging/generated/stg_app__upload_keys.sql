select
    ---------- ids
    ads_action_id,
    transaction_id,
    upload_id,
    ---------- facts
    sequence,
    ---------- times
    created_at
from {{ source('app', 'upload_keys') }}
