with source as (
    select * from {{ source('app', 'exchange_rates') }}
),

renamed as (
    select
        ---------- facts
        currency,
        reporting_currency,
        rate,
        source,
        ---------- times
        day,
        loaded_at
    from source
)

select * from renamed
