with source as (
    select * from {{ source('app', 'zone_offsets') }}
),

renamed as (
    select
        ---------- facts
        zone,
        utc_offset,
        release,
        ---------- times
        starts_at
    from source
)

select * from renamed
