select
    ---------- facts
    zone,
    utc_offset,
    release,
    ---------- times
    starts_at
from {{ source('app', 'zone_offsets') }}
