select
    ---------- ids
    site_id,
    order_id,
    ---------- facts
    ad_user_data,
    ad_personalization,
    source,
    written_by,
    ---------- times
    said_at,
    updated_at
from {{ source('app', 'order_consents') }}
