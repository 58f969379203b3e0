with source as (
    select * from {{ source('app', 'counted_days') }}
),

renamed as (
    select
        ---------- ids
        counter_id,
        ---------- facts
        currency,
        events,
        amount,
        falling,
        ---------- times
        day
    from source
)

select * from renamed
