select
    ---------- ids
    id,
    definition_id,
    ---------- facts
    number,
    state,
    config,
    author,
    reason,
    published_by,
    ---------- times
    published_at,
    retired_at,
    created_at
from {{ source('app', 'definition_revisions') }}
