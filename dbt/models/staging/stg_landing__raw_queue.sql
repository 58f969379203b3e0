with source as (
    select * from {{ source('landing', 'raw_queue') }}
),

renamed as (
    select
        ---------- ids
        raw_id,
        site_id,
        ---------- times
        received_at
    from source
)

select * from renamed
