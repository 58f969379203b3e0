select
    ---------- ids
    id,
    assignment_id,
    definition_revision_id,
    assignment_revision_id,
    customer_key,
    ---------- facts
    time_zone,
    ---------- times
    made_at,
    others_until
from {{ source('app', 'threshold_counters') }}
