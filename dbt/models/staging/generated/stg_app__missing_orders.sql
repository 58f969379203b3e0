with source as (
    select * from {{ source('app', 'missing_orders') }}
),

renamed as (
    select
        ---------- ids
        site_id,
        sample_raw_id,
        ---------- facts
        kind,
        orders,
        ---------- times
        day,
        found_at
    from source
)

select * from renamed
