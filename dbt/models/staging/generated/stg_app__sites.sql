select
    ---------- ids
    id,
    site_key,
    ---------- facts
    platform,
    name,
    shop_domain,
    currency,
    time_zone,
    is_active,
    settings,
    ---------- times
    created_at,
    updated_at,
    removed_at
from {{ source('app', 'sites') }}
