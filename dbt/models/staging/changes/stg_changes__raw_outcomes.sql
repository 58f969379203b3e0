with source as (
    select site_id, received_at, xmin as written_by from {{ source('app', 'raw_outcomes') }}
),

renamed as (
    select
        site_id,
        received_at,
        written_by
    from source
)

select * from renamed
