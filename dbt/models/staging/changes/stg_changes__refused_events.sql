with source as (
    select site_id, received_at, xmin as written_by from {{ source('landing', 'refused_events') }}
),

renamed as (
    select
        site_id,
        received_at,
        written_by
    from source
)

select * from renamed
