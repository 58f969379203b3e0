select
    ---------- ids
    site_id,
    order_id,
    customer_key,
    ---------- facts
    number,
    status,
    financial_status,
    currency,
    total,
    refunded,
    is_test,
    current_total,
    has_undone,
    ad_user_data,
    ad_personalization,
    ---------- times
    ordered_at,
    state_at,
    paid_at,
    cancelled_at,
    deleted_at,
    updated_at,
    payment_lost_at,
    payment_state_at,
    cancellation_state_at,
    refunds_listed_at,
    shown_at
from {{ source('app', 'orders') }}
