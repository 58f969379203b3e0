select
    ---------- ids
    id,
    request_id,
    site_id,
    ---------- facts
    actor,
    action,
    subject,
    detail,
    source,
    via,
    ---------- times
    "at"
from {{ source('app', 'audit_entries') }}
