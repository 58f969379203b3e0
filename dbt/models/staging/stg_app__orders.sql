with source as (
    select * from {{ source('app', 'orders') }}
),

renamed as (
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
        ---------- times
        ordered_at,
        state_at,
        paid_at,
        cancelled_at,
        deleted_at,
        updated_at
    from source
)

select * from renamed
