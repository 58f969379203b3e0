select
    ---------- ids
    raw_id,
    site_id,
    ---------- facts
    kind,
    done_by,
    note,
    counts,
    waiting,
    ---------- times
    landed_week,
    received_at,
    due_at,
    done_at,
    started_at
from {{ source('app', 'privacy_requests') }}
