select
    ---------- ids
    ads_account_id,
    action_id,
    ---------- facts
    sent,
    accepted,
    pending,
    refused,
    unknown,
    again,
    ended,
    unattributable,
    already_there,
    without_click,
    retracted,
    reasons,
    events,
    unanswered,
    google_successful,
    google_failed,
    google_pending,
    ---------- times
    day,
    google_read_at,
    updated_at
from {{ source('app', 'reconciliation_days') }}
