select
    ---------- ids
    id,
    assignment_id,
    ---------- facts
    number,
    state,
    overrides,
    author,
    reason,
    published_by,
    ---------- times
    published_at,
    retired_at,
    created_at
from {{ source('app', 'assignment_revisions') }}
