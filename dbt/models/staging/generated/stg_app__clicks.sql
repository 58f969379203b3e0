select
    ---------- ids
    site_id,
    click_id,
    ---------- facts
    kind,
    subject,
    carrier,
    consent,
    ---------- times
    seen_at,
    clicked_at
from {{ source('app', 'clicks') }}
