select
    ---------- ids
    id,
    ads_account_id,
    job_id,
    google_request_id,
    customer_id,
    login_customer_id,
    ---------- facts
    lane,
    kind,
    rows,
    outcome,
    code,
    sentence,
    counts,
    shared_verdict,
    shared_rows,
    ---------- times
    intent_at,
    answered_at,
    next_poll_at
from {{ source('app', 'upload_requests') }}
