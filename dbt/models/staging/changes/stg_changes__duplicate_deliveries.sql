with source as (
    select site_id, received_at, xmin as written_by from {{ source('landing', 'duplicate_deliveries') }}
),

renamed as (
    select
        site_id,
        received_at,
        written_by
    from source
)

select * from renamed
