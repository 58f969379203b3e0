select
    ---------- ids
    site_id,
    order_id,
    refund_id,
    ---------- facts
    amount,
    currency,
    items,
    shipping,
    has_failed,
    ---------- times
    refunded_at,
    seen_at
from {{ source('app', 'order_refunds') }}
