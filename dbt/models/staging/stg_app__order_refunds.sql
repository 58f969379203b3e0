with source as (
    select * from {{ source('app', 'order_refunds') }}
),

renamed as (
    select
        ---------- ids
        site_id,
        order_id,
        refund_id,
        ---------- facts
        amount,
        currency,
        ---------- times
        refunded_at
    from source
)

select * from renamed
