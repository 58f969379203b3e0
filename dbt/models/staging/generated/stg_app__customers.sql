select
    ---------- ids
    site_id,
    customer_key,
    ---------- facts
    email_sha256,
    phone_sha256,
    ---------- times
    first_seen_at,
    updated_at
from {{ source('app', 'customers') }}
