select
    ---------- ids
    id,
    assignment_id,
    definition_revision_id,
    assignment_revision_id,
    ---------- facts
    time_zone,
    ---------- times
    made_at
from {{ source('app', 'threshold_counters') }}
