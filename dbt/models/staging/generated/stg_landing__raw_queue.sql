with source as (
    select * from {{ source('landing', 'raw_queue') }}
),

renamed as (
    select
        ---------- ids
        raw_id,
        site_id,
        ---------- times
        landed_week
    from source
)

select * from renamed
