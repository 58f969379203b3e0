select
    ---------- ids
    upload_id,
    request_id,
    ---------- facts
    verdict,
    code,
    sentence,
    ---------- times
    "at"
from {{ source('app', 'upload_attempts') }}
