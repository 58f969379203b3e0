select
    ---------- ids
    site_id,
    key,
    event_id,
    ---------- facts
    parts,
    ---------- times
    occurred_at,
    evidence_at
from {{ source('app', 'event_keys') }}
