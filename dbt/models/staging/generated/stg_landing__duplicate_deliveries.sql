with source as (
    select * from {{ source('landing', 'duplicate_deliveries') }}
),

renamed as (
    select
        ---------- ids
        site_id,
        dedup_key,
        ---------- facts
        topic,
        ---------- times
        received_at
    from source
)

select * from renamed
